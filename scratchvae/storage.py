"""Arrays with a description in one file, written whole or not at all, and recognised when damaged.

The file is NumPy's npz (a zip archive, so each array carries a checksum), uncompressed.
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


def write_text(path, text):
    """Write a text file at once: a reader sees the old content or the new, never a part."""
    _replace(path, lambda file: file.write(text.encode()))


def read_json(path, kind):
    """The content of a JSON file, of type kind."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, kind):
            raise ValueError(f"no {kind.__name__}")
        return content
    except (OSError, ValueError) as error:
        raise ScratchVAEError(f"{path}: missing or damaged ({error})") from None


def write_arrays(path, arrays, description):
    """Write a dict of arrays, and a description that JSON can express."""
    encoded = np.frombuffer(json.dumps(description).encode(), np.uint8)
    _replace(path, lambda file: np.savez(file, **arrays, **{DESCRIPTION: encoded}))


def read_arrays(path, kind):
    """Return (arrays, description) of a file written by write_arrays whose description has this
    "kind".
    """
    path = Path(path)
    if not path.is_file():
        raise ScratchVAEError(f"{path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        description = dict(json.loads(arrays.pop(DESCRIPTION).tobytes()))
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        TypeError,
        KeyError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        AttributeError,
    ) as error:  # what zipfile and NumPy raise on damaged files
        raise ScratchVAEError(
            f"{path}: damaged, truncated, or not a file of scratchvae ({error})"
        ) from None
    if description.get("kind") != kind:
        raise ScratchVAEError(f"{path}: is a {description.get('kind')!r} file; needed: {kind!r}")
    return arrays, description


def _replace(path, write):
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    except OSError as error:
        raise ScratchVAEError(f"{path}: can't be written: {error.strerror}") from None
    try:
        with open(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's files are private; ours are like any other
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
