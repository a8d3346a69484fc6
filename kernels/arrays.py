"""Arrays of the backends that compute where Python does: NumPy's.

These functions are what layers and models do with arrays besides mathematics: make them, move them,
copy, add. Every backend has them under the same names.
"""
import numpy as np

__all__ = ["add", "add_losses", "check_device", "copy", "empty", "fill", "flatnonzero",
           "from_host", "is_array", "rows", "scale", "synchronize", "take", "to_host", "zeros"]
ALIGNMENT = 64                  # bytes: a cache line, so that a vector never straddles two


def check_device():
    """Refuse to work where this backend cannot: backends on NumPy's arrays can anywhere."""


def is_array(x):
    """Return whether x is an array that this backend computes with."""
    return type(x) is np.ndarray


def empty(shape, dtype):
    """Return an array of undefined contents that starts at a cache line."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start:start + size].view(dtype).reshape(shape)


def zeros(shape, dtype):
    """Return an array of zeros that starts at a cache line."""
    array = empty(shape, dtype)
    array[...] = 0
    return array


def from_host(array):
    """Return a NumPy array as this backend's: here the array itself."""
    return array


def to_host(array):
    """Return this backend's array as NumPy's: here the array itself, not a copy."""
    return array


def copy(source, target):
    """target = source, a NumPy array or this backend's, of the same shape."""
    target[...] = source


def fill(array, value):
    """Every element = value."""
    array[...] = value


def flatnonzero(array, value):
    """Return the positions (M,) int32, in the flat array, of all elements other than value."""
    return np.flatnonzero(array != value).astype(np.int32)


def rows(array):
    """Return an array (N, ..., K) as the rows of a matrix, a view."""
    return array if array.ndim == 2 else array.reshape(-1, array.shape[-1])


def take(x, indices, y):
    """y[i] = x[indices[i]], for examples of any shape. indices (N,)."""
    np.take(x, indices, axis=0, out=y, mode="clip")     # "raise" would copy through a buffer


def add(x, y):
    """y += x."""
    y += x


def scale(x, factor):
    """x *= factor."""
    x *= x.dtype.type(factor)


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
    reconstruction = reconstruction.sum(dtype=np.float64)
    cost_sum = cost.sum(dtype=np.float64)
    kl_sum = cost_sum if kl is cost else kl.sum(dtype=np.float64)
    penalty = kl_weight * cost_sum if kl_weight else 0.0        # not 0 * infinity
    sums += (reconstruction + penalty, reconstruction, kl_sum)


def synchronize():
    """Wait until everything is computed: here it is already."""
