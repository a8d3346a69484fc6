"""Sums and maxima over a block: always the same pairs in the same order, so every run has the same
bits.

Half of the threads add what the other half has, then half of these, and so on: log2(THREADS) steps,
in double precision.
"""
import math

from numba import cuda, float64

from .device import THREADS


def _make_reduction(combine):
    """Return a function: reduce(value) gives every thread the values of all threads, combined.

    Every thread of the block must call it.
    """
    @cuda.jit(device=True)
    def reduce(value):
        shared = cuda.shared.array(THREADS, float64)
        thread = cuda.threadIdx.x
        shared[thread] = value
        cuda.syncthreads()
        half = THREADS // 2
        while half > 0:
            if thread < half:
                shared[thread] = combine(shared[thread], shared[thread + half])
            cuda.syncthreads()
            half //= 2
        result = shared[0]
        cuda.syncthreads()                      # all have read it before the next reduction writes
        return result
    return reduce


@cuda.jit(device=True)
def _sum(one, other):
    return one + other


@cuda.jit(device=True)
def _larger(one, other):
    return other if other > one or math.isnan(other) else one           # NaN if one of them is NaN


block_sum = _make_reduction(_sum)
block_max = _make_reduction(_larger)
