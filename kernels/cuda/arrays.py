"""Arrays in the device's memory: made, moved, copied, added (see kernels/arrays.py)."""

import numpy as np
from numba import cuda

from .device import flat, is_array, launch, launch_each
from .reduction import block_sum


def empty(shape, dtype):
    """An array of undefined contents."""
    return cuda.device_array(shape, np.dtype(dtype))


def zeros(shape, dtype):
    """An array of zeros."""
    array = empty(shape, dtype)
    fill(array, 0)
    return array


def from_host(array):
    """A NumPy array, copied to the device."""
    return array if is_array(array) else cuda.to_device(np.ascontiguousarray(array))


def to_host(array):
    """An array of the device as NumPy's, a copy."""
    return array.copy_to_host()


def copy(source, target):
    """target = source, a NumPy array or the device's, of the same shape."""
    target.copy_to_device(source)


def fill(array, value):
    """Every element = value."""
    launch_each(_fill, array.size, flat(array), value)


def flatnonzero(array, value):
    """The places (M,) int32, in the flat array, of elements other than value.

    Their number decides a shape, and shapes are the host's to know: the array crosses to it, and
    the places come back.
    """
    return from_host(np.flatnonzero(to_host(array) != value).astype(np.int32))


def take(x, indices, y):
    """y[i] = x[indices[i]], for any shape of an example.  indices (N,)."""
    launch_each(_take, y.size, flat(x), indices, flat(y))


def add(x, y):
    """y += x."""
    launch_each(_add, y.size, flat(x), flat(y))


def add_losses(reconstruction, kl, kl_weight, sums):
    """sums += (loss, reconstruction, kl) of the N examples together, loss = reconstruction +
    kl_weight kl.  sums (3,) float64.
    """
    launch(_add_losses, 1, reconstruction, kl, kl_weight, sums)


@cuda.jit
def _fill(array, value):
    i = cuda.grid(1)
    if i < array.size:
        array[i] = value


@cuda.jit
def _take(x, indices, y):
    i = cuda.grid(1)
    if i < y.size:
        size = y.size // indices.size  # of an example
        y[i] = x[indices[i // size] * size + i % size]


@cuda.jit
def _add(x, y):
    i = cuda.grid(1)
    if i < y.size:
        y[i] += x[i]


@cuda.jit
def _add_losses(reconstruction, kl, kl_weight, sums):
    """One block: each thread takes every so many of the examples."""
    reconstruction_sum = 0.0
    kl_sum = 0.0
    for n in range(cuda.threadIdx.x, kl.size, cuda.blockDim.x):
        reconstruction_sum += reconstruction[n]
        kl_sum += kl[n]
    reconstruction_sum = block_sum(reconstruction_sum)
    kl_sum = block_sum(kl_sum)
    if cuda.threadIdx.x == 0:
        sums[0] += reconstruction_sum + kl_weight * kl_sum
        sums[1] += reconstruction_sum
        sums[2] += kl_sum
