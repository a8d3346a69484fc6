"""Who trains a run locks its directory: two trainings would destroy each other's checkpoints.

The lock is the process's, not the file's: a training that was killed holds none.
"""
from contextlib import contextmanager
from pathlib import Path

from ..errors import ScratchVAEError

NAME = ".lock"                  # left there afterwards: to remove it would let two processes lock two files of that name


@contextmanager
def training_lock(folder):
    """Lock the directory, which need not exist yet, within the block; an error if another process trains there."""
    from filelock import FileLock, Timeout      # here, as it takes long to import
    path = Path(folder) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ScratchVAEError(f"{folder} is being trained by another process; wait for its end, or stop it") from None
    try:
        yield
    finally:
        lock.release()


def is_trained(folder):
    """Whether a process trains there now."""
    from filelock import FileLock, Timeout
    path = Path(folder) / NAME
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
