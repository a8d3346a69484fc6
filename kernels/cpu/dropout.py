"""Dropout in Numba.  The mathematics stands in reference/dropout.py."""
from numba import prange

from ..contract import operation
from .jit import CHUNK, chunk_count, parallel


@operation
def dropout_forward(x, noise, y, rate):
    """y = x * keep / (1 - rate).  x, noise, y: one shape; 0 <= rate < 1."""
    _keep(x.reshape(-1), noise.reshape(-1), y.reshape(-1), rate)


@operation
def dropout_backward(dout, noise, dx, rate):
    """dx = dout * keep / (1 - rate), with the noise of the forward pass."""
    _keep(dout.reshape(-1), noise.reshape(-1), dx.reshape(-1), rate)


@parallel
def _keep(x, noise, y, rate):
    zero, scale, threshold = y.dtype.type(0), y.dtype.type(1 / (1 - rate)), y.dtype.type(rate)
    for chunk in prange(chunk_count(x.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        x_, noise_, y_ = x[here], noise[here], y[here]
        for i in range(y_.size):
            y_[i] = x_[i] * scale if noise_[i] >= threshold else zero
