"""Convolution in Numba.  The mathematics stands in reference/conv2d.py, the way it is computed in convolution_tables.py.

From the fine image x down to the coarse y.  With one filter and stride 1 it is cheaper the other way round: both images are as
fine, and x plays the coarse one.
"""
from ..contract import operation
from ..windows import check_output, conv2d_output_shape
from .convolution import down_backward, down_forward, up_backward, up_forward
from .convolution_tables import as_taps, check_scratch, convolution_scratch


def conv2d_scratch(batch, input_shape, kernel_shape, strides, padding, dtype):
    """Work space for batches of at most that size.  The backward pass finds in it what the forward pass left there."""
    output_shape = conv2d_output_shape(input_shape, kernel_shape, strides, padding)
    return convolution_scratch(batch, input_shape, output_shape, kernel_shape[:2], strides, dtype)


@operation
def conv2d_forward(x, kernel, bias, y, strides, padding, activation, scratch):
    """y = f(x * W + b).  x (N, H, W, C), kernel (A, B, C, M), bias (M,), y (N, P, Q, M); padding "same" or "valid"."""
    check_output(y, conv2d_output_shape(x.shape[1:], kernel.shape, strides, padding))
    check_scratch(scratch, x, y, kernel, strides)
    forward = up_forward if scratch.swapped else down_forward
    forward(x, as_taps(kernel, scratch), bias, y, activation, scratch)


@operation
def conv2d_backward(dout, x, y, kernel, dx, dkernel, dbias, strides, padding, activation, scratch):
    """dkernel, dbias and dx from dout (N, P, Q, M), and the x and y of the forward pass; dx may be None."""
    check_scratch(scratch, x, y, kernel, strides)
    backward = up_backward if scratch.swapped else down_backward
    backward(dout, y, as_taps(kernel, scratch), dx, as_taps(dkernel, scratch), dbias, activation, scratch)
