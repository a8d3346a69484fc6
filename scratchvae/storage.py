"""Files that are written whole or not at all: text, and arrays with a description.

Arrays are in NumPy's npz format (a zip archive, so each array has a checksum), uncompressed.
"""
import json
import os
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from .errors import ScratchVAEError

DESCRIPTION = "description.json"
# What zipfile and NumPy raise when a file is damaged.
DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, TypeError, KeyError, EOFError, OSError,
          NotImplementedError, RuntimeError, AttributeError)


def write_text(path, text):
    """Write a text file at once: a reader sees the old content or the new, never a part."""
    _replace(path, lambda file: file.write(text.encode()))


def read_json(path, kind):
    """Return the content of a JSON file.

    Parameters
    ----------
    path : path
    kind : type
        The type that the content must have, such as dict.

    Raises
    ------
    ScratchVAEError
        If the file is missing or damaged, or holds another type.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, kind):
            raise ValueError(f"expected {kind.__name__}, got {type(content).__name__}")
        return content
    except (OSError, ValueError) as error:
        raise ScratchVAEError(f"{path}: missing or damaged ({error})") from None


def write_arrays(path, arrays, description):
    """Write arrays and a description into one file, at once.

    Parameters
    ----------
    path : path
    arrays : dict of str -> array
    description : dict
        Anything that JSON can express. Its "kind" says what the file is.
    """
    encoded = np.frombuffer(json.dumps(description).encode(), np.uint8)
    _replace(path, lambda file: np.savez(file, **arrays, **{DESCRIPTION: encoded}))


def read_arrays(path, kind):
    """Return the content of a file that write_arrays wrote.

    Parameters
    ----------
    path : path
    kind : str
        The "kind" that the description must have.

    Returns
    -------
    (arrays, description)
        Both are dicts.

    Raises
    ------
    ScratchVAEError
        If the file is missing or damaged, or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise ScratchVAEError(f"{path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        description = dict(json.loads(arrays.pop(DESCRIPTION).tobytes()))
    except DAMAGE as error:
        raise ScratchVAEError(f"{path}: damaged, truncated, or not a file of scratchvae "
                              f"({error})") from None
    if description.get("kind") != kind:
        raise ScratchVAEError(f"{path}: is a {description.get('kind')!r} file, "
                              f"expected a {kind!r} file")
    return arrays, description


def _replace(path, write):
    """Call write(file) on a temporary file, and rename it to the path if that succeeds."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    except OSError as error:
        raise ScratchVAEError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        with open(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; this one gets the permissions of any other new file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
