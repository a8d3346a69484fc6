"""Images and labels as some files have them, and how they become a training and a test set."""
import hashlib
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from ...batches import Images
from ...errors import ScratchVAEError
from ..image_data import ImageData

TEST_PART = 6                   # one image of so many tests, if the files do not say which
HASHED = 1 << 26                # bytes at a time


@dataclass
class Part:
    """Images of one size, and their labels.

    Parameters
    ----------
    pixels : uint8 array (N, height, width, 1 or 3)
    labels : array (N,) of integers or text, or None
    """

    pixels: np.ndarray
    labels: np.ndarray | None = None


@dataclass
class Collection:
    """The content of some files.

    Parameters
    ----------
    train : Part
    test : Part, optional
        Without one, some of the images of `train` test.
    names : dict, optional
        Label -> its name.
    notes : list of str
        What was left out or converted, a line each.
    """

    train: Part
    test: Part | None = None
    names: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def as_data(self, name):
        """Return the ImageData.

        Parameters
        ----------
        name : str
            Of the folder or file, for the description.

        Returns
        -------
        ImageData
        """
        parts = [self.train] if self.test is None else [self.train, self.test]
        self.check(parts)
        digest = hashlib.sha256()
        for part in parts:
            update(digest, part.pixels)
        labels, classes = self.numbered(parts)
        rng = np.random.default_rng(0)
        orders = [rng.permutation(len(part.pixels)) for part in parts]
        rule = ""
        if self.test is None:
            parts = parts * 2
            labels = labels * 2
            tests = -(-len(orders[0]) // TEST_PART)
            orders = [orders[0][tests:], orders[0][:tests]]
            rule = ", the test images drawn with seed 0"
        x_train, x_test = (Images(part.pixels, rows) for part, rows in zip(parts, orders))
        y_train, y_test = (y if y is None else y[rows] for y, rows in zip(labels, orders))
        height, width, channels = x_train.shape[1:]
        colour = "in colour" if channels == 3 else "grey"
        description = (f"own images from {name} ({len(x_train):,} to train, {len(x_test):,} to "
                       f"test), {height} x {width}, {colour}{rule}")
        return ImageData(x_train, y_train, x_test, y_test, classes, description, False,
                         digest.hexdigest(), tuple(self.notes))

    def check(self, parts):
        """Refuse parts that are too small, or have images of different shapes."""
        if len(parts) == 1 and len(self.train.pixels) < 2:
            raise ScratchVAEError("a training and a test set need at least 2 images, "
                                  f"got {len(self.train.pixels)}")
        shapes = {part.pixels.shape[1:] for part in parts}
        if len(shapes) > 1:
            raise ScratchVAEError("training and test images must have one height, width and number "
                                  f"of channels, got {' and '.join(map(str, sorted(shapes)))}; "
                                  "--size gives them one size, --grey one channel")
        if not all(len(part.pixels) for part in parts):
            raise ScratchVAEError("the training or the test set has no images")

    def numbered(self, parts):
        """Return the labels of the parts as numbers from 0, and the names of the classes.

        Without labels these are None and (). Images in a single class have none.
        """
        given = [part.labels for part in parts]
        if any(labels is None for labels in given):
            return [None] * len(parts), ()
        values, numbers = np.unique(np.concatenate(given), return_inverse=True)
        if len(values) < 2:
            return [None] * len(parts), ()
        numbers = numbers.astype(np.uint8 if len(values) <= 256 else np.int32)
        classes = tuple(str(self.names.get(value, value)) for value in values.tolist())
        return np.split(numbers, [len(given[0])])[:len(parts)], classes


def update(digest, pixels):
    """Add the shape and the bytes of images to a checksum, a part at a time."""
    digest.update(str(pixels.shape).encode())
    step = max(1, HASHED // max(1, pixels[:1].size))
    for start in progress(range(0, len(pixels), step), "reading", "part"):
        digest.update(np.ascontiguousarray(pixels[start:start + step]))


def progress(items, description, unit):
    """Return the items, with a progress bar if they take longer than a second."""
    return tqdm(items, description, leave=False, unit=unit, delay=1, disable=None)
