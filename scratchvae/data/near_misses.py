"""What is wrong with a folder that was named for a data set and lacks a file of it."""
import difflib
import re
from pathlib import Path

from .catalogue import CATALOGUE

DEEPEST = 3                     # folders within folders that are searched
MOST = 2000                     # entries that are looked at


def explain(folder, name):
    """Return in a few words why a folder does not have a data set.

    Parameters
    ----------
    folder : Path
        Named by the user.
    name : str
        The data set's name in the catalogue.

    Returns
    -------
    str
    """
    data_set = CATALOGUE[name]
    if folder.is_file():
        return "this is a file; name the directory that holds the files"
    if not folder.exists():
        return f"no such directory{_similar_folder(folder)}"
    names = {_normalised(file): file for file in data_set.files}
    found = {}                  # file of the set -> path of that name, or of one like it
    for path in _entries(folder, set(CATALOGUE) - {name}):
        file = names.get(_normalised(path.name))
        if file and path.is_file():
            found.setdefault(file, path)
    if not found:
        return f"none of the files is there: {', '.join(data_set.files)} (or these as .gz)"
    missing = [file for file in data_set.files if file not in found]
    if missing:
        return f"it has {found.popitem()[1].name}, but lacks {', '.join(missing)} (or these as .gz)"
    file, path = next(((file, path) for file, path in found.items()
                       if path.name.removesuffix(".gz") != file), (None, None))
    if file:
        return f"it has {path.relative_to(folder)}; rename that to {file}{_gz(path)}"
    return f"the files are further down; name {path_of_all(found)}"


def path_of_all(found):
    """Return the directory that holds the files."""
    return next(iter(found.values())).parent


def _gz(path):
    return ".gz" if path.suffix == ".gz" else ""


def _normalised(name):
    """Return a file's name without what people and programs change in it."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\.(gz|txt|bin)$", "", name.lower()))


def _entries(folder, others):
    """Yield some of what lies in a folder, those nearest to its top first.

    Folders that are named for other data sets, whose files have the same names, are passed over.
    """
    level = [folder]
    seen = 0
    for _ in range(DEEPEST + 1):
        below = []
        for place in level:
            try:
                entries = sorted(place.iterdir())
            except OSError:             # a folder that cannot be read
                continue
            for path in entries:
                seen += 1
                if seen > MOST:
                    return
                yield path
                if path.is_dir() and path.name not in others:
                    below.append(path)
        level = below


def _similar_folder(folder):
    """Return a hint at a folder with nearly the same path, if there is one."""
    parent = folder.parent
    while not parent.exists():
        folder = parent
        parent = folder.parent
    names = [path.name for path in parent.iterdir() if path.is_dir()]
    similar = difflib.get_close_matches(folder.name, names, 1)
    return f"; did you mean {Path(parent / similar[0])}?" if similar else ""
