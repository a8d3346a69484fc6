"""Layer normalisation on the device. See reference/layernorm.py for the mathematics.

A block takes a row. dgamma and dbeta are sums over rows, a thread for each column: PARTS blocks
take a part of the rows each, and their sums are added in order.
"""
import math

from numba import cuda

from ..reference import layernorm as reference
from .arrays import empty
from .device import THREADS, blocks, implements, launch, launch_each
from .reduction import block_sum

PARTS = 64


def layernorm_scratch(N, C, dtype):
    """Return the work space for rows of C numbers: each part's sums for dgamma and dbeta."""
    return empty((PARTS, 2, C), "float64")


@implements(reference.layernorm_forward)
def layernorm_forward(x, gamma, beta, y, mean, variance, epsilon, scratch):
    launch(_forward, len(x), x, gamma, beta, y, mean, variance, epsilon)


@cuda.jit
def _forward(x, gamma, beta, y, mean, variance, epsilon):
    n = cuda.blockIdx.x
    thread = cuda.threadIdx.x
    width = cuda.blockDim.x
    C = x.shape[1]
    total = 0.0
    for c in range(thread, C, width):
        total += x[n, c]
    centre = block_sum(total) / C
    squares = 0.0
    for c in range(thread, C, width):
        squares += (x[n, c] - centre) ** 2
    v = block_sum(squares) / C
    s = 1 / math.sqrt(v + epsilon)
    for c in range(thread, C, width):
        y[n, c] = gamma[c] * ((x[n, c] - centre) * s) + beta[c]
    if thread == 0:
        mean[n] = centre
        variance[n] = v


@implements(reference.layernorm_backward)
def layernorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, scratch):
    launch(_backward, len(x), dout, x, gamma, mean, variance, dx, epsilon)
    grid = blocks(gamma.size, THREADS), len(scratch)
    launch(_sum_parts, grid, dout, x, mean, variance, epsilon, scratch)
    launch_each(_add_parts, gamma.size, scratch, dgamma, dbeta)


@cuda.jit
def _backward(dout, x, gamma, mean, variance, dx, epsilon):
    n = cuda.blockIdx.x
    thread = cuda.threadIdx.x
    width = cuda.blockDim.x
    C = x.shape[1]
    s = 1 / math.sqrt(variance[n] + epsilon)
    total = 0.0
    products = 0.0
    for c in range(thread, C, width):
        dx_hat = gamma[c] * dout[n, c]
        total += dx_hat
        products += dx_hat * ((x[n, c] - mean[n]) * s)
    through_mean = block_sum(total) / C
    through_variance = block_sum(products) / C
    for c in range(thread, C, width):
        x_hat = (x[n, c] - mean[n]) * s
        dx[n, c] = s * (gamma[c] * dout[n, c] - x_hat * through_variance - through_mean)


@cuda.jit
def _sum_parts(dout, x, mean, variance, epsilon, parts):
    c = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    part = cuda.blockIdx.y
    count = parts.shape[0]
    N, C = x.shape
    if c < C:
        part_rows = (N + count - 1) // count
        gamma_total = 0.0
        beta_total = 0.0
        for n in range(part * part_rows, min(N, (part + 1) * part_rows)):
            s = 1 / math.sqrt(variance[n] + epsilon)
            gamma_total += dout[n, c] * ((x[n, c] - mean[n]) * s)
            beta_total += dout[n, c]
        parts[part, 0, c] = gamma_total
        parts[part, 1, c] = beta_total


@cuda.jit
def _add_parts(parts, dgamma, dbeta):
    c = cuda.grid(1)
    if c < dgamma.size:
        gamma_total = 0.0
        beta_total = 0.0
        for part in range(parts.shape[0]):
            gamma_total += parts[part, 0, c]
            beta_total += parts[part, 1, c]
        dgamma[c] = gamma_total
        dbeta[c] = beta_total
