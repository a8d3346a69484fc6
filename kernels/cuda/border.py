"""A border around images on the device, a thread for each element. See reference/border.py."""
from numba import cuda

from ..reference import border as reference
from .device import implements, launch_each
from .pooling import pixel_of


@implements(reference.pad)
def pad(x, y, border):
    (top, _), (left, _) = border
    launch_each(_pad, y.size, x, y, top, left)


@cuda.jit
def _pad(x, y, top, left):
    i = cuda.grid(1)
    if i < y.size:
        n, p, q, c = pixel_of(y, i)
        h = p - top
        w = q - left
        inside = 0 <= h < x.shape[1] and 0 <= w < x.shape[2]
        y[n, p, q, c] = x[n, h, w, c] if inside else y.dtype.type(0)


@implements(reference.crop)
def crop(x, y, border):
    (top, _), (left, _) = border
    launch_each(_crop, y.size, x, y, top, left)


@cuda.jit
def _crop(x, y, top, left):
    i = cuda.grid(1)
    if i < y.size:
        n, p, q, c = pixel_of(y, i)
        y[n, p, q, c] = x[n, p + top, q + left, c]
