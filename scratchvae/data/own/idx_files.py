"""IDX files: MNIST's, and those of EMNIST, KMNIST and others in the same format."""
import re
from pathlib import Path

from ...errors import ScratchVAEError
from ..idx import GZIP, map_idx, parse_idx, read_content
from .arrays import collected

# train-images-idx3-ubyte, emnist-letters-test-labels-idx1-ubyte.gz, t10k-images.idx3-ubyte
NAME = re.compile(r"(?P<set>.*?)(?P<part>train|test|t10k)-(?P<what>images|labels)"
                  r"[-.]idx\d-ubyte(\.gz)?")


def is_idx(path):
    """Return whether a path is an IDX file, or a folder of them."""
    if path.is_dir():
        return any(NAME.fullmatch(file.name) for file in path.iterdir())
    return "idx" in path.name and "ubyte" in path.name


def read_idx(path, size, grey):
    """Return the images and labels of IDX files as a Collection.

    EMNIST's images are stored with rows and columns exchanged; here they stand upright.

    Parameters
    ----------
    path : Path
        A folder that holds the files of one set, or one of the files: the others are beside it.
    size : (int, int) or None
        Height and width; None keeps those of the files.
    grey : bool

    Returns
    -------
    Collection
    """
    match = None if path.is_dir() else NAME.fullmatch(path.name)
    if path.is_file() and not match:
        return collected(path, {"train": (read(path), None)}, size, grey)
    folder = path if path.is_dir() else path.parent
    name, files = files_of_set(folder, match and match["set"])
    parts = {}
    for part in ("train", "test"):
        images = files.get((part, "images"))
        if not images:
            continue
        labels = files.get((part, "labels"))
        pixels = read(images)
        if name.lower().startswith("emnist"):
            pixels = pixels.swapaxes(1, 2)
        parts[part] = (pixels, labels and read(labels))
    if not parts:
        raise ScratchVAEError(f"{path}: there are labels, but no images: "
                              f"{name}train-images-idx3-ubyte is missing")
    if "train" not in parts:
        parts = {"train": parts["test"]}
    return collected(path, parts, size, grey, names_of(folder / f"{name}mapping.txt"))


def files_of_set(folder, name):
    """Return the name with which the files of a set begin, and its files.

    Parameters
    ----------
    folder : Path
    name : str or None
        None: the folder must hold a single set.

    Returns
    -------
    (str, dict)
        The dict: ("train" or "test", "images" or "labels") -> Path.
    """
    sets = {}
    for file in sorted(folder.iterdir()):
        match = NAME.fullmatch(file.name)
        if match:
            part = "train" if match["part"] == "train" else "test"
            sets.setdefault(match["set"], {})[part, match["what"]] = file
    if name is None:
        if len(sets) > 1:
            listed = ", ".join(file.name for files in sets.values() for key, file in files.items()
                               if key == ("train", "images"))
            raise ScratchVAEError(f"{folder}: holds {len(sets)} sets; name one of the files: "
                                  f"{listed}")
        name, = sets
    return name, sets[name]


def read(path):
    """Return the array of an IDX file; one that is not gzipped stays on the disk."""
    with open(path, "rb") as file:
        gzipped = file.read(2) == GZIP
    return parse_idx(read_content(path), path) if gzipped else map_idx(path)


def names_of(path):
    """Return label -> name from EMNIST's mapping: lines of a label and the codes of its letters."""
    if not Path(path).is_file():
        return {}
    lines = [line.split() for line in path.read_text().splitlines()]
    try:
        return {int(label): "".join(dict.fromkeys(chr(int(code)) for code in codes))
                for label, *codes in filter(None, lines)}
    except (ValueError, OverflowError):
        raise ScratchVAEError(f"{path}: each line must be a label and the codes of its letters, "
                              "such as 10 65") from None
