"""Importance weights on the device. See reference/importance.py for the mathematics."""
import math

from numba import cuda

from ..reference import importance as reference
from .device import implements, launch_each

NO_SHARE = reference.NO_SHARE


@implements(reference.importance_weights)
def importance_weights(log_w, share, bound):
    launch_each(_weights, len(bound), log_w, share, bound)


@cuda.jit
def _weights(log_w, share, bound):
    """A thread for each example."""
    n = cuda.grid(1)
    if n < log_w.shape[0]:
        T = log_w.shape[1]
        highest = log_w[n, 0]
        for t in range(1, T):
            highest = max(highest, log_w[n, t])
        total = log_w.dtype.type(0)
        for t in range(T):
            share[n, t] = math.exp(log_w[n, t] - highest)
            total += share[n, t]
        for t in range(T):
            share[n, t] /= total
            if share[n, t] < NO_SHARE:
                share[n, t] = 0
        bound[n] = highest + math.log(total / T)


@implements(reference.scale_rows)
def scale_rows(x, s, y):
    launch_each(_scale_rows, y.size, x, s, y)


@cuda.jit
def _scale_rows(x, s, y):
    i = cuda.grid(1)
    if i < y.size:
        n = i // y.shape[1]
        k = i % y.shape[1]
        y[n, k] = s[n] * x[n, k]
