"""Arrays of the backends that compute where Python does: NumPy's.

What layers and models do with arrays besides mathematics, under names that every backend has: make them, move them, copy, add.
"""
import numpy as np

ALIGNMENT = 64                  # bytes: a cache line, so that a vector never straddles two


def check_device():
    """Refuse to work where this backend can't: these can anywhere."""


def is_array(x):
    """Whether x is an array that this backend computes with."""
    return type(x) is np.ndarray


def empty(shape, dtype):
    """An array of undefined contents, its first element at the start of a cache line."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start:start + size].view(dtype).reshape(shape)


def zeros(shape, dtype):
    """An array of zeros, aligned likewise."""
    array = empty(shape, dtype)
    array[...] = 0
    return array


def from_host(array):
    """A NumPy array as this backend's: here itself."""
    return array


def to_host(array):
    """This backend's array as NumPy's: here itself, not a copy."""
    return array


def copy(source, target):
    """target = source, a NumPy array or this backend's, of the same shape."""
    target[...] = source


def fill(array, value):
    """Every element = value."""
    array[...] = value


def flatnonzero(array, value):
    """The places (M,) int32, in the flat array, of elements other than value.  What decides a shape is the host's to know."""
    return np.flatnonzero(array != value).astype(np.int32)


def rows(array):
    """An array (N, ..., K) as the rows of a matrix, a view."""
    return array if array.ndim == 2 else array.reshape(-1, array.shape[-1])


def take(x, indices, y):
    """y[i] = x[indices[i]], for any shape of an example.  indices (N,)."""
    np.take(x, indices, axis=0, out=y, mode="clip")             # "raise" would copy through a buffer


def add(x, y):
    """y += x."""
    y += x


def add_losses(reconstruction, kl, kl_weight, sums):
    """sums += (loss, reconstruction, kl) of the N examples together, loss = reconstruction + kl_weight kl.  sums (3,) float64."""
    reconstruction, kl = reconstruction.sum(dtype=np.float64), kl.sum(dtype=np.float64)
    sums += (reconstruction + kl_weight * kl, reconstruction, kl)


def synchronize():
    """Wait until all is computed: here it is."""
