"""A lock on the directory of a run: two trainings would destroy each other's checkpoints.

The lock belongs to the process, not to the file: it ends with the process, even if that is killed.
"""
from contextlib import contextmanager
from pathlib import Path

from ..errors import ScratchVAEError

# The file stays there afterwards: if it were removed, two processes could lock two such files.
NAME = ".lock"


@contextmanager
def training_lock(folder):
    """Lock a directory, which need not exist yet, within a `with` block.

    Raises
    ------
    ScratchVAEError
        If another process trains there.
    """
    from filelock import FileLock, Timeout  # takes long to import
    path = Path(folder) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ScratchVAEError(f"{folder}: is being trained by another process; wait until it "
                              "ends, or stop it") from None
    try:
        yield
    finally:
        lock.release()


def is_trained(folder):
    """Return whether a process trains in a directory now."""
    from filelock import FileLock, Timeout
    path = Path(folder) / NAME
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
