"""Convolution: y = f(x * W + b), for N images (H, W) of C channels, a window of A x B positions, and M filters.

Derivation.  A window slides over the zero-padded image in steps (sh, sw); at each stop (p, q) it is a dense layer:

    z[n, p, q, m] = b[m] + sum over a, b, c of x[n, p sh + a, q sw + b, c] W[a, b, c, m]

Read it one tap (a, b) of the window at a time: x_ab, the pixels that this tap meets at all stops, is a matrix with C columns, and

    z  = sum over taps of x_ab W_ab + b
    ->  dx_ab += dz W_ab^T      a pixel that several windows see collects from each
        dW_ab  = x_ab^T dz
        db     = sum of dz over images and stops
"""
import numpy as np

from ..contract import operation
from ..windows import check_output, conv2d_output_shape, padding_before, tap
from .activations import activation_backward, activation_forward


def conv2d_scratch(batch, input_shape, kernel_shape, strides, padding, dtype):
    """Work space for a convolution: NumPy needs none."""
    return None


@operation
def conv2d_forward(x, kernel, bias, y, strides, padding, activation, scratch):
    """y = f(x * W + b).  x (N, H, W, C), kernel (A, B, C, M), bias (M,), y (N, P, Q, M); padding "same" or "valid"."""
    check_output(y, conv2d_output_shape(x.shape[1:], kernel.shape, strides, padding))
    x = pad(x, y.shape, kernel.shape, strides)[0]
    y[...] = bias
    for a, b in np.ndindex(kernel.shape[:2]):
        y += tap(x, a, b, y.shape[1:3], strides) @ kernel[a, b]
    activation_forward(y, y, activation)


@operation
def conv2d_backward(dout, x, y, kernel, dx, dkernel, dbias, strides, padding, activation, scratch):
    """dkernel, dbias and dx from dout (N, P, Q, M), and the x and y of the forward pass; dx may be None."""
    check_output(y, conv2d_output_shape(x.shape[1:], kernel.shape, strides, padding))
    dz = np.empty_like(y)
    activation_backward(dout, y, dz, activation)
    padded, inside = pad(x, y.shape, kernel.shape, strides)
    dpadded = np.zeros_like(padded)
    for a, b in np.ndindex(kernel.shape[:2]):
        x_ab, dx_ab = (tap(array, a, b, y.shape[1:3], strides) for array in (padded, dpadded))
        dkernel[a, b] = np.tensordot(x_ab, dz, axes=[(0, 1, 2), (0, 1, 2)])
        dx_ab += dz @ kernel[a, b].T
    np.sum(dz, axis=(0, 1, 2), out=dbias)
    if dx is not None:
        dx[...] = dpadded[inside]


def pad(fine, coarse_shape, kernel_shape, strides):
    """Images with zeros around them, as many as the windows of all coarse positions reach, and where in them the images lie."""
    shape, inside = list(fine.shape), [slice(None)] * 4
    for axis in (1, 2):
        n, coarse, kernel, stride = fine.shape[axis], coarse_shape[axis], kernel_shape[axis - 1], strides[axis - 1]
        before = padding_before(n, coarse, kernel, stride)
        shape[axis] = max(before + n, (coarse - 1) * stride + kernel)
        inside[axis] = slice(before, before + n)
    padded = np.zeros(shape, fine.dtype)
    padded[tuple(inside)] = fine
    return padded, tuple(inside)
