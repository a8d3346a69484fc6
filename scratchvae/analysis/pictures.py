"""Examples as images: grey or in colour, of any height and width."""
import math

import numpy as np

from ..errors import ScratchVAEError


def as_images(x):
    """Return examples as images.

    Parameters
    ----------
    x : array
        (N, height, width), with or without a last axis of 1 or 3 channels; or flat, (N, D), if D
        is a square number: then the images are square. One flat image, (D,), will do, too.

    Returns
    -------
    array (N, height, width) of grey images, or (N, height, width, 3) of coloured ones

    Raises
    ------
    ScratchVAEError
        If x has another shape.
    """
    x = np.asarray(x)
    if x.ndim == 1:
        x = x[np.newaxis]
    if x.ndim == 2 and len(x):
        side = math.isqrt(x.shape[1])
        if side ** 2 == x.shape[1]:
            return x.reshape(len(x), side, side)
    elif x.ndim == 3 and x.size:
        return x
    elif x.ndim == 4 and x.size and x.shape[3] in (1, 3):
        return x[..., 0] if x.shape[3] == 1 else x
    raise ScratchVAEError("images must have shape (N, height, width), (N, height, width, 1 or 3), "
                          f"or (N, side * side), N at least one, got {x.shape}")


def pad(images, down=(0, 0), right=(0, 0), before=0, after=0):
    """Return images with more pixels, in the colour of the paper.

    Parameters
    ----------
    images : array (N, height, width) or (N, height, width, 3)
    down, right : (int, int)
        Pixels above and below, left and right.
    before, after : int
        Images before and after the others.
    """
    widths = ((before, after), down, right, (0, 0))[:images.ndim]
    return np.pad(images, widths, constant_values=paper(images))


def paper(images):
    """Return the number that is drawn white: grey images are drawn black on white."""
    return 0 if images.ndim == 3 else 1


def tile(images, columns):
    """Return images as one image, row by row without gaps.

    Parameters
    ----------
    images : array of N images, as as_images returns them
    columns : int
        Images in a row; N must be a multiple of it.

    Returns
    -------
    array (N / columns * height, columns * width), with a last axis of 3 for images in colour
    """
    count, height, width, *channels = images.shape
    rows = images.reshape(count // columns, columns, height, width, *channels).swapaxes(1, 2)
    return rows.reshape(-1, columns * width, *channels)


def as_bytes(image):
    """Return an image as PIL takes it: uint8, grey images black on white."""
    numbers = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    return 255 - numbers if image.ndim == 2 else numbers
