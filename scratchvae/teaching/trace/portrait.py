"""What a trace keeps of an array: its statistics and a small picture of it."""

import math
from dataclasses import dataclass, field

import numpy as np

MOST = 96  # rows and columns of a picture of a matrix
WIDEST = 116  # cells of a picture made of tiles
NEAR_ONE = 0.99
NEAR_ZERO = 0.01


@dataclass
class Portrait:
    """Statistics over all elements of an array, and a picture of it.

    The picture is the array `cells` (rows, columns) of float32, with NaN between tiles; `caption`
    says which part of the array it shows.
    """

    name: str
    shape: tuple
    mean: float
    spread: float  # standard deviation
    zeros: float  # share of elements that are exactly 0
    low: float
    high: float
    norm: float  # square root of the sum of squares
    units: int  # size of the last axis
    silent: int  # how many of the units are 0 for every example and position
    near_one: float  # share of elements above 0.99 in absolute value
    near_zero: float  # share below 0.01 in absolute value
    cells: np.ndarray = field(repr=False)
    caption: str


def portray(name, array, image_shape=None):
    """Return the Portrait of an array.

    Parameters
    ----------
    name : str
        The array's name; names with "kernel" or "embeddings" change how it is drawn.
    array : array
        The numbers, of any shape.
    image_shape : (int, int, int), optional
        Height, width and channels of an example.  An axis of that size is drawn as an image.

    Returns
    -------
    Portrait
    """
    cells, caption = lay_out(name, array, image_shape)
    rows = array.reshape(-1, array.shape[-1])
    size = np.abs(array)
    squares = np.square(array, dtype=np.float64)
    return Portrait(
        name=name,
        shape=array.shape,
        mean=float(array.mean(dtype=np.float64)),
        spread=float(array.std(dtype=np.float64)),
        zeros=float(np.mean(array == 0)),
        low=float(array.min()),
        high=float(array.max()),
        norm=float(np.sqrt(squares.sum())),
        units=rows.shape[1],
        silent=int(np.sum(~rows.any(axis=0))),
        near_one=float(np.mean(size > NEAR_ONE)),
        near_zero=float(np.mean(size < NEAR_ZERO)),
        cells=np.array(cells, np.float32),  # a copy: layers reuse the memory of the array
        caption=caption,
    )


def lay_out(name, array, image_shape):
    """Return (cells, caption): the array, or part of it, in two dimensions."""
    is_kernel = "kernel" in name
    pixels = math.prod(image_shape) if image_shape else None
    if array.ndim == 4:
        return window_tiles(array) if is_kernel else channel_tiles(array)
    if array.ndim == 3:
        return thinned(array[0], "first example, rows are steps", "steps", "numbers")
    if array.ndim == 2 and array.shape[1] == pixels:
        of = "channels of " * (image_shape[2] > 1)
        name = f"{of}rows, as images" if is_kernel else f"{of}examples"
        return tiles(by_channel(array, image_shape), name)
    if array.ndim == 2 and array.shape[0] == pixels:
        of = "channels of " * (image_shape[2] > 1)
        return tiles(by_channel(array.T, image_shape), f"{of}columns, as images")
    if array.ndim == 2:
        is_table = is_kernel or "embeddings" in name
        return thinned(array, "", "rows" if is_table else "examples", "columns")
    if array.size == pixels and image_shape[2] == 1:
        return array.reshape(image_shape[:2]), "as an image"
    if array.size == pixels:
        return tiles(by_channel(array, image_shape), "channels, as images")
    return thinned(array.reshape(1, -1), "", "rows", "numbers")


def by_channel(array, image_shape):
    """Return flat images (n, H * W * C) as images of one channel each (n * C, H, W)."""
    images = array.reshape(-1, *image_shape)
    return np.moveaxis(images, 3, 1).reshape(-1, *image_shape[:2])


def thinned(matrix, caption, rows, columns):
    """Return a matrix, or some of its rows and columns at even distances, and its caption."""
    parts = [caption] if caption else []
    for axis, name in ((0, rows), (1, columns)):
        n = matrix.shape[axis]
        if n > MOST:
            chosen = np.linspace(0, n - 1, MOST).round().astype(int)
            matrix = np.take(matrix, chosen, axis)
            parts.append(f"{MOST} of {n:,} {name}")
    return matrix, ", ".join(parts) or "all of it"


def channel_tiles(images):
    """Return the channels of the first of images (N, H, W, C) as tiles, and their caption.

    If there is only one channel, the tiles are the first examples.
    """
    if images.shape[3] == 1:
        return tiles(images[..., 0], "examples")
    cells, caption = tiles(np.moveaxis(images[0], 2, 0), "channels")
    return cells, f"first example, {caption}"


def window_tiles(kernel):
    """Return the windows of a convolution's kernel (A, B, C, M) as tiles, and their caption.

    The third axis of the kernel gives the row of a tile, and the fourth axis its column.
    """
    A, B, C, M = kernel.shape
    if min(C, M) == 1:
        return tiles(np.moveaxis(kernel.reshape(A, B, C * M), 2, 0), "windows")
    fit = WIDEST // (max(A, B) + 1)
    rows = min(C, fit)
    columns = min(M, fit)
    shown = np.moveaxis(kernel[:, :, :rows, :columns], (2, 3), (0, 1)).reshape(-1, A, B)
    all_fit = (rows, columns) == (C, M)
    caption = "all windows" if all_fit else f"{rows} x {columns} of {C:,} x {M:,} windows"
    return grid(shown, columns), caption


def tiles(images, name):
    """Return the first of images (n, H, W), those that fit in a square, and their caption."""
    most = max(1, WIDEST // (max(images.shape[1:]) + 1))
    side = min(most, math.ceil(math.sqrt(len(images))))
    shown = images[: side * side]
    all_fit = len(shown) == len(images)
    caption = f"all {len(images)} {name}" if all_fit else f"{len(shown)} of {len(images):,} {name}"
    return grid(shown, side), caption


def grid(images, columns):
    """Return images (n, H, W) side by side, with a line of NaN between them."""
    n, H, W = images.shape
    rows = -(-n // columns)
    cells = np.full((rows * (H + 1), columns * (W + 1)), np.nan, np.float32)
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        top = row * (H + 1)
        left = column * (W + 1)
        cells[top : top + H, left : left + W] = image
    return cells[:-1, :-1]
