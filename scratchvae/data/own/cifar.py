"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): the archives or their folders, for Python or binary.

An image is 3072 bytes: all of red, all of green, all of blue, each row by row.
"""
import io
import pickle
import re
import tarfile
from operator import itemgetter
from pathlib import Path

import numpy as np

from ...errors import ScratchVAEError
from .arrays import collected

IMAGE = 3 * 32 * 32             # bytes
PYTHON = re.compile(r"data_batch_\d|test_batch|batches\.meta|train|test|meta")
BINARY = re.compile(r"(data_batch_\d|test_batch|train|test)\.bin|batches\.meta\.txt|"
                    r"fine_label_names\.txt")
TEST = ("test_batch", "test", "test_batch.bin", "test.bin")
NAMES = (b"label_names", b"fine_label_names")
LABELS = (b"labels", b"fine_labels")
ARRAYS = {                      # what a pickled array is made of, by module and name
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): lambda text, encoding: text.encode("latin1"),
}


class ArrayUnpickler(pickle.Unpickler):
    """Reads lists, dicts and arrays of numbers. A pickle could run any program: others refuse."""

    def find_class(self, module, name):
        """Return what a pickled array is made of."""
        if (module, name) not in ARRAYS:
            raise pickle.UnpicklingError(f"asks for {module}.{name}; only arrays are allowed")
        return ARRAYS[module, name]


def is_cifar(path):
    """Return whether a path is CIFAR: a folder or a .tar archive that holds its batches."""
    if path.is_dir():
        names = {file.name for file in path.iterdir() if file.is_file()}
        return bool(names & {"data_batch_1", "data_batch_1.bin", "train.bin"}
                    or {"train", "test", "meta"} <= names)
    return path.is_file() and "cifar" in path.name.lower() and tarfile.is_tarfile(path)


def read_cifar(path, size, grey):
    """Return the images and labels of CIFAR as a Collection.

    Parameters
    ----------
    path : Path
        The archive, for Python or binary, or the folder that was unpacked from it.
    size : (int, int) or None
        Height and width; None keeps 32 x 32.
    grey : bool

    Returns
    -------
    Collection
    """
    batches = {"train": [], "test": []}
    names = {}
    for name, content in contents(path):
        try:
            if name.endswith(".txt"):
                names = dict(enumerate(content.decode().split()))
            else:
                batch, names = read_batch(name, content, names)
                if batch:
                    batches["test" if name in TEST else "train"].append((name, *batch))
        except Exception as error:          # a damaged pickle raises errors of many kinds
            raise ScratchVAEError(f"{path}: {name} is damaged, or not of CIFAR ({error})") from None
    if not batches["train"]:
        raise ScratchVAEError(f"{path}: no batches of CIFAR there (data_batch_1, train, "
                              "data_batch_1.bin or train.bin)")
    parts = {part: joined(found) for part, found in batches.items() if found}
    return collected(path, parts, size, grey, names)


def contents(path):
    """Yield (name, bytes) of each file of CIFAR in a folder or an archive."""
    if path.is_dir():
        for file in path.iterdir():
            if is_wanted(file.name) and file.is_file():
                yield file.name, file.read_bytes()
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = Path(member.name).name
                if member.isfile() and is_wanted(name):
                    yield name, archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ScratchVAEError(f"{path}: damaged archive ({error})") from None


def is_wanted(name):
    """Return whether a file of this name belongs to CIFAR."""
    return bool(PYTHON.fullmatch(name) or BINARY.fullmatch(name))


def read_batch(name, content, names):
    """Return the batch that a file holds, or None, and the names of the classes.

    Parameters
    ----------
    name : str
        Of the file.
    content : bytes
    names : dict
        Label -> name, as far as they are known.

    Returns
    -------
    ((data, labels) or None, dict)
    """
    if name.endswith(".bin"):
        return binary_batch(name, content), names
    made = unpickled(content)
    if b"data" in made:
        labels = next(made[key] for key in LABELS if key in made)
        return checked(made[b"data"], labels), names
    found = next(made[key] for key in NAMES if key in made)
    return None, {i: text.decode() if isinstance(text, bytes) else text
                  for i, text in enumerate(found)}


def unpickled(content):
    """Return the dict of a pickled batch; its keys are bytes."""
    made = ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    if not isinstance(made, dict):
        raise TypeError("it holds no dict")
    return {key.encode() if isinstance(key, str) else key: value for key, value in made.items()}


def checked(data, labels):
    """Return the images and labels of a batch; refuse others."""
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8:
        raise TypeError("its data are no array of bytes")
    if data.shape != (len(labels), IMAGE):
        raise TypeError(f"{len(labels):,} labels, but data of shape {data.shape}")
    return data, labels


def binary_batch(name, content):
    """Return (data (N, 3072), labels) of a binary batch; CIFAR-100 has coarse labels, too."""
    labels = 2 if name in ("train.bin", "test.bin") else 1
    rows = np.frombuffer(content, np.uint8).reshape(-1, labels + IMAGE)
    return rows[:, labels:], rows[:, labels - 1]


def joined(batches):
    """Return the images (N, 32, 32, 3) and labels of batches, in the order of their names.

    The list is emptied meanwhile, so that memory is freed as it is no longer needed.
    """
    batches.sort(key=itemgetter(0))
    labels = np.concatenate([np.asarray(labels) for _, _, labels in batches])
    images = np.empty((len(labels), 32, 32, 3), np.uint8)
    done = 0
    while batches:
        _, data, _ = batches.pop(0)
        planes = data.reshape(-1, 3, 32, 32)
        images[done:done + len(planes)] = np.moveaxis(planes, 1, 3)
        done += len(planes)
    return images, labels
