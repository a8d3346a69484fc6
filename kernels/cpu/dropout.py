"""Dropout in Numba. See reference/dropout.py for the mathematics.

Both passes are the same product, y = x * keep / (1 - rate).
"""
from numba import prange

from ..operation import implements
from ..reference import dropout as reference
from .jit import CHUNK, chunk_count, parallel


@implements(reference.dropout_forward)
def dropout_forward(x, noise, y, rate):
    _keep(x.reshape(-1), noise.reshape(-1), y.reshape(-1), rate)


@implements(reference.dropout_backward)
def dropout_backward(dout, noise, dx, rate):
    _keep(dout.reshape(-1), noise.reshape(-1), dx.reshape(-1), rate)


@parallel
def _keep(x, noise, y, rate):
    real = y.dtype.type
    zero = real(0)
    scale = real(1 / (1 - rate))
    threshold = real(rate)
    for chunk in prange(chunk_count(x.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        x_ = x[here]
        noise_ = noise[here]
        y_ = y[here]
        for i in range(y_.size):
            y_[i] = x_[i] * scale if noise_[i] >= threshold else zero
