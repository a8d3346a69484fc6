"""Vector quantisation on the device. See reference/quantize.py for the mathematics."""
import math

from numba import cuda

from ..reference import quantize as reference
from .device import implements, launch_each


@implements(reference.quantize_forward)
def quantize_forward(x, table, indices, y):
    launch_each(_forward, len(indices), x, table, indices, y)


@cuda.jit
def _forward(x, table, indices, y):
    """A thread for each vector."""
    n = cuda.grid(1)
    if n < x.shape[0]:
        smallest = x.dtype.type(math.inf)
        nearest = 0
        for v in range(table.shape[0]):
            distance = x.dtype.type(0)
            for e in range(x.shape[1]):
                difference = x[n, e] - table[v, e]
                distance += difference * difference
            if distance < smallest:
                smallest = distance
                nearest = v
        indices[n] = nearest
        for e in range(x.shape[1]):
            y[n, e] = table[nearest, e]


@implements(reference.quantize_update)
def quantize_update(x, indices, counts, sums, table, momentum):
    launch_each(_update, len(counts), x, indices, counts, sums, table, momentum)


@cuda.jit
def _update(x, indices, counts, sums, table, momentum):
    """A thread for each vector of the codebook: sums run in the order of the batch."""
    v = cuda.grid(1)
    if v < table.shape[0]:
        kept = x.dtype.type(momentum)
        new = x.dtype.type(1 - momentum)
        counts[v] *= kept
        for e in range(table.shape[1]):
            sums[v, e] *= kept
        for n in range(indices.size):
            if indices[n] == v:
                counts[v] += new
                for e in range(table.shape[1]):
                    sums[v, e] += new * x[n, e]
        for e in range(table.shape[1]):
            table[v, e] = sums[v, e] / counts[v]
