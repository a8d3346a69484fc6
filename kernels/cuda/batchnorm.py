"""Batch normalisation on the device. See reference/batchnorm.py.

The sums over N take two steps. At most PARTS blocks each sum up a part of the rows, CHANNELS
channels side by side; then a thread for each channel adds the parts in order. The sums are in
double precision, of x minus its first row, which keeps the digits of a variance that is small
compared to the mean.
"""
import functools
import math

from numba import cuda, float64

from ..reference import batchnorm as reference
from .arrays import empty
from .device import THREADS, blocks, implements, launch, launch_each

PARTS = 64                              # at most, of the rows
CHANNELS = min(16, THREADS // 2)        # side by side in a block: neighbours in memory
LANES = THREADS // CHANNELS             # rows at a time
ENOUGH = 64                             # rows that are worth a block


def batchnorm_scratch(N, C, dtype):
    """Return the work space for C channels: two sums for each, of each part."""
    return empty((PARTS, 2, C), "float64")


def _launch_sums(summand, arrays, scratch):
    """Write the sums of all parts into the scratch, and return the number of parts."""
    N, C = arrays[0].shape
    parts = min(PARTS, blocks(N, ENOUGH))
    launch(_make_sums(summand), (blocks(C, CHANNELS), parts), arrays, scratch)
    return parts


@functools.cache
def _make_sums(summand):
    """Return a kernel that sums up both results of summand(arrays, n, c) over the rows n."""
    @cuda.jit
    def sum_part(arrays, sums):
        """sums[part, :, c] = the two sums over this part of the rows."""
        shared = cuda.shared.array((2, LANES, CHANNELS), float64)
        column = cuda.threadIdx.x % CHANNELS
        lane = cuda.threadIdx.x // CHANNELS
        c = cuda.blockIdx.x * CHANNELS + column
        part = cuda.blockIdx.y
        N, C = arrays[0].shape
        length = (N + cuda.gridDim.y - 1) // cuda.gridDim.y
        first = 0.0
        second = 0.0
        if c < C:
            for n in range(part * length + lane, min(N, (part + 1) * length), LANES):
                one, other = summand(arrays, n, c)
                first += one
                second += other
        shared[0, lane, column] = first
        shared[1, lane, column] = second
        cuda.syncthreads()
        if lane < 2 and c < C:
            total = 0.0
            for row in range(LANES):
                total += shared[lane, row, column]
            sums[part, lane, c] = total
    return sum_part


@cuda.jit(device=True)
def _total(sums, parts, which, c):
    """Return the first (which = 0) or second sum of channel c over all parts."""
    total = 0.0
    for part in range(parts):
        total += sums[part, which, c]
    return total


@implements(reference.batchnorm_forward)
def batchnorm_forward(x, gamma, beta, y, mean, variance, epsilon, scratch):
    parts = _launch_sums(_deviations, (x,), scratch)
    launch_each(_finish_moments, mean.size, scratch, parts, x, mean, variance)
    batchnorm_inference(x, gamma, beta, mean, variance, y, epsilon, scratch)


@cuda.jit(device=True)
def _deviations(arrays, n, c):
    """Return the terms of mean and variance."""
    x, = arrays
    deviation = float64(x[n, c]) - float64(x[0, c])
    return deviation, deviation * deviation


@cuda.jit
def _finish_moments(sums, parts, x, mean, variance):
    c = cuda.grid(1)
    if c < mean.size:
        N = x.shape[0]
        deviation = _total(sums, parts, 0, c) / N
        mean[c] = deviation + x[0, c]
        variance[c] = max(_total(sums, parts, 1, c) / N - deviation * deviation, 0.0)


@implements(reference.batchnorm_backward)
def batchnorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, scratch):
    _launch_gradients(dout, x, mean, variance, dgamma, dbeta, epsilon, scratch)
    launch_each(_backward, dx.size, dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon)


def _launch_gradients(dout, x, mean, variance, dgamma, dbeta, epsilon, scratch):
    """Write dgamma and dbeta."""
    parts = _launch_sums(_gradients, (dout, x, mean), scratch)
    launch_each(_finish_gradients, dgamma.size, scratch, parts, variance, dgamma, dbeta, epsilon)


@cuda.jit(device=True)
def _gradients(arrays, n, c):
    """Return the terms of dgamma, without the factor 1 / sqrt(variance + epsilon), and dbeta."""
    dout, x, mean = arrays
    return float64(dout[n, c]) * (float64(x[n, c]) - float64(mean[c])), float64(dout[n, c])


@cuda.jit
def _finish_gradients(sums, parts, variance, dgamma, dbeta, epsilon):
    c = cuda.grid(1)
    if c < dgamma.size:
        dgamma[c] = _total(sums, parts, 0, c) / math.sqrt(variance[c] + epsilon)
        dbeta[c] = _total(sums, parts, 1, c)


@cuda.jit
def _backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon):
    i = cuda.grid(1)
    if i < dx.size:
        N, C = dx.shape
        real = dx.dtype.type
        n = i // C
        c = i % C
        s = real(1) / math.sqrt(variance[c] + real(epsilon))
        moved = (dbeta[c] + (x[n, c] - mean[c]) * s * dgamma[c]) / real(N)
        dx[n, c] = gamma[c] * s * (dout[n, c] - moved)


@implements(reference.batchnorm_update)
def batchnorm_update(mean, variance, moving_mean, moving_variance, momentum):
    launch_each(_update, mean.size, mean, variance, moving_mean, moving_variance, momentum)


@cuda.jit
def _update(mean, variance, moving_mean, moving_variance, momentum):
    c = cuda.grid(1)
    if c < mean.size:
        real = mean.dtype.type
        kept = real(momentum)
        taken = real(1 - momentum)
        moving_mean[c] = kept * moving_mean[c] + taken * mean[c]
        moving_variance[c] = kept * moving_variance[c] + taken * variance[c]


@implements(reference.batchnorm_inference)
def batchnorm_inference(x, gamma, beta, mean, variance, y, epsilon, scratch):
    launch_each(_inference, y.size, x, gamma, beta, mean, variance, y, epsilon)


@cuda.jit
def _inference(x, gamma, beta, mean, variance, y, epsilon):
    i = cuda.grid(1)
    if i < y.size:
        n = i // y.shape[1]
        c = i % y.shape[1]
        scale = gamma[c] / math.sqrt(variance[c] + y.dtype.type(epsilon))
        y[n, c] = (x[n, c] - mean[c]) * scale + beta[c]


@implements(reference.batchnorm_inference_backward)
def batchnorm_inference_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon,
                                 scratch):
    _launch_gradients(dout, x, mean, variance, dgamma, dbeta, epsilon, scratch)
    launch_each(_inference_backward, dx.size, dout, gamma, variance, dx, epsilon)


@cuda.jit
def _inference_backward(dout, gamma, variance, dx, epsilon):
    i = cuda.grid(1)
    if i < dx.size:
        real = dx.dtype.type
        n = i // dx.shape[1]
        c = i % dx.shape[1]
        dx[n, c] = gamma[c] / math.sqrt(variance[c] + real(epsilon)) * dout[n, c]
