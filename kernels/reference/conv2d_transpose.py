"""Transposed convolution: its forward pass is the input gradient of a convolution, and vice versa.

Each pixel x[n, p, q] adds its value, times W[a, b], to a window of a finer image, moved in steps
(sh, sw). Where windows overlap, they add up:

    z[n, p sh + a, q sw + b, m] += sum over c of x[n, p, q, c] W[a, b, m, c]

Then a border is cut off, and b[m] is added. One tap (a, b) of the window at a time, z_ab being the
pixels that this tap paints (see conv2d.py):

    z_ab += x W_ab^T
    ->  dx  = sum over taps of dz_ab W_ab
        dW_ab = dz_ab^T x
        db  = sum of dz over images and pixels
"""
import numpy as np

from ..activation_names import EXAMPLES
from ..operation import operation
from ..windows import Window, tap, transposed_positions
from .activations import activation_backward, activation_forward
from .conv2d import WINDOWS, pad

TRANSPOSED_WINDOWS = (*WINDOWS, Window((2, 2), "same", (1, 0)), Window((2, 2), "valid", (1, 1)))


def conv2d_transpose_scratch(N, H, W, C, A, B, M, window, dtype):
    """Return the work space of a transposed convolution: NumPy needs none."""
    return None


@operation("x=NHWC kernel=ABMC bias=M -> y=NPQM", transposed_positions,
           window=TRANSPOSED_WINDOWS, activation=EXAMPLES)
def conv2d_transpose_forward(x, kernel, bias, y, window, activation, scratch):
    """y = f(z)."""
    y[...] = 0
    z, inside = pad(y, x.shape, kernel.shape, window.strides)
    for a, b in np.ndindex(kernel.shape[:2]):
        z_ab = tap(z, a, b, x.shape[1:3], window.strides)
        z_ab += x @ kernel[a, b].T
    y[...] = z[inside] + bias
    activation_forward(y, y, activation)


@operation("dout=NPQM x=NHWC y=NPQM kernel=ABMC -> dx=NHWC? dkernel=ABMC dbias=M",
           transposed_positions, window=TRANSPOSED_WINDOWS, activation=EXAMPLES)
def conv2d_transpose_backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch):
    """Write dkernel, dbias and dx, from dout and the x and y of the forward pass."""
    dz = np.empty_like(y)
    activation_backward(dout, y, dz, activation)
    np.sum(dz, axis=(0, 1, 2), out=dbias)
    dz, _ = pad(dz, x.shape, kernel.shape, window.strides)
    if dx is not None:
        dx[...] = 0
    for a, b in np.ndindex(kernel.shape[:2]):
        dz_ab = tap(dz, a, b, x.shape[1:3], window.strides)
        dkernel[a, b] = np.tensordot(dz_ab, x, axes=[(0, 1, 2), (0, 1, 2)])
        if dx is not None:
            dx += dz_ab @ kernel[a, b]
