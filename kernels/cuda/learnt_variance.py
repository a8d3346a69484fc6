"""A learnt variance on the device. See reference/learnt_variance.py for the mathematics."""
import math

from numba import cuda

from ..reference import learnt_variance as reference
from .device import implements, launch, launch_each
from .reduction import block_sum


@implements(reference.learnt_variance_forward)
def learnt_variance_forward(x, a, y, lowest):
    launch_each(_append, y.size, x, a, y, lowest)


@cuda.jit
def _append(x, a, y, lowest):
    i = cuda.grid(1)
    if i < y.size:
        n = i // y.shape[1]
        k = i % y.shape[1]
        if k < x.shape[1]:
            y[n, k] = x[n, k]
        else:
            above = a[k - x.shape[1]] - lowest
            y[n, k] = lowest + max(above, 0.0) + math.log1p(math.exp(-abs(above)))


@implements(reference.learnt_variance_backward)
def learnt_variance_backward(dout, a, dx, da, lowest):
    launch_each(_copy_columns, dx.size, dout, dx)
    launch(_add_up, a.size, dout, a, da, dx.shape[1], lowest)


@cuda.jit
def _copy_columns(dout, dx):
    i = cuda.grid(1)
    if i < dx.size:
        n = i // dx.shape[1]
        k = i % dx.shape[1]
        dx[n, k] = dout[n, k]


@cuda.jit
def _add_up(dout, a, da, K, lowest):
    """A block for each column: da_d = sigmoid(a_d - lowest) times the sum of dv_d."""
    d = cuda.blockIdx.x
    total = 0.0
    for n in range(cuda.threadIdx.x, dout.shape[0], cuda.blockDim.x):
        total += dout[n, K + d]
    total = block_sum(total)
    if cuda.threadIdx.x == 0:
        da[d] = total / (1 + math.exp(lowest - a[d]))
