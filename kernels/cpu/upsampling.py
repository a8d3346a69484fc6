"""Upsampling in Numba. See reference/upsampling.py for the mathematics.

Threads share out the rows of the smaller images.
"""
from numba import prange

from ..operation import implements
from ..reference import upsampling as reference
from .jit import parallel


@implements(reference.upsampling_forward)
def upsampling_forward(x, y, size):
    _forward(x, y, size)


@implements(reference.upsampling_backward)
def upsampling_backward(dout, dx, size):
    _backward(dout, dx, size)


@parallel
def _forward(x, y, size):
    N, H, W, C = x.shape
    for row in prange(N * H):
        n = row // H
        h = row % H
        for a in range(size[0]):
            for w in range(W):
                for b in range(size[1]):
                    pixel = y[n, h * size[0] + a, w * size[1] + b]
                    for c in range(C):
                        pixel[c] = x[n, h, w, c]


@parallel
def _backward(dout, dx, size):
    N, H, W, C = dx.shape
    for row in prange(N * H):
        n = row // H
        h = row % H
        for w in range(W):
            to = dx[n, h, w]
            for c in range(C):
                to[c] = 0
            for a in range(size[0]):
                for b in range(size[1]):
                    pixel = dout[n, h * size[0] + a, w * size[1] + b]
                    for c in range(C):
                        to[c] += pixel[c]
