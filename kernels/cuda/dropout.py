"""Dropout, a thread an element.  The mathematics stands in reference/dropout.py."""
from numba import cuda

from .device import flat, launch_each, operation


@operation
def dropout_forward(x, noise, y, rate):
    """y = x * keep / (1 - rate).  x, noise, y: one shape; 0 <= rate < 1."""
    launch_each(_keep, x.size, flat(x), flat(noise), flat(y), rate)


@operation
def dropout_backward(dout, noise, dx, rate):
    """dx = dout * keep / (1 - rate), with the noise of the forward pass."""
    launch_each(_keep, dout.size, flat(dout), flat(noise), flat(dx), rate)


@cuda.jit
def _keep(x, noise, y, rate):
    i = cuda.grid(1)
    if i < x.size:
        real = x.dtype.type
        y[i] = x[i] * real(1 / (1 - rate)) if noise[i] >= real(rate) else real(0)
