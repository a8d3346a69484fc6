"""Data that become a model's numbers a batch at a time.

Examples are kept as they were given: bytes, float64, in any layout, or memory-mapped from a file
that is larger than the memory. Only the batch that is computed with is converted.
"""
import math

import numpy as np

from .errors import ScratchVAEError

BATCH_SIZE = 100                # examples at a time outside training


class Drawn:
    """Images that are drawn when they are asked for: what Images needs of an array.

    A subclass has the method draw(rows), which returns the images of these rows, uint8
    (M, height, width, channels).

    Parameters
    ----------
    shape : tuple of int
        (N, height, width, channels), or what it is reshaped to.

    Attributes
    ----------
    dtype : dtype
        uint8.
    """

    dtype = np.dtype("uint8")

    def __init__(self, shape):
        self.shape = shape
        self.ndim = len(shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        """Return the images of an index or of an array of indices, uint8 (..., *shape[1:])."""
        return self.draw(np.ravel(rows)).reshape(*np.shape(rows), *self.shape[1:])

    def reshape(self, *shape):
        """Return the same images of another shape (N or -1, ...)."""
        return type(self)((len(self), *shape[1:]))


class Images:
    """Images of 8 bits, kept as bytes: 0 to 255 stand for numbers in [0, 1].

    A slice and `reshape` give Images of the same memory. np.asarray and any other index give a
    float32 array.

    Parameters
    ----------
    pixels : uint8 array (N, ...) or Drawn
        It is not copied, so it may be memory-mapped: np.load(path, mmap_mode="r").
    rows : int array (M,), optional
        Which of these images, in this order; by default all of them. A chosen part of a file stays
        on the disk, too.

    Attributes
    ----------
    pixels : uint8 array or Drawn
    rows : int array or None
    shape : tuple of int
    ndim, size : int
    dtype : dtype
        Of the numbers: float32.
    """

    dtype = np.dtype("float32")

    def __init__(self, pixels, rows=None):
        if not isinstance(pixels, Drawn):
            pixels = np.asarray(pixels)
        elif rows is None:
            rows = np.arange(len(pixels))
        if pixels.dtype != np.uint8 or pixels.ndim < 2:
            raise ScratchVAEError("Images: pixels must be a uint8 array of shape (N, ...), got "
                                  f"{pixels.dtype} dtype and shape {pixels.shape}")
        self.pixels = pixels
        self.rows = rows
        self.shape = (len(pixels if rows is None else rows), *pixels.shape[1:])
        self.ndim = pixels.ndim
        self.size = math.prod(self.shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, index):
        if isinstance(index, slice):
            if self.rows is None:
                return Images(self.pixels[index])
            return Images(self.pixels, self.rows[index])
        if self.rows is None:
            return in_unit_range(self.pixels[index])
        examples, *others = index if isinstance(index, tuple) else (index,)
        rows = self.rows[examples]
        return in_unit_range(self.pixels[rows][(*[slice(None)] * np.ndim(rows), *others)])

    def __array__(self, dtype=None, copy=None):
        pixels = self.pixels if self.rows is None else self.pixels[self.rows]
        return in_unit_range(pixels).astype(dtype or self.dtype, copy=False)

    def __repr__(self):
        return f"Images of shape {self.shape}"

    def reshape(self, *shape):
        """Return Images of another shape, as ndarray.reshape does."""
        if self.rows is None:
            return Images(self.pixels.reshape(*shape))
        count, *others = shape[0] if isinstance(shape[0], tuple) else shape
        if count not in (-1, len(self)):
            raise ScratchVAEError("Images: chosen images keep their number when they are reshaped, "
                                  f"{len(self):,}, got {count:,}")
        return Images(self.pixels.reshape(len(self.pixels), *others), self.rows)

    def min(self):
        """Return the smallest number."""
        return in_unit_range(min(part.min() for part in self._parts()))

    def max(self):
        """Return the largest number."""
        return in_unit_range(max(part.max() for part in self._parts()))

    def _parts(self):
        """Yield all bytes, part by part."""
        if self.rows is None:
            yield self.pixels
            return
        for rows in batches_of(self.rows):
            yield self.pixels[rows]

    def take(self, indices, out):
        """Write the examples of these indices into the array `out`."""
        pixels = self.pixels
        if self.rows is not None:
            indices = self.rows[indices]
        # ndarray.take is faster, but it would copy all of an array that is not contiguous.
        fast = isinstance(pixels, np.ndarray) and pixels.flags.c_contiguous
        chosen = pixels.take(indices, axis=0) if fast else pixels[indices]
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
