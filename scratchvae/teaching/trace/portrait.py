"""What a trace keeps of an array: its statistics, and a picture of a part of it that is small enough to look at."""
import math
from dataclasses import dataclass, field

import numpy as np

MOST = 96                       # rows and columns of a picture of a matrix
WIDEST = 116                    # cells of a picture made of tiles
NEAR_ONE, NEAR_ZERO = 0.99, 0.01


@dataclass
class Portrait:
    """Statistics over all elements, and cells (rows, columns) of float32 to be drawn, NaN between tiles; caption says what they are."""
    name: str
    shape: tuple
    mean: float
    spread: float               # standard deviation
    zeros: float                # share of elements that are exactly 0
    low: float
    high: float
    norm: float                 # root of the sum of squares
    units: int                  # along the last axis
    silent: int                 # of these, how many are 0 for every example and position
    near_one: float             # share of elements beyond 0.99 in size
    near_zero: float            # share below 0.01
    cells: np.ndarray = field(repr=False)
    caption: str


def portray(name, array, image_shape=None):
    """A Portrait of the array.  image_shape: the (H, W, C) of an example, by which axes of as many elements are drawn as images."""
    cells, caption = lay_out(name, array, image_shape)
    rows = array.reshape(-1, array.shape[-1])
    size = np.abs(array)
    return Portrait(name, array.shape, float(array.mean(dtype=np.float64)), float(array.std(dtype=np.float64)), float(np.mean(array == 0)),
                    float(array.min()), float(array.max()), float(np.sqrt(np.square(array, dtype=np.float64).sum())), rows.shape[1],
                    int(np.sum(~rows.any(axis=0))), float(np.mean(size > NEAR_ONE)), float(np.mean(size < NEAR_ZERO)),
                    np.array(cells, np.float32), caption)            # a copy: layers write into the same memory again


def lay_out(name, array, image_shape):
    """(cells, caption): the array, or a part of it, in two dimensions."""
    pixels = math.prod(image_shape) if image_shape else None
    if array.ndim == 4:
        return window_tiles(array) if "kernel" in name else channel_tiles(array)
    if array.ndim == 3:
        return thinned(array[0], "first example, rows are steps", "steps", "numbers")
    if array.ndim == 2 and array.shape[1] == pixels:
        return tiles(array.reshape(-1, *image_shape[:2]), "examples" if "kernel" not in name else "rows, as images")
    if array.ndim == 2 and array.shape[0] == pixels:
        return tiles(array.T.reshape(-1, *image_shape[:2]), "columns, as images")
    if array.ndim == 2:
        return thinned(array, "", "rows" if "kernel" in name or "embeddings" in name else "examples", "columns")
    if array.size == pixels:
        return array.reshape(image_shape[:2]), "as an image"
    return thinned(array.reshape(1, -1), "", "rows", "numbers")


def thinned(matrix, caption, rows, columns):
    """A matrix, or some of its rows and columns, at even distances."""
    for axis, name in ((0, rows), (1, columns)):
        n = matrix.shape[axis]
        if n > MOST:
            matrix = np.take(matrix, np.linspace(0, n - 1, MOST).round().astype(int), axis)
            caption += f"{', ' if caption else ''}{MOST} of {n:,} {name}"
    return matrix, caption or "all of it"


def channel_tiles(images):
    """Channels of the first of images (N, H, W, C), a tile each; of images of one channel, the first examples."""
    if images.shape[3] == 1:
        return tiles(images[..., 0], "examples")
    cells, caption = tiles(np.moveaxis(images[0], 2, 0), "channels")
    return cells, f"first example, {caption}"


def window_tiles(kernel):
    """The windows of a convolution's kernel (A, B, C, M): a row of tiles for each of its third axis, a column for each of its fourth."""
    A, B, C, M = kernel.shape
    if min(C, M) == 1:
        return tiles(np.moveaxis(kernel.reshape(A, B, C * M), 2, 0), "windows")
    fit = WIDEST // (max(A, B) + 1)
    rows, columns = min(C, fit), min(M, fit)
    shown = np.moveaxis(kernel[:, :, :rows, :columns], (2, 3), (0, 1)).reshape(-1, A, B)
    return grid(shown, columns), f"{rows} x {columns} of {C:,} x {M:,} windows" if (rows, columns) != (C, M) else "all windows"


def tiles(images, name):
    """As many images (n, H, W) as fit in a square."""
    side = max(1, min(WIDEST // (max(images.shape[1:]) + 1), math.ceil(math.sqrt(len(images)))))
    shown = images[:side * side]
    return grid(shown, side), f"{len(shown)} of {len(images):,} {name}" if len(shown) < len(images) else f"all {len(images)} {name}"


def grid(images, columns):
    """Images (n, H, W) side by side, a line of NaN between them."""
    n, H, W = images.shape
    rows = -(-n // columns)
    cells = np.full((rows * (H + 1), columns * (W + 1)), np.nan, np.float32)
    for i, image in enumerate(images):
        top, left = i // columns * (H + 1), i % columns * (W + 1)
        cells[top:top + H, left:left + W] = image
    return cells[:-1, :-1]
