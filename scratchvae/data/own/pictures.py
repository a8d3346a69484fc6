"""A folder of pictures. Its subfolders are classes, or a training and a test part."""
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ...errors import ScratchVAEError
from .collection import Collection, Part, progress
from .picture import Converter, is_colour, shown_size

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff"}
PARTS = ("train", "test")       # subfolders that name the parts
NAMED = 3                       # unreadable pictures that a note names
LISTED = 4                      # sizes that a message lists
PROPOSED = 32                   # pixels: the size that messages propose


@dataclass
class Picture:
    """A file, where it belongs, and what its header says.

    Parameters
    ----------
    path : Path
    part : str
        "train" or "test".
    label : str or None
        The subfolder, if there is one.
    size : (int, int) or None
        Height and width.
    colour : bool
    """

    path: Path
    part: str
    label: str | None
    size: tuple | None = None
    colour: bool = False


def read_pictures(folder, size, grey):
    """Return the pictures of a folder as a Collection.

    Parameters
    ----------
    folder : Path
    size : (int, int) or None
        Height and width; None if all pictures have the same.
    grey : bool

    Returns
    -------
    Collection

    Raises
    ------
    ScratchVAEError
        If no picture can be read, or if sizes differ and none is given.
    """
    ignored = Counter()
    pictures = arranged(folder, list(files_of(folder, ignored)), ignored)
    broken = []
    with careful():
        readable = [picture for picture in progress(pictures, "looking at pictures", "picture")
                    if looked_at(picture, broken)]
        check_readable(folder, readable, broken)
        converter = Converter(size or only_size(folder, readable),
                              1 if grey or not any(map(colour_of, readable)) else 3)
        parts = {part: decoded([picture for picture in readable if picture.part == part],
                               converter, broken) for part in PARTS}
    check_readable(folder, [part for part in parts.values() if part], broken)
    notes = []
    if broken:
        notes.append(f"{len(broken):,} of {len(pictures):,} pictures cannot be read: "
                     f"{first(broken)}")
    if ignored:
        counts = ", ".join(f"{count:,} {what}" for what, count in sorted(ignored.items()))
        notes.append(f"ignored: {counts}")
    labels = {picture.label for picture in pictures}
    if None in labels and len(labels) > 1:
        notes.append("some pictures lie in subfolders and some do not, so they have no classes")
    train, test = parts.values()
    return Collection(train or test, test if train else None, notes=[*notes, *converter.notes()])


def files_of(folder, ignored, above=()):
    """Yield the paths of the pictures in a folder and its subfolders, in the order of their names.

    Parameters
    ----------
    folder : Path
    ignored : Counter
        Receives what is passed over.
    above : tuple of Path
        The folders in which this one lies: a link to one of them would lead in a circle.
    """
    real = folder.resolve()
    if real in above:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        ignored["in folders that cannot be opened"] += 1
        return
    for path in entries:
        if path.name.startswith(".") or path.name == "__MACOSX":
            ignored["hidden"] += 1
        elif path.is_dir():
            yield from files_of(path, ignored, (*above, real))
        elif path.suffix.lower() in SUFFIXES:
            yield path
        else:
            ignored["of other types"] += 1


def arranged(folder, paths, ignored):
    """Return the Pictures of these paths, by part and class.

    Parameters
    ----------
    folder : Path
    paths : list of Path
        In the folder.
    ignored : Counter
        Receives pictures that lie outside "train" and "test", if there are such folders.

    Returns
    -------
    list of Picture
    """
    places = [path.relative_to(folder).parts for path in paths]
    while places and len({place[:-1][:1] for place in places}) == 1 < len(places[0]):
        places = [place[1:] for place in places]        # all lie in one subfolder
    tops = {place[0].lower() for place in places if len(place) > 1}
    divided = set(PARTS) <= tops
    pictures = []
    for path, place in zip(paths, places):
        part = "train"
        if divided:
            part = place[0].lower()
            place = place[1:]
        if part not in PARTS:
            ignored["outside the folders train and test"] += 1
            continue
        pictures.append(Picture(path, part, place[0] if len(place) > 1 else None))
    return pictures


class careful(warnings.catch_warnings):
    """While pictures are read: one that is far too large is refused, and nothing else is said."""

    def __enter__(self):
        super().__enter__()
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)


def looked_at(picture, broken):
    """Read the header of a picture, and return whether that is possible.

    Parameters
    ----------
    picture : Picture
        Receives its size, and whether it is in colour.
    broken : list of str
        Receives a line about it, if it cannot be read.
    """
    try:
        with Image.open(picture.path) as image:
            picture.size = shown_size(image)
            picture.colour = is_colour(image)
    except Exception as error:          # decoders raise errors of many kinds
        broken.append(in_words(picture, error))
        return False
    return True


def decoded(pictures, converter, broken):
    """Return the Part of these pictures, None if none can be read.

    Parameters
    ----------
    pictures : list of Picture
    converter : Converter
    broken : list of str
        Receives a line about each that cannot be read.
    """
    pixels = np.empty((len(pictures), *converter.size, converter.channels), np.uint8)
    labels = []
    for picture in progress(pictures, "reading pictures", "picture"):
        try:
            with Image.open(picture.path) as image:
                pixels[len(labels)] = converter(image)
            labels.append(picture.label)
        except Exception as error:      # decoders raise errors of many kinds
            broken.append(in_words(picture, error))
    if not labels:
        return None
    return Part(pixels[:len(labels)], None if None in labels else np.array(labels))


def in_words(picture, error):
    """Return the name of a picture and what is wrong with it."""
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"{picture.path.name} (more than {Image.MAX_IMAGE_PIXELS:,} pixels)"
    if isinstance(error, Image.UnidentifiedImageError):
        return f"{picture.path.name} (not a picture)"
    return f"{picture.path.name} ({error})"


def first(broken):
    """Return the first unreadable pictures as text."""
    return ", ".join(broken[:NAMED]) + (", ..." if len(broken) > NAMED else "")


def colour_of(picture):
    """Return whether a picture is in colour."""
    return picture.colour


def check_readable(folder, found, broken):
    """Refuse a folder without a picture that can be read."""
    if found:
        return
    if broken:
        raise ScratchVAEError(f"{folder}: none of its {len(broken):,} pictures can be read: "
                              f"{first(broken)}")
    raise ScratchVAEError(f"{folder}: no pictures there, and no other kind of images; pictures end "
                          f"in {', '.join(sorted(SUFFIXES))}")


def only_size(folder, pictures):
    """Return the height and width that all pictures have; refuse pictures of several sizes."""
    sizes = Counter(picture.size for picture in pictures)
    if len(sizes) == 1:
        return pictures[0].size
    counts = [f"{height} x {width} ({count:,})"
              for (height, width), count in sizes.most_common(LISTED)]
    more = f" and {len(sizes) - LISTED:,} more" if len(sizes) > LISTED else ""
    raise ScratchVAEError(
        f"{folder}: the pictures have {len(sizes):,} sizes, height x width: {', '.join(counts)}"
        f"{more}; all must have one. --size {PROPOSED} cuts each to a square around its centre and "
        f"resizes it, --size {PROPOSED}x{PROPOSED * 3 // 4} to that height and width")
