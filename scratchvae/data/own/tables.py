"""A CSV file of pixels as Kaggle has it: an image a line, with a label or without."""
import gzip
import zlib
from itertools import islice

import numpy as np

from ...errors import ScratchVAEError
from .arrays import collected
from .collection import progress

LABELS = ("label", "class", "target", "y")      # names of the column of labels
IDS = ("id", "index", "image_id", "imageid")    # names of columns that are passed over
LINES = 2000                    # read at a time


def read_table(path, size, grey):
    """Return the images and labels of a CSV file as a Collection.

    The first line may name the columns; one of them may be the label. Without names, the first
    column is the label if the others are the pixels of a square image.

    Parameters
    ----------
    path : Path
        A .csv file, or .csv.gz.
    size : (int, int) or None
        Height and width; None keeps the square of the file.
    grey : bool

    Returns
    -------
    Collection
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            names = file.readline().strip().split(",")
            headed = not all(map(is_number, names))
            if not headed:
                file.seek(0)
            found = list(progress(chunks(path, file), "reading", "part"))
    except UnicodeDecodeError:
        raise ScratchVAEError(f"{path}: not a text in UTF-8") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ScratchVAEError(f"{path}: damaged or truncated gzip file ({error})") from None
    if not found:
        raise ScratchVAEError(f"{path}: holds no line of pixels")
    if len({numbers.shape[1] for numbers in found}) > 1:
        raise ScratchVAEError(f"{path}: lines must be numbers, all of them as many")
    numbers = np.concatenate(found)
    names = [name.strip(' "\'').lower() for name in names]
    columns = numbers.shape[1]
    label = None
    if headed:
        label = next((names.index(name) for name in LABELS if name in names), None)
    elif not is_image(columns) and is_image(columns - 1):
        label = 0
    ids = [i for i, name in enumerate(names) if name in IDS]
    pixels = np.delete(numbers, [*ids, *([] if label is None else [label])], axis=1)
    if not is_image(pixels.shape[1]):
        raise ScratchVAEError(f"{path}: the columns must be the pixels of square images, grey or "
                              f"in colour, and may be one of {', '.join(LABELS)}, got {columns:,} "
                              f"columns: {', '.join(names[:3])}, ...")
    labels = None if label is None else numbers[:, label].astype(np.int64)
    return collected(path, {"train": (pixels, labels)}, size, grey)


def chunks(path, file):
    """Yield the lines of numbers, some at a time."""
    filled = (line for line in file if line.strip())
    while lines := list(islice(filled, LINES)):
        try:
            numbers = np.loadtxt(lines, np.float32, delimiter=",", ndmin=2)
        except ValueError as error:
            raise ScratchVAEError(f"{path}: lines must be numbers, all of them as many "
                                  f"({error})") from None
        whole = numbers.astype(np.uint8, casting="unsafe")
        yield whole if np.array_equal(whole, numbers) else numbers


def is_number(text):
    """Return whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_image(count):
    """Return whether a square image, grey or in colour, can have so many numbers."""
    return any(count > channels and round((count / channels) ** 0.5) ** 2 * channels == count
               for channels in (1, 3))
