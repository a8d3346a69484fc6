"""MNIST and Fashion-MNIST: 28 x 28 grey images of ten classes, 60,000 to train, 10,000 to test.
And images of one's own.
"""
import hashlib
from dataclasses import replace

import numpy as np

from ..batches import Images
from ..errors import ScratchVAEError
from .catalogue import CATALOGUE, DIGITS, FILES
from .idx import parse_idx, read_content
from .image_data import ImageData
from .own import load_own
from .shapes import load_shapes
from .sources import locate

PUBLISHED_SIZE = {"train": 60_000, "t10k": 10_000}


def load_mnist(data_dir=None):
    """Return the handwritten digits of MNIST (LeCun & Cortes) as ImageData of float32 arrays.

    Without a directory it looks in the places that scratchvae.data.sources lists. load_images
    returns the same in a quarter of the memory.
    """
    return as_arrays(load_published("mnist", data_dir))


def load_fashion_mnist(data_dir=None):
    """Return the garments of Fashion-MNIST (Xiao et al. 2017) as ImageData of float32 arrays.

    Without a directory it looks in the places that scratchvae.data.sources lists. load_images
    returns the same in a quarter of the memory.
    """
    return as_arrays(load_published("fashion-mnist", data_dir))


def as_arrays(data):
    """Return ImageData with float32 arrays in place of Images."""
    return replace(data, x_train=np.asarray(data.x_train), x_test=np.asarray(data.x_test))


def load_images(source, data_dir=None, size=None, grey=False):
    """Return a data set of images, or images of one's own, kept as bytes.

    Parameters
    ----------
    source : str or path
        "mnist", "fashion-mnist" or "shapes"; or the path of a folder of pictures, or of a file
        with images: see scratchvae.data.own.
    data_dir : path, optional
        The only directory in which to look for a data set.
    size : int or (int, int), optional
        Of one's own images: the height and width to which they are cut and resized.
    grey : bool, default False
        Whether to convert one's own images to grey.

    Returns
    -------
    ImageData
        Of Images, which models take as they take arrays.

    Raises
    ------
    ScratchVAEError
        If nothing is found, or if a file is damaged or belongs to another set.
    """
    if source in ("mnist", "fashion-mnist"):
        return load_published(source, data_dir)
    if source == "shapes":
        return load_shapes()
    return load_own(source, size, grey)


def load_published(name, data_dir):
    """Return the data set of a name in the catalogue as ImageData; see load_images."""
    found = locate(name, data_dir)
    data_set = CATALOGUE[name]
    checksums = []
    arrays = []
    for file, sha256 in zip(FILES, data_set.sha256):
        path = found.files[file]
        content = read_content(path)
        checksums.append(hashlib.sha256(content).hexdigest())
        check_is_not_another(path, file, name, checksums[-1])
        array = parse_idx(content, path)
        check_file(path, array, file, checksums[-1] == sha256)
        if array.ndim == 3:
            array = Images(array[..., np.newaxis])
        arrays.append(array)
    x_train, y_train, x_test, y_test = arrays
    for part, x, y in (("train", x_train, y_train), ("t10k", x_test, y_test)):
        if len(x) != len(y):
            raise ScratchVAEError(f"{found.origin}: {part} has {len(x):,} images but {len(y):,} "
                                  "labels; the files do not belong together")
    checksums = tuple(checksums)
    complete = checksums == data_set.sha256
    classes = data_set.classes
    what = data_set.title
    if checksums == data_set.subset_sha256:
        what += f", a subset of {len(x_train) + len(x_test):,} images"
    elif not complete:                  # what they show is unknown
        what = f"other images than the published {data_set.title}"
        classes = DIGITS
    description = (f"{what} ({len(x_train):,} to train, {len(x_test):,} to test), "
                   f"from {found.origin}")
    whole = hashlib.sha256("".join(checksums).encode()).hexdigest()
    return ImageData(x_train, y_train, x_test, y_test, classes, description, complete, whole)


def check_is_not_another(path, file, name, sha256):
    """Raise an error if a file is a known one under the name of another.

    Parameters
    ----------
    path : path
    file, name : str
        What it should be: the file, and the data set in the catalogue.
    sha256 : str
        Its checksum.
    """
    for other, data_set in CATALOGUE.items():
        for checksums in (data_set.sha256, data_set.subset_sha256):
            for known, checksum in zip(data_set.files, checksums):
                if checksum == sha256 and (other, known) != (name, file):
                    raise ScratchVAEError(f"{path}: holds {known} of {data_set.title}, "
                                          f"not {file} of {CATALOGUE[name].title}")


def check_file(path, array, file, published):
    """Raise an error if a file does not hold what its name says.

    Smaller sets of the right form are allowed, damaged ones are not.

    Parameters
    ----------
    path : path
        The file, for error messages.
    array : uint8 array
        Its content.
    file : str
        Its name in the catalogue.
    published : bool
        Whether it has the published checksum.
    """
    part = file.partition("-")[0]
    if "images" in file:
        form = "images (N, 28, 28)"
        right = array.shape[1:] == (28, 28) and len(array)
    else:
        form = "labels from 0 to 9 (N,)"
        right = array.ndim == 1 and len(array) and array.max() < 10
    if not right:
        values = f" with values up to {array.max()}" if array.size else ""
        raise ScratchVAEError(f"{path}: must hold {form}, got an array of shape {array.shape}"
                              f"{values}. Is it another file under this name?")
    if len(array) == PUBLISHED_SIZE[part] and not published:
        raise ScratchVAEError(f"{path}: has the size of the published file but not its content: "
                              "it is damaged, or of another data set")
