"""Sums and maxima over a block: always the same pairs in the same order, so the same bits in every
run.

Half of the threads take up what the other half has, then half of these, and so on: log2(THREADS)
steps, in double precision.
"""

import math

from numba import cuda, float64

from .device import THREADS


@cuda.jit(device=True)
def _sum(one, other):
    return one + other


@cuda.jit(device=True)
def _larger(one, other):
    return other if other > one or math.isnan(other) else one  # NaN if one is


def _make_reduction(combine):
    """reduce(value): all threads' values combined, which every thread gets.

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
        cuda.syncthreads()  # nobody begins the next before all have read this one
        return result

    return reduce


block_sum = _make_reduction(_sum)
block_max = _make_reduction(_larger)
