"""Convolution: y = f(x * W + b), for N images (H, W) of C channels, a window of A x B positions,
and M filters.

Derivation. A window slides over the zero-padded image in steps (sh, sw). At each stop (p, q) it is
a dense layer:

    z[n, p, q, m] = b[m] + sum over a, b, c of x[n, p sh + a, q sw + b, c] W[a, b, c, m]

Read it one tap (a, b) of the window at a time. The pixels that this tap meets at all stops, x_ab,
are a matrix with C columns, and

    z  = sum over taps of x_ab W_ab + b
    ->  dx_ab += dz W_ab^T      a pixel that several windows see collects from each
        dW_ab  = x_ab^T dz
        db     = sum of dz over images and stops
"""
import numpy as np

from ..activation_names import EXAMPLES
from ..operation import operation
from ..windows import Window, convolution_positions, padding_before, tap
from .activations import activation_backward, activation_forward

WINDOWS = (Window((2, 2), "same"), Window((1, 1), "same"), Window((2, 1), "valid"))


def conv2d_scratch(N, H, W, C, A, B, M, window, dtype):
    """Return the work space of a convolution: NumPy needs none."""
    return None


@operation("x=NHWC kernel=ABCM bias=M -> y=NPQM", convolution_positions,
           window=WINDOWS, activation=EXAMPLES)
def conv2d_forward(x, kernel, bias, y, window, activation, scratch):
    """y = f(x * W + b)."""
    x, _ = pad(x, y.shape, kernel.shape, window.strides)
    y[...] = bias
    for a, b in np.ndindex(kernel.shape[:2]):
        y += tap(x, a, b, y.shape[1:3], window.strides) @ kernel[a, b]
    activation_forward(y, y, activation)


@operation("dout=NPQM x=NHWC y=NPQM kernel=ABCM -> dx=NHWC? dkernel=ABCM dbias=M",
           convolution_positions, window=WINDOWS, activation=EXAMPLES)
def conv2d_backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch):
    """Write dkernel, dbias and dx, from dout and the x and y of the forward pass."""
    dz = np.empty_like(y)
    activation_backward(dout, y, dz, activation)
    padded, inside = pad(x, y.shape, kernel.shape, window.strides)
    dpadded = np.zeros_like(padded)
    for a, b in np.ndindex(kernel.shape[:2]):
        x_ab = tap(padded, a, b, y.shape[1:3], window.strides)
        dx_ab = tap(dpadded, a, b, y.shape[1:3], window.strides)
        dkernel[a, b] = np.tensordot(x_ab, dz, axes=[(0, 1, 2), (0, 1, 2)])
        dx_ab += dz @ kernel[a, b].T
    np.sum(dz, axis=(0, 1, 2), out=dbias)
    if dx is not None:
        dx[...] = dpadded[inside]


def pad(fine, coarse_shape, kernel_shape, strides, value=0):
    """Return images with a border that all windows fit into, and where in it the images lie.

    Parameters
    ----------
    fine : array (N, H, W, C)
    coarse_shape : tuple
        (N, P, Q, ...) of the images whose windows must fit.
    kernel_shape : tuple
        (A, B, ...).
    strides : (int, int)
    value : float
        What the border holds.

    Returns
    -------
    (array, tuple of slices)
    """
    shape = list(fine.shape)
    inside = [slice(None)] * 4
    for axis in (1, 2):
        size = fine.shape[axis]
        coarse = coarse_shape[axis]
        kernel = kernel_shape[axis - 1]
        stride = strides[axis - 1]
        before = padding_before(size, coarse, kernel, stride)
        shape[axis] = max(before + size, (coarse - 1) * stride + kernel)
        inside[axis] = slice(before, before + size)
    padded = np.full(shape, value, fine.dtype)
    padded[tuple(inside)] = fine
    return padded, tuple(inside)
