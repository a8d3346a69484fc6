"""Upsampling on the device, a thread for each element. See reference/upsampling.py."""
from numba import cuda

from ..reference import upsampling as reference
from .device import implements, launch_each
from .pooling import pixel_of


@implements(reference.upsampling_forward)
def upsampling_forward(x, y, size):
    launch_each(_forward, y.size, x, y, size)


@cuda.jit
def _forward(x, y, size):
    i = cuda.grid(1)
    if i < y.size:
        n, p, q, c = pixel_of(y, i)
        y[n, p, q, c] = x[n, p // size[0], q // size[1], c]


@implements(reference.upsampling_backward)
def upsampling_backward(dout, dx, size):
    launch_each(_backward, dx.size, dout, dx, size)


@cuda.jit
def _backward(dout, dx, size):
    i = cuda.grid(1)
    if i < dx.size:
        n, h, w, c = pixel_of(dx, i)
        total = dx.dtype.type(0)
        for a in range(size[0]):
            for b in range(size[1]):
                total += dout[n, h * size[0] + a, w * size[1] + b, c]
        dx[n, h, w, c] = total
