"""Transposed convolution on the device:

from the coarse image x up to the fine y.  The mathematics stands in reference/conv2d_transpose.py.
"""

from ..reference import conv2d_transpose as reference
from ..windows import transposed_positions
from .activations import activation_forward
from .arrays import empty
from .convolution import (
    bias_gradient,
    check_scratch,
    convolution_scratch,
    correlate,
    gradient,
    make_store,
    make_store_dx,
    spread,
    without_softmax,
)
from .device import implements


def conv2d_transpose_scratch(N, H, W, C, A, B, M, window, dtype):
    """Return the work space for batches of at most N images."""
    sizes = transposed_positions({"H": H, "W": W, "A": A, "B": B}, window)
    output_shape = (sizes["P"], sizes["Q"], M)
    return convolution_scratch(
        empty, N, output_shape, (H, W, C), (A, B), window.strides, output_shape, dtype
    )


@implements(reference.conv2d_transpose_forward)
def conv2d_transpose_forward(x, kernel, bias, y, window, activation, scratch):
    check_scratch(scratch, y, x, window.strides, kernel.shape[:2])
    spread(
        (x,),
        kernel,
        make_store(*y.shape[1:3], activation, y.dtype),
        (y, bias),
        scratch.geometry,
        "linear",
        y.dtype,
    )
    if activation == "softmax":
        activation_forward(y, y, activation)


@implements(reference.conv2d_transpose_backward)
def conv2d_transpose_backward(dout, x, y, kernel, dx, dkernel, dbias, window, activation, scratch):
    check_scratch(scratch, y, x, window.strides, kernel.shape[:2])
    dz, activation = without_softmax(dout, y, activation, scratch)
    gradient(dz, (x,), dkernel, scratch, activation, y.dtype)
    bias_gradient(dz, dbias, scratch, activation, y.dtype)
    if dx is not None:
        correlate(
            dz, kernel, make_store_dx(*x.shape[1:3]), (dx,), scratch.geometry, activation, y.dtype
        )
