"""Arrays in the device's memory: made, moved, copied, added. See kernels/arrays.py."""
import numpy as np
from numba import cuda

from .device import flat, is_array, launch, launch_each
from .reduction import block_sum


def empty(shape, dtype):
    """Return an array of undefined contents."""
    return cuda.device_array(shape, np.dtype(dtype))


def zeros(shape, dtype):
    """Return an array of zeros."""
    array = empty(shape, dtype)
    fill(array, 0)
    return array


def from_host(array):
    """Return a copy of a NumPy array on the device; an array of the device is returned itself."""
    return array if is_array(array) else cuda.to_device(np.ascontiguousarray(array))


def to_host(array):
    """Return a copy of a device's array as NumPy's."""
    return array.copy_to_host()


def copy(source, target):
    """target = source, a NumPy array or the device's, of the same shape."""
    target.copy_to_device(source)


def flatnonzero(array, value):
    """Return the positions (M,) int32, in the flat array, of all elements other than value.

    The host must know M, the size of the result. So the array is copied to the host, and the
    positions are copied back.
    """
    return from_host(np.flatnonzero(to_host(array) != value).astype(np.int32))


def fill(array, value):
    """Every element = value."""
    launch_each(_fill, array.size, flat(array), value)


@cuda.jit
def _fill(array, value):
    i = cuda.grid(1)
    if i < array.size:
        array[i] = value


def take(x, indices, y):
    """y[i] = x[indices[i]], for examples of any shape. indices (N,)."""
    launch_each(_take, y.size, flat(x), indices, flat(y))


@cuda.jit
def _take(x, indices, y):
    i = cuda.grid(1)
    if i < y.size:
        size = y.size // indices.size                           # of an example
        y[i] = x[indices[i // size] * size + i % size]


def add(x, y):
    """y += x."""
    launch_each(_add, y.size, flat(x), flat(y))


@cuda.jit
def _add(x, y):
    i = cuda.grid(1)
    if i < y.size:
        y[i] += x[i]


def scale(x, factor):
    """x *= factor."""
    launch_each(_scale, x.size, flat(x), x.dtype.type(factor))


@cuda.jit
def _scale(x, factor):
    i = cuda.grid(1)
    if i < x.size:
        x[i] *= factor


def add_losses(reconstruction, cost, kl, kl_weight, sums):
    """Add up the losses of a batch.

    Parameters
    ----------
    reconstruction, cost, kl : arrays (N,)
        The losses of each example: cost is what the objective has in the place of kl.
    kl_weight : float
    sums : array (3,) of float64
        The sums of reconstruction + kl_weight cost, reconstruction, and kl; they grow.
    """
    launch(_add_losses, 1, reconstruction, cost, kl, kl_weight, sums)


@cuda.jit
def _add_losses(reconstruction, cost, kl, kl_weight, sums):
    """A single block adds up all examples."""
    reconstruction_sum = 0.0
    cost_sum = 0.0
    kl_sum = 0.0
    for n in range(cuda.threadIdx.x, kl.size, cuda.blockDim.x):
        reconstruction_sum += reconstruction[n]
        cost_sum += cost[n]
        kl_sum += kl[n]
    reconstruction_sum = block_sum(reconstruction_sum)
    cost_sum = block_sum(cost_sum)
    kl_sum = block_sum(kl_sum)
    if cuda.threadIdx.x == 0:
        sums[0] += reconstruction_sum + kl_weight * cost_sum
        sums[1] += reconstruction_sum
        sums[2] += kl_sum
