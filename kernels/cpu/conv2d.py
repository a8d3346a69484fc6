"""Convolution in Numba. See reference/conv2d.py for the mathematics and convolution_tables.py for
the way it is computed.

From the fine image x down to the coarse y. With one filter and stride 1 it is cheaper the other way
round: both images are equally fine, and x takes the role of the coarse one.
"""
from ..operation import implements
from ..reference import conv2d as reference
from ..windows import convolution_positions
from .convolution import down_backward, down_forward, up_backward, up_forward
from .convolution_tables import as_taps, check_scratch, convolution_scratch


def conv2d_scratch(N, H, W, C, A, B, M, window, dtype):
    """Return the work space for batches of at most N images."""
    coarse = convolution_positions({"H": H, "W": W, "A": A, "B": B}, window)
    return convolution_scratch(N, (H, W, C), (coarse["P"], coarse["Q"], M), (A, B),
                               window.strides, dtype)


@implements(reference.conv2d_forward)
def conv2d_forward(x, kernel, bias, y, window, activation, scratch):
    check_scratch(scratch, x, y, kernel, window.strides)
    forward = up_forward if scratch.swapped else down_forward
    forward(x, as_taps(kernel, scratch), bias, y, activation, scratch)


@implements(reference.conv2d_backward)
def conv2d_backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch):
    check_scratch(scratch, x, y, kernel, window.strides)
    backward = up_backward if scratch.swapped else down_backward
    backward(dout, y, as_taps(kernel, scratch), dx, as_taps(dkernel, scratch), dbias, activation,
             scratch)
