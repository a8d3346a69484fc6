"""Transposed convolution: the forward pass is the input gradient of a convolution, and the other way round.

Each pixel x[n, p, q] paints its window, W[a, b] times what it holds, onto a finer image, in steps (sh, sw); strokes add up:

    z[n, p sh + a, q sw + b, m] += sum over c of x[n, p, q, c] W[a, b, m, c],     then a border is cut off, and b[m] is added

One tap (a, b) of the window at a time, z_ab being the pixels that this tap paints (see conv2d.py):

    z_ab += x W_ab^T
    ->  dx  = sum over taps of dz_ab W_ab
        dW_ab = dz_ab^T x
        db  = sum of dz over images and pixels
"""
import numpy as np

from ..contract import operation
from ..windows import check_output, conv2d_transpose_output_shape, tap
from .activations import activation_backward, activation_forward
from .conv2d import pad


def conv2d_transpose_scratch(batch, input_shape, kernel_shape, strides, padding, dtype):
    """Work space for a transposed convolution: NumPy needs none."""
    return None


@operation
def conv2d_transpose_forward(x, kernel, bias, y, strides, padding, activation, scratch):
    """y = f(z).  x (N, H, W, C), kernel (A, B, M, C), bias (M,), y (N, P, Q, M); padding "same" or "valid"."""
    check_output(y, conv2d_transpose_output_shape(x.shape[1:], kernel.shape, strides, padding))
    y[...] = 0
    z, inside = pad(y, x.shape, kernel.shape, strides)
    for a, b in np.ndindex(kernel.shape[:2]):
        z_ab = tap(z, a, b, x.shape[1:3], strides)
        z_ab += x @ kernel[a, b].T
    y[...] = z[inside] + bias
    activation_forward(y, y, activation)


@operation
def conv2d_transpose_backward(dout, x, y, kernel, dx, dkernel, dbias, strides, padding, activation, scratch):
    """dkernel, dbias and dx from dout (N, P, Q, M), and the x and y of the forward pass; dx may be None."""
    check_output(y, conv2d_transpose_output_shape(x.shape[1:], kernel.shape, strides, padding))
    dz = np.empty_like(y)
    activation_backward(dout, y, dz, activation)
    np.sum(dz, axis=(0, 1, 2), out=dbias)
    dz, _ = pad(dz, x.shape, kernel.shape, strides)
    if dx is not None:
        dx[...] = 0
    for a, b in np.ndindex(kernel.shape[:2]):
        dz_ab = tap(dz, a, b, x.shape[1:3], strides)
        dkernel[a, b] = np.tensordot(dz_ab, x, axes=[(0, 1, 2), (0, 1, 2)])
        if dx is not None:
            dx += dz_ab @ kernel[a, b]
