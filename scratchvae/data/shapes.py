"""White shapes on black, drawn by the library: a data set whose truth is known.

Each combination of five factors is one image of 64 x 64 pixels, 737,280 in all. The factors, their
values and their order are those of dSprites (Matthey et al. 2017, "dSprites: disentanglement
testing sprites dataset"); the shapes are drawn anew, so their outlines differ from its own:

    shape         3   square, ellipse, heart; a class, while the others are quantities
    scale         6   0.5, 0.6, ... 1
    orientation  40   0 to 2 pi; the last is a whole turn, and draws the same as the first
    x            32   0 to 1: the centre is in column 16, 17, ... 47
    y            32   0 to 1: the centre is in row 16, 17, ... 47

A square looks the same after a quarter of a turn, an ellipse after half of one: no model can tell
these orientations apart.

All of it is computed with whole numbers, so every machine draws the same bits. Nothing is stored
but a sprite for each shape, scale and orientation; an image is a sprite at its place.
"""
import hashlib
import math
from functools import cache

import numpy as np

from .. import checks
from ..batches import Drawn, Images
from ..errors import ScratchVAEError
from .catalogue import SHAPES
from .image_data import ImageData

SIDE = 64
BOX = 33                        # pixels: the height and width of a sprite
UNIT = 32                       # coordinates are whole numbers of 1/32 pixel
TURN = 1 << 14                  # cosines and sines are whole numbers of 1/16384
FACTORS = {                     # the values of each factor, in the order of dSprites
    "shape": np.arange(3),
    "scale": np.linspace(0.5, 1, 6),
    "orientation": np.linspace(0, 2 * np.pi, 40),
    "x": np.linspace(0, 1, 32),
    "y": np.linspace(0, 1, 32),
}
SIZES = tuple(len(values) for values in FACTORS.values())
CATEGORICAL = ("shape",)        # the factors whose values have no order
COUNT = math.prod(SIZES)
TRAIN = 60_000                  # images, by default
TEST = 10_000
SHA256 = "425e5d7d7b2029c13d98deeb93faa2e85690822e9953398335e61d2a4f22eba5"      # of all sprites


class Shapes(Drawn):
    """All images of the data set, drawn when they are asked for.

    shapes[rows] returns the images of a row or of an array of rows, uint8 (..., 64, 64, 1), 0 or
    255. The last factor changes fastest with the row: see `factors` and `rows_of`.
    """

    def __init__(self, shape=(COUNT, SIDE, SIDE, 1)):
        super().__init__(shape)

    def draw(self, rows):
        """Return the images of rows (M,), uint8 (M, 64, 64)."""
        sprite, x, y = np.unravel_index(rows, (len(sprites()), *SIZES[3:]))
        images = np.zeros((len(rows), SIDE, SIDE), np.uint8)
        places = np.lib.stride_tricks.sliding_window_view(images, (BOX, BOX), (1, 2),
                                                          writeable=True)
        places[np.arange(len(rows)), y, x] = sprites()[sprite]
        return images


def factors(rows):
    """Return the values of the factors, counted from 0, of images.

    Parameters
    ----------
    rows : int array (N,)
        As in Images.rows, or as Shapes is indexed.

    Returns
    -------
    int array (N, 5)
        Columns as in FACTORS, which has the values themselves: FACTORS["scale"][f[:, 1]].
    """
    return np.stack(np.unravel_index(rows, SIZES), axis=-1)


def known_factors(x):
    """Return the factors (N, 5) of Images of shapes; raise an error if x are other images."""
    if not (isinstance(x, Images) and isinstance(x.pixels, Shapes)):
        raise ScratchVAEError("the factors are known of Images of load_shapes alone, "
                              f"got {checks.shown(x)}")
    return factors(x.rows)


def rows_of(values):
    """Return the rows (N,) of the images that have these factors (N, 5), counted from 0."""
    return np.ravel_multi_index(tuple(np.asarray(values).T), SIZES)


def load_shapes(data_dir=None, count=TRAIN, seed=0):
    """Return shapes to train and to test, drawn when they are asked for.

    Parameters
    ----------
    data_dir : path, optional
        Has no effect: there is nothing to read.
    count : int or None, default 60,000
        How many images train, chosen at random; None: all that do not test.
    seed : int, default 0
        Chooses them, and 10,000 others that test.

    Returns
    -------
    ImageData
        Of Images whose `rows` say which ones they are; the labels are the shapes.
    """
    most = COUNT - TEST
    count = most if count is None else checks.integer("load_shapes", "count", count)
    if count > most:
        raise ScratchVAEError(f"load_shapes: count must be at most {most:,}, as {TEST:,} of "
                              f"{COUNT:,} images test, got {count:,}")
    order = np.random.default_rng(checks.seed("load_shapes", seed)).permutation(COUNT)
    x_test, x_train = (Images(Shapes(), rows) for rows in (order[:TEST],
                                                           order[TEST:TEST + count]))
    y_train, y_test = (factors(x.rows)[:, 0].astype(np.uint8) for x in (x_train, x_test))
    drawn = hashlib.sha256(sprites()).hexdigest()
    description = (f"Shapes ({count:,} to train, {TEST:,} to test, of {COUNT:,}; seed {seed}), "
                   "drawn by the library")
    digest = hashlib.sha256(f"{drawn} {count} {seed}".encode()).hexdigest()
    return ImageData(x_train, y_train, x_test, y_test, SHAPES, description, drawn == SHA256, digest)


@cache
def sprites():
    """Return a sprite for each shape, scale and orientation, uint8 (720, 33, 33), 0 or 255."""
    line = UNIT * (np.arange(BOX, dtype=np.int64) - BOX // 2)
    x, y = np.meshgrid(line, -line)     # y grows upwards, rows downwards
    drawn = np.zeros((*SIZES[:3], BOX, BOX), np.uint8)
    for i, angle in enumerate(FACTORS["orientation"]):
        turned = rotated(x, y, float(angle))
        for j in range(SIZES[1]):
            for k, inside in enumerate((in_square, in_ellipse, in_heart)):
                drawn[k, j, i] = 255 * inside(*turned, 5 + j)
    drawn.flags.writeable = False
    return drawn.reshape(-1, BOX, BOX)


def rotated(x, y, angle):
    """Return coordinates in the frame of a shape that is turned anticlockwise by an angle.

    Parameters
    ----------
    x, y : int64 arrays
    angle : float
        In radians. Its cosine and sine are rounded so coarsely that it does not matter how a
        machine rounds the last bits of a float.

    Returns
    -------
    (int64 array, int64 array)
    """
    cos, sin = (round(TURN * function(angle)) for function in (math.cos, math.sin))
    return ((cos * x + sin * y + TURN // 2) // TURN, (cos * y - sin * x + TURN // 2) // TURN)


# The shapes at scale `tenths` / 10, in units: points (x, y) with ... are inside.


def in_square(x, y, tenths):
    """|x| <= r and |y| <= r, r = 10 pixels."""
    r = UNIT * tenths
    return (abs(x) <= r) & (abs(y) <= r)


def in_ellipse(x, y, tenths):
    """(x / a)^2 + (y / b)^2 <= 1, a = 14 pixels and b = 7, to the next unit."""
    a = 45 * tenths
    b = 22 * tenths
    return (b * x) ** 2 + (a * y) ** 2 <= (a * b) ** 2


def in_heart(x, y, tenths):
    """(u^2 + v^2 - 1)^3 <= u^2 v^3, u = x / r, v = y / r, r = 11 pixels; here times r^6."""
    r = 35 * tenths
    return (x ** 2 + y ** 2 - r ** 2) ** 3 <= r * x ** 2 * y ** 3
