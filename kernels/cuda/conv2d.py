"""Convolution on the device: from the fine image x down to the coarse y.  The mathematics stands in reference/conv2d.py."""
from ..windows import check_output, conv2d_output_shape
from .activations import activation_forward
from .arrays import empty
from .convolution import (
    bias_gradient, check_scratch, convolution_scratch, correlate, gradient, make_store,
    make_store_dx, spread, without_softmax)
from .device import operation


def conv2d_scratch(batch, input_shape, kernel_shape, strides, padding, dtype):
    """Work space for batches of at most that size."""
    output_shape = conv2d_output_shape(input_shape, kernel_shape, strides, padding)
    return convolution_scratch(empty, batch, input_shape, output_shape, kernel_shape[:2], strides, output_shape, dtype)


@operation
def conv2d_forward(x, kernel, bias, y, strides, padding, activation, scratch):
    """y = f(x * W + b).  x (N, H, W, C), kernel (A, B, C, M), bias (M,), y (N, P, Q, M); padding "same" or "valid"."""
    check_output(y, conv2d_output_shape(x.shape[1:], kernel.shape, strides, padding))
    check_scratch(scratch, x, y, strides, kernel.shape[:2])
    correlate((x,), kernel, make_store(*y.shape[1:3], activation, y.dtype), (y, bias), scratch.geometry, "linear", y.dtype)
    if activation == "softmax":
        activation_forward(y, y, activation)


@operation
def conv2d_backward(dout, x, y, kernel, dx, dkernel, dbias, strides, padding, activation, scratch):
    """dkernel, dbias and dx from dout (N, P, Q, M), and the x and y of the forward pass; dx may be None."""
    check_scratch(scratch, x, y, strides, kernel.shape[:2])
    dz, activation = without_softmax(dout, y, activation, scratch)
    gradient((x,), dz, dkernel, scratch, activation, y.dtype)
    bias_gradient(dz, dbias, scratch, activation, y.dtype)
    if dx is not None:
        spread(dz, kernel, make_store_dx(*x.shape[1:3]), (dx,), scratch.geometry, activation, y.dtype)
