"""Transposed convolution on the device, from the coarse image x to the fine y. See
reference/conv2d_transpose.py, and convolution.py for how the products are computed.
"""
from ..reference import conv2d_transpose as reference
from ..windows import transposed_positions
from .activations import activation_forward
from .convolution import (
    bias_gradient,
    check_scratch,
    convolution_scratch,
    correlate,
    gradient,
    make_geometry,
    make_store,
    make_store_dx,
    spread,
    without_softmax,
)
from .device import implements


def conv2d_transpose_scratch(N, H, W, C, A, B, M, window, dtype):
    """Return the work space for batches of at most N images."""
    P, Q = transposed_positions({"H": H, "W": W, "A": A, "B": B}, window).values()
    geometry = make_geometry((P, Q, M), (H, W, C), (A, B), window.strides)
    return convolution_scratch(N, geometry, (P, Q, M), dtype)


@implements(reference.conv2d_transpose_forward)
def conv2d_transpose_forward(x, kernel, bias, y, window, activation, scratch):
    check_scratch(scratch, y, x, kernel, window)
    store = make_store(*y.shape[1:3], activation, y.dtype)
    spread((x,), kernel, store, (y, bias), scratch.geometry, "linear", y.dtype)
    if activation == "softmax":
        activation_forward(y, y, activation)


@implements(reference.conv2d_transpose_backward)
def conv2d_transpose_backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch):
    check_scratch(scratch, y, x, kernel, window)
    dz, activation = without_softmax(dout, y, activation, scratch)
    gradient(dz, (x,), dkernel, scratch, activation, y.dtype)
    bias_gradient(dz, dbias, scratch, activation, y.dtype)
    if dx is not None:
        store = make_store_dx(*x.shape[1:3])
        correlate(dz, kernel, store, (dx,), scratch.geometry, activation, y.dtype)
