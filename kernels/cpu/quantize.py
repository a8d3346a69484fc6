"""Vector quantisation in Numba. See reference/quantize.py for the mathematics."""
import numpy as np
from numba import prange

from ..operation import implements
from ..reference import quantize as reference
from .jit import jit, parallel


@implements(reference.quantize_forward)
def quantize_forward(x, table, indices, y):
    _forward(x, table, indices, y)


@parallel
def _forward(x, table, indices, y):
    N, E = x.shape
    for n in prange(N):
        smallest = x.dtype.type(np.inf)
        nearest = 0
        for v in range(len(table)):
            distance = x.dtype.type(0)
            for e in range(E):
                difference = x[n, e] - table[v, e]
                distance += difference * difference
            if distance < smallest:
                smallest = distance
                nearest = v
        indices[n] = nearest
        for e in range(E):
            y[n, e] = table[nearest, e]


@implements(reference.quantize_update)
def quantize_update(x, indices, counts, sums, table, momentum):
    _update(x, indices, counts, sums, table, momentum)


@jit
def _update(x, indices, counts, sums, table, momentum):
    V, E = table.shape
    real = x.dtype.type
    kept = real(momentum)
    new = real(1 - momentum)
    for v in range(V):
        counts[v] *= kept
        for e in range(E):
            sums[v, e] *= kept
    for n in range(len(indices)):
        counts[indices[n]] += new
        for e in range(E):
            sums[indices[n], e] += new * x[n, e]
    for v in range(V):
        for e in range(E):
            table[v, e] = sums[v, e] / counts[v]
