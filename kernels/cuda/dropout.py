"""Dropout on the device, a thread for each element. See reference/dropout.py."""
from numba import cuda

from ..reference import dropout as reference
from .device import flat, implements, launch_each


@implements(reference.dropout_forward)
def dropout_forward(x, noise, y, rate):
    launch_each(_keep, x.size, flat(x), flat(noise), flat(y), rate)


@implements(reference.dropout_backward)
def dropout_backward(dout, noise, dx, rate):
    launch_each(_keep, dout.size, flat(dout), flat(noise), flat(dx), rate)


@cuda.jit
def _keep(x, noise, y, rate):
    i = cuda.grid(1)
    if i < x.size:
        real = x.dtype.type
        y[i] = x[i] * real(1 / (1 - rate)) if noise[i] >= real(rate) else real(0)
