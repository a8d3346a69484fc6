"""Data that become a model's numbers a batch at a time.

Examples are kept as they were given: bytes, float64, in any layout, or memory-mapped from a file
that is larger than the memory. Only the batch that is computed with is converted.
"""
import numpy as np

from .errors import ScratchVAEError

BATCH_SIZE = 100                # examples at a time outside training


class Images:
    """Images of 8 bits, kept as bytes: 0 to 255 stand for numbers in [0, 1].

    A slice and `reshape` give Images of the same memory. np.asarray and any other index give a
    float32 array.

    Parameters
    ----------
    pixels : uint8 array (N, ...)
        It is not copied, so it may be memory-mapped: np.load(path, mmap_mode="r").

    Attributes
    ----------
    pixels : uint8 array
    shape : tuple of int
    ndim, size : int
    dtype : dtype
        Of the numbers: float32.
    """

    dtype = np.dtype("float32")

    def __init__(self, pixels):
        pixels = np.asarray(pixels)
        if pixels.dtype != np.uint8 or pixels.ndim < 2:
            raise ScratchVAEError("Images: pixels must be a uint8 array of shape (N, ...), got "
                                  f"{pixels.dtype} dtype and shape {pixels.shape}")
        self.pixels = pixels
        self.shape = pixels.shape
        self.ndim = pixels.ndim
        self.size = pixels.size

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        part = self.pixels[index]
        return Images(part) if isinstance(index, slice) else in_unit_range(part)

    def __array__(self, dtype=None, copy=None):
        return in_unit_range(self.pixels).astype(dtype or self.dtype, copy=False)

    def __repr__(self):
        return f"Images of shape {self.shape}"

    def reshape(self, *shape):
        """Return Images of another shape, as ndarray.reshape does."""
        return Images(self.pixels.reshape(*shape))

    def min(self):
        """Return the smallest number."""
        return in_unit_range(self.pixels.min())

    def max(self):
        """Return the largest number."""
        return in_unit_range(self.pixels.max())

    def take(self, indices, out):
        """Write the examples of these indices into the array `out`."""
        pixels = self.pixels
        # ndarray.take is faster, but it would copy all of an array that is not contiguous.
        chosen = pixels.take(indices, axis=0) if pixels.flags.c_contiguous else pixels[indices]
        in_unit_range(chosen, out)


def in_unit_range(pixels, out=None):
    """Return pixels / 255, computed in float32; written into an array, if one is given."""
    return np.divide(pixels, np.float32(255), out=out, dtype=np.float32)


class Batches:
    """Examples that are converted a batch at a time.

    A slice gives its examples as a C-contiguous array, np.asarray all examples.

    Parameters
    ----------
    given : array of real numbers or Images, of shape (N, ...)
    dtype : str
        Of the batches.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
    """

    def __init__(self, given, dtype):
        self.given = given
        self.dtype = dtype
        self.shape = given.shape

    def __len__(self):
        return len(self.given)

    def __getitem__(self, here):
        return np.ascontiguousarray(self.given[here], self.dtype)

    def __array__(self, dtype=None, copy=None):
        return self[:].astype(dtype or self.dtype, copy=False)

    def min(self):
        """Return the smallest number."""
        return self.given.min().astype(self.dtype)

    def max(self):
        """Return the largest number."""
        return self.given.max().astype(self.dtype)

    def take(self, indices, out):
        """Write the examples of these indices into the array `out`."""
        if isinstance(self.given, Images):
            self.given.take(indices, out)
        else:
            out[...] = self.given[indices]


def batches_of(x):
    """Yield the examples x, BATCH_SIZE at a time."""
    for start in range(0, len(x), BATCH_SIZE):
        yield x[start:start + BATCH_SIZE]
