"""NumPy's files: .npy, which stays on the disk if it holds bytes, and .npz."""
import zipfile

import numpy as np
from PIL import Image

from ...errors import ScratchVAEError
from .collection import Collection, Part, progress
from .picture import Converter

SHAPES = ("(N, height, width), (N, height, width, 1 to 4), (N, 1 or 3, height, width), "
          "(N, side * side) or (N, side * side * 3)")
CHANNELS = (1, 2, 3, 4)         # grey, grey and transparency, colour, colour and transparency
CONVERTED = 1 << 22             # numbers at a time
IMAGE_KEYS = {                  # of a part in an .npz file: Keras's, MedMNIST's
    "train": ("x_train", "train_images"),
    "test": ("x_test", "test_images"),
}
LABEL_KEYS = {"train": ("y_train", "train_labels"), "test": ("y_test", "test_labels")}


def read_npy(path, size, grey):
    """Return the images of an .npy file as a Collection.

    Parameters
    ----------
    path : Path
    size : (int, int) or None
        Height and width; None keeps those of the file.
    grey : bool

    Returns
    -------
    Collection
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ScratchVAEError(f"{path}: damaged, or not an array of numbers ({error})") from None
    return collected(path, {"train": (array, None)}, size, grey)


def read_npz(path, size, grey):
    """Return the images and labels of an .npz file as a Collection.

    The arrays are found by their names (x_train, y_train, x_test, y_test, or train_images and so
    on), or else by their shapes: one array of images, and one of as many labels if there is one.

    Parameters
    ----------
    path : Path
    size : (int, int) or None
        Height and width; None keeps those of the file.
    grey : bool

    Returns
    -------
    Collection
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ScratchVAEError(f"{path}: damaged, or holds other than numbers ({error})") from None
    parts = {}
    for part, names in IMAGE_KEYS.items():
        for name, label in zip(names, LABEL_KEYS[part]):
            if name in arrays:
                parts[part] = (arrays[name], arrays.get(label))
    if "train" not in parts:
        parts = {"train": by_shape(path, arrays)}
    return collected(path, parts, size, grey)


def by_shape(path, arrays):
    """Return (images, labels or None): the only array of images, and the only one of labels."""
    images = {name: array for name, array in arrays.items() if array.ndim > 2}
    images = images or {name: array for name, array in arrays.items()
                        if array.ndim == 2 and array.shape[1] > 1}
    if len(images) != 1:
        found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise ScratchVAEError(f"{path}: must hold one array of images, or x_train and x_test, got "
                              f"{found}")
    (chosen, pixels), = images.items()
    labels = [array for name, array in arrays.items()
              if name != chosen and array.size == len(pixels) == len(array)]
    return pixels, labels[0] if len(labels) == 1 else None


def collected(path, parts, size, grey, names=None):
    """Return arrays of images and labels as a Collection.

    Parameters
    ----------
    path : Path
        For messages.
    parts : dict
        "train", and "test" if there is one -> (images, labels or None).
    size : (int, int) or None
        Height and width; None keeps those of the arrays.
    grey : bool
    names : dict, optional
        Label -> its name.

    Returns
    -------
    Collection
    """
    notes = []
    made = {}
    for part, (images, labels) in parts.items():
        pixels = fitted(as_bytes(path, as_images(path, images), notes), size, grey, notes)
        if labels is not None:
            labels = np.asarray(labels)
            if labels.size != len(pixels):
                raise ScratchVAEError(f"{path}: {part} has {len(pixels):,} images, but labels of "
                                      f"shape {labels.shape}")
            labels = labels.reshape(-1)
            if labels.dtype.kind == "f":
                labels = labels.astype(np.int64)
        made[part] = Part(pixels, labels)
    return Collection(made["train"], made.get("test"), names or {}, list(dict.fromkeys(notes)))


def as_images(path, array):
    """Return an array of any allowed shape as (N, height, width, channels), without a copy."""
    shape = array.shape
    if array.ndim == 2 and len(array):
        for channels in (1, 3):
            side = round((shape[1] / channels) ** 0.5)
            if side > 1 and side * side * channels == shape[1]:
                return array.reshape(-1, side, side, channels)
    elif array.ndim == 3 and array.size:
        return array[..., np.newaxis]
    elif array.ndim == 4 and array.size:
        if shape[3] in CHANNELS:
            return array
        if shape[1] in (1, 3):
            return np.moveaxis(array, 1, 3)
    raise ScratchVAEError(f"{path}: images must have shape {SHAPES}, got {shape}")


def as_bytes(path, images, notes):
    """Return images of any numbers as bytes; bytes in their order stay where they are.

    Parameters
    ----------
    path : Path
        For messages.
    images : array (N, height, width, channels)
    notes : list of str
        Receives what was converted.

    Returns
    -------
    uint8 array of the same shape
    """
    if images.dtype.kind not in "buif":
        raise ScratchVAEError(f"{path}: images must be numbers, got {images.dtype} dtype")
    low = min(part.min() for part in parts_of(images))
    high = max(part.max() for part in parts_of(images))
    if not np.isfinite([float(low), float(high)]).all():
        raise ScratchVAEError(f"{path}: the images hold NaN or infinite numbers")
    low = float(low)
    high = float(high)
    if images.dtype == np.uint8 and high > 1:
        return np.ascontiguousarray(images)
    if 0 <= low and high <= 1:
        shift = 0
        scale = 255
    elif -1 <= low and high <= 1:
        shift = 1
        scale = 127.5
    elif 0 <= low and high <= 255:
        shift = 0
        scale = 1
    elif 0 <= low and high <= 65535:
        shift = 0
        scale = 1 / 257
    else:
        raise ScratchVAEError(f"{path}: the images' numbers must lie in [0, 1], [-1, 1], [0, 255] "
                              f"or [0, 65535], got [{low:g}, {high:g}]")
    pixels = np.empty(images.shape, np.uint8)
    done = 0
    for part in progress(parts_of(images), "converting", "part"):
        numbers = (part.astype(np.float32) + np.float32(shift)) * np.float32(scale)
        pixels[done:done + len(part)] = np.rint(numbers)
        done += len(part)
    notes.append(f"converted: {images.dtype} numbers in [{low:g}, {high:g}] to bytes")
    return pixels


def parts_of(images):
    """Yield the images, some megabytes at a time."""
    step = max(1, CONVERTED // images[:1].size)
    for start in range(0, len(images), step):
        yield images[start:start + step]


def fitted(pixels, size, grey, notes):
    """Return images with one or three channels, of a size; those that fit stay where they are.

    Parameters
    ----------
    pixels : uint8 array (N, height, width, 1 to 4)
    size : (int, int) or None
    grey : bool
    notes : list of str
        Receives what was converted.
    """
    given = pixels.shape[3]
    channels = 1 if grey or given <= 2 else 3
    height, width = size or pixels.shape[1:3]
    if pixels.shape[1:] == (height, width, channels):
        return pixels
    converter = Converter((height, width), channels)
    made = np.empty((len(pixels), height, width, channels), np.uint8)
    mode = (None, "L", "LA", "RGB", "RGBA")[given]
    for i, image in enumerate(progress(pixels, "converting", "image")):
        image = np.ascontiguousarray(image)
        picture = Image.frombytes(mode, image.shape[1::-1], image.tobytes())
        made[i] = converter(picture)
    notes += converter.notes()
    return made
