"""A learnt variance in Numba. See reference/learnt_variance.py for the mathematics.

Threads share out the examples, and for the sums over them the columns.
"""
import math

from numba import prange

from ..operation import implements
from ..reference import learnt_variance as reference
from .jit import parallel


@implements(reference.learnt_variance_forward)
def learnt_variance_forward(x, a, y, lowest):
    _append(x, a, y, lowest)


@parallel
def _append(x, a, y, lowest):
    N, K = x.shape
    for n in prange(N):
        y[n, :K] = x[n]
        for d in range(a.size):
            above = a[d] - lowest
            y[n, K + d] = lowest + max(above, 0.0) + math.log1p(math.exp(-abs(above)))


@implements(reference.learnt_variance_backward)
def learnt_variance_backward(dout, a, dx, da, lowest):
    _copy_columns(dout, dx)
    _add_up(dout, a, da, dx.shape[1], lowest)


@parallel
def _copy_columns(dout, dx):
    N, K = dx.shape
    for n in prange(N):
        dx[n] = dout[n, :K]


@parallel
def _add_up(dout, a, da, K, lowest):
    """da_d = sigmoid(a_d - lowest) times the sum of dv_d, in float64."""
    for d in prange(a.size):
        total = 0.0
        for n in range(dout.shape[0]):
            total += dout[n, K + d]
        da[d] = total / (1 + math.exp(lowest - a[d]))
