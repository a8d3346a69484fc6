"""Files that are written whole or not at all: text, and arrays with a description.

Arrays are in NumPy's npz format (a zip archive, so each array has a checksum), uncompressed.
"""
import contextlib
import errno
import json
import os
import platform
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np

from .errors import ScratchVAEError

DESCRIPTION = "description.json"
# What zipfile and NumPy raise when a file is damaged.
DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, TypeError, KeyError, EOFError, OSError,
          NotImplementedError, RuntimeError, AttributeError)
# What a file system says that has no such function.
UNKNOWN = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
PAUSES = (0.05, 0.1, 0.2, 0.4)          # seconds between attempts to rename a file

# Who writes a temporary file stands in its name: NAME.HOST-PROCESS-xxxx.part
_HOST = re.sub(r"[^\w]", "", platform.node()) or "host"
PART = re.compile(r"\.(?P<host>\w+)-(?P<process>\d+)-\w+\.part$")
_said = set()                   # notes of side_product


class Unwritable(ScratchVAEError):
    """A file that cannot be written."""


def write_text(path, text):
    """Write a text file at once: a reader sees the old content or the new, never a part."""
    write_file(path, lambda file: file.write(text.encode()))


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


@contextlib.contextmanager
def understood(path):
    """Refuse a file as damaged if the block, which uses its content, meets another form."""
    try:
        yield
    except ScratchVAEError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ScratchVAEError(f"{path}: damaged: its content has another form "
                              f"({error})") from None


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
    write_file(path, lambda file: np.savez(file, **arrays, **{DESCRIPTION: encoded}))


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


def write_file(path, write):
    """Write a file at once: whoever reads it sees the old content or the new, never a part.

    Parameters
    ----------
    path : path
        Missing folders are made.
    write : function of a binary file
        Writes the content.

    Raises
    ------
    Unwritable
        If it cannot be written; the old content is still there then.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(f"{path.parent}: cannot be made: {error.strerror}") from None
    try:
        sweep(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, **part_of(path.name))
    except OSError as error:
        raise Unwritable(f"{path}: cannot be written: {error.strerror}") from None
    try:
        with open(handle, "wb") as file:
            write(file)
            file.flush()
            _synchronise(file)
        _give_usual_permissions(temporary)
        _rename(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise Unwritable(f"{path}: cannot be written: {error.strerror or error}") from None
        raise


def part_of(name):
    """Return the arguments by which tempfile names a file or folder that `sweep` knows."""
    return {"prefix": f"{name}.{_HOST}-{os.getpid()}-", "suffix": ".part"}


def _synchronise(file):
    """Bring a file to the disk, where the file system knows how."""
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise


def _give_usual_permissions(path):
    """Give a private file of mkstemp the permissions of any other new file, where possible."""
    umask = os.umask(0)
    os.umask(umask)
    with contextlib.suppress(OSError):          # some shares have permissions of their own
        os.chmod(path, 0o666 & ~umask)


def _rename(temporary, path):
    """Rename a file; wait a little if another program, such as a virus scanner, holds the old."""
    for pause in PAUSES:
        try:
            return os.replace(temporary, path)
        except PermissionError:
            time.sleep(pause)
    return os.replace(temporary, path)


def sweep(folder):
    """Delete files and folders that processes of this machine, killed since, were writing.

    Parameters
    ----------
    folder : path
        Its own entries are looked at, not those of folders within.
    """
    for path in Path(folder).glob("*.part"):
        owner = PART.search(path.name)
        if owner and owner["host"] == _HOST and not _is_alive(int(owner["process"])):
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_alive(process):
    """Return whether a process of this number may exist."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


@contextlib.contextmanager
def side_product():
    """Go on if what the block writes cannot be written; say so once for each file."""
    try:
        yield
    except Unwritable as error:
        if str(error) not in _said:
            _said.add(str(error))
            print(f"note: {error}; everything else goes on", flush=True)
