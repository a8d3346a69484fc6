"""MNIST and Fashion-MNIST:

28 x 28 grey images of ten classes, 60,000 to train on and 10,000 to test.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from ..errors import ScratchVAEError
from .catalogue import CATALOGUE, FILES
from .idx import parse_idx, read_content
from .sources import locate


@dataclass
class ImageData:
    """Images, float32 (N, 28, 28, 1) in [0, 1], and labels, uint8 (N,).  Unpacks as (x_train,
    y_train), (x_test, y_test).

    description says what this is and where it came from; complete is False if it is not the whole
    published set.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple
    description: str
    complete: bool

    def __iter__(self):
        yield self.x_train, self.y_train
        yield self.x_test, self.y_test


def load_mnist(data_dir=None):
    """MNIST (LeCun & Cortes):

    handwritten digits.  scratchvae.data.sources says where it is looked for.
    """
    return load_images("mnist", data_dir)


def load_fashion_mnist(data_dir=None):
    """Fashion-MNIST (Xiao et al.

    2017): garments.  scratchvae.data.sources says where it is looked for.
    """
    return load_images("fashion-mnist", data_dir)


def load_images(name, data_dir=None):
    """A data set of the catalogue, by name."""
    found = locate(name, data_dir)
    data_set = CATALOGUE[name]
    complete = True
    arrays = []
    for file, sha256 in zip(FILES, data_set.sha256):
        path = found.files[file]
        content = read_content(path)
        array = parse_idx(content, path)
        published = hashlib.sha256(content).hexdigest() == sha256
        check_file(path, array, file, published)
        complete = complete and published
        arrays.append(
            np.divide(array[..., np.newaxis], np.float32(255)) if array.ndim == 3 else array
        )
    x_train, y_train, x_test, y_test = arrays
    for part, x, y in (("train", x_train, y_train), ("t10k", x_test, y_test)):
        if len(x) != len(y):
            raise ScratchVAEError(
                f"{found.origin}: {part} has {len(x):,} images but {len(y):,} labels; "
                "the files don't belong together"
            )
    what = (
        data_set.title
        if complete
        else f"{data_set.title}, a subset of {len(x_train) + len(x_test):,} images"
    )
    description = (
        f"{what} ({len(x_train):,} to train, {len(x_test):,} to test), from {found.origin}"
    )
    return ImageData(x_train, y_train, x_test, y_test, data_set.classes, description, complete)


def check_file(path, array, file, published):
    """Refuse a file that is not what its name says.

    Smaller sets of the right form are allowed; damaged ones are not.
    """
    images = "images" in file
    train = file.startswith("train")
    form = "(N, 28, 28) of images" if images else "(N,) of labels from 0 to 9"
    right = (
        array.shape[1:] == (28, 28)
        if images
        else array.ndim == 1 and array.size and array.max() < 10
    )
    if not right or len(array) == 0:
        raise ScratchVAEError(
            f"{path}: holds an array of shape {array.shape}; needed: {form}. Is it another file "
            "under this name?"
        )
    if len(array) == (60_000 if train else 10_000) and not published:
        raise ScratchVAEError(
            f"{path}: has the size of the published file but not its content: damaged, or of "
            "another data set"
        )
