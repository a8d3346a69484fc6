"""Pooling: each channel of an image is summarised, window by window, by its maximum or its mean.

A window of A x B pixels slides over the image in steps (sh, sw), as in a convolution. With x_t the
pixels that position t = 0 ... A B - 1 of the window meets at all its stops (see conv2d.py), t
counted row by row:

    maximum   y = max over t of x_t            dx_t += dout where t is the winner, else 0
    mean      y = sum over t of x_t / count    dx_t += dout / count

The winner is the first t with the maximum: the forward pass writes it for the backward pass. A
pixel that several windows see collects from each. Pixels outside the image, with padding="same",
take no part: they never win, and count is the number of pixels inside.
"""
import numpy as np

from ..operation import operation
from ..windows import Window, convolution_positions, tap
from .conv2d import pad

POOL_SIZES = ((2, 3), (2, 2), (3, 1))
WINDOWS = (Window((2, 2), "same"), Window((2, 2), "valid"), Window((1, 2), "same"),
           Window((3, 4), "same"))


def pooling_positions(sizes, pool_size, window):
    """Return the height P and width Q of the output, as for a convolution."""
    return convolution_positions(sizes | dict(zip("AB", pool_size)), window)


@operation("x=NHWC -> y=NPQC winner=NPQC:index", pooling_positions,
           pool_size=POOL_SIZES, window=WINDOWS)
def max_pooling_forward(x, y, winner, pool_size, window):
    """y = the maximum of each window, winner = its position t in the window."""
    padded, _ = pad(x, y.shape, pool_size, window.strides, value=-np.inf)
    pixels = np.stack([tap(padded, a, b, y.shape[1:3], window.strides)
                       for a, b in np.ndindex(pool_size)])
    np.max(pixels, axis=0, out=y)
    winner[...] = np.argmax(pixels, axis=0)


@operation("dout=NPQC winner=NPQC:index -> dx=NHWC", pooling_positions,
           pool_size=POOL_SIZES, window=WINDOWS)
def max_pooling_backward(dout, winner, dx, pool_size, window):
    """dx = dout at the winner of each window, added up."""
    dx[...] = 0
    dpadded, inside = pad(dx, dout.shape, pool_size, window.strides)
    for t, (a, b) in enumerate(np.ndindex(pool_size)):
        dx_t = tap(dpadded, a, b, dout.shape[1:3], window.strides)
        dx_t += np.where(winner == t, dout, 0)
    dx[...] = dpadded[inside]


@operation("x=NHWC -> y=NPQC", pooling_positions, pool_size=POOL_SIZES, window=WINDOWS)
def average_pooling_forward(x, y, pool_size, window):
    """y = the mean of each window, over the pixels inside the image."""
    y[...] = 0
    padded, _ = pad(x, y.shape, pool_size, window.strides)
    for a, b in np.ndindex(pool_size):
        y += tap(padded, a, b, y.shape[1:3], window.strides)
    y /= pixels_inside(x, y, pool_size, window)


@operation("dout=NPQC -> dx=NHWC", pooling_positions, pool_size=POOL_SIZES, window=WINDOWS)
def average_pooling_backward(dout, dx, pool_size, window):
    """Each pixel of a window collects an equal part of its dout."""
    dx[...] = 0
    share = dout / pixels_inside(dx, dout, pool_size, window)
    dpadded, inside = pad(dx, dout.shape, pool_size, window.strides)
    for a, b in np.ndindex(pool_size):
        dx_t = tap(dpadded, a, b, dout.shape[1:3], window.strides)
        dx_t += share
    dx[...] = dpadded[inside]


def pixels_inside(fine, coarse, pool_size, window):
    """Return count (1, P, Q, 1): how many pixels of each window lie inside the image."""
    ones = np.ones((1, *fine.shape[1:3], 1), fine.dtype)
    padded, _ = pad(ones, coarse.shape, pool_size, window.strides)
    return sum(tap(padded, a, b, coarse.shape[1:3], window.strides)
               for a, b in np.ndindex(pool_size))
