"""Sums and maxima over a block: always the same pairs in the same order, so the same bits in every run.

Half of the threads add what the other half has, then half of these, and so on: log2(THREADS) steps, in double precision.
"""
import math

from numba import cuda, float64

from .device import THREADS


@cuda.jit(device=True)
def block_sum(value):
    """The sum of all threads' values, which every thread gets.  Every thread of the block must call it."""
    shared = cuda.shared.array(THREADS, float64)
    thread = cuda.threadIdx.x
    shared[thread] = value
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if thread < half:
            shared[thread] += shared[thread + half]
        cuda.syncthreads()
        half //= 2
    total = shared[0]
    cuda.syncthreads()                                          # nobody begins the next sum before all have read this one
    return total


@cuda.jit(device=True)
def block_max(value):
    """The largest of all threads' values, NaN if one is; likewise."""
    shared = cuda.shared.array(THREADS, float64)
    thread = cuda.threadIdx.x
    shared[thread] = value
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if thread < half:
            other = shared[thread + half]
            if other > shared[thread] or math.isnan(other):
                shared[thread] = other
        cuda.syncthreads()
        half //= 2
    largest = shared[0]
    cuda.syncthreads()
    return largest
