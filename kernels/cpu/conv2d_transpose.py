"""Transposed convolution in Numba: the mirror image of conv2d.py. See
reference/conv2d_transpose.py for the mathematics.

From the coarse image x up to the fine y. With one channel in x and stride 1 the two change places.
"""
from ..operation import implements
from ..reference import conv2d_transpose as reference
from ..windows import transposed_positions
from .convolution import down_backward, down_forward, up_backward, up_forward
from .convolution_tables import as_taps, check_scratch, convolution_scratch


def conv2d_transpose_scratch(N, H, W, C, A, B, M, window, dtype):
    """Return the work space for batches of at most N images."""
    fine = transposed_positions({"H": H, "W": W, "A": A, "B": B}, window)
    return convolution_scratch(N, (fine["P"], fine["Q"], M), (H, W, C), (A, B),
                               window.strides, dtype)


@implements(reference.conv2d_transpose_forward)
def conv2d_transpose_forward(x, kernel, bias, y, window, activation, scratch):
    check_scratch(scratch, y, x, kernel, window.strides)
    forward = down_forward if scratch.swapped else up_forward
    forward(x, as_taps(kernel, scratch), bias, y, activation, scratch)


@implements(reference.conv2d_transpose_backward)
def conv2d_transpose_backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch):
    check_scratch(scratch, y, x, kernel, window.strides)
    backward = down_backward if scratch.swapped else up_backward
    backward(dout, y, as_taps(kernel, scratch), dx, as_taps(dkernel, scratch), dbias, activation,
             scratch)
