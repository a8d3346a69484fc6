"""A lock on the directory of a run: two trainings would destroy each other's checkpoints.

The lock belongs to the process, not to the file: it ends with the process, even if that is killed.
"""
import contextlib
import errno
import os
import shlex
from contextlib import contextmanager
from pathlib import Path

from ..commands import place
from ..errors import ScratchVAEError

# The file stays there afterwards: if it were removed, two processes could lock two such files.
NAME = ".lock"
# What file systems say that cannot lock, such as some shares.
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def training_lock(folder):
    """Lock a directory, which need not exist yet, within a `with` block.

    Where the file system has no locks, a note says so.

    Raises
    ------
    ScratchVAEError
        If another process trains there.
    """
    lock = _acquire(Path(folder))
    try:
        yield
    finally:
        if lock:
            lock.release()


def _acquire(folder):
    """Return the lock of a directory, or None where the file system has none."""
    from filelock import FileLock, Timeout  # takes long to import
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not can_lock(folder / NAME):
            print(f"note: {folder}: the file system has no locks; do not train this run twice at "
                  "the same time", flush=True)
            return None
        lock = FileLock(folder / NAME, timeout=0)
        lock.acquire()
        return lock
    except Timeout:
        raise ScratchVAEError(f"{folder}: is being trained by another process; wait until it "
                              "ends, or stop it") from None
    except OSError as error:
        raise ScratchVAEError(f"{folder}: cannot be written: {error.strerror}") from None


def can_lock(path):
    """Return whether the file system of a file, which is made, has locks."""
    try:
        import fcntl
    except ImportError:                 # Windows, whose locks are others
        return True
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in WITHOUT_LOCKS
    return True


def is_trained(folder):
    """Return whether a process trains in a directory now."""
    from filelock import FileLock, Timeout
    path = Path(folder) / NAME
    try:
        if not path.exists() or not can_lock(path):
            return False
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:                     # a run that cannot be written: nobody trains it
        return False


def check_unused(folder):
    """Refuse a directory for a new run that holds anything: nothing of the user's is overwritten.

    Raises
    ------
    ScratchVAEError
    """
    found = sorted(path.name for path in Path(folder).iterdir() if path.name != NAME)
    if "config.json" in found:
        raise ScratchVAEError(f"{folder}: holds a run already; resume it with --resume "
                              f"{shlex.quote(place(folder))}, or choose another --out")
    if found:
        raise ScratchVAEError(f"{folder}: is not empty (it holds {', '.join(found[:3])}"
                              f"{', ...' if len(found) > 3 else ''}); choose a new or empty "
                              "directory for the run")


def take_over(folder):
    """Return whether a directory, now empty, was left by a run that was killed before it began.

    Such a directory holds its lock and nothing else, and no process has the lock. Of several
    processes that ask at once, one is told so: the one that removes the lock.
    """
    lock = Path(folder) / NAME
    try:
        import fcntl
        with open(lock, "r+") as file:              # never made anew, as FileLock would
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            removed = os.fstat(file.fileno()).st_nlink == 0
            if removed or not _holds_only_lock(folder):
                return False
            lock.unlink()
            return True
    except (ImportError, OSError):                  # no such locks here, or a process has it
        return False


def _holds_only_lock(folder):
    """Return whether a directory holds its lock and nothing else."""
    return [path.name for path in Path(folder).iterdir()] == [NAME]


def discard_if_unused(folder):
    """Remove the directory of a run that never wrote anything."""
    folder = Path(folder)
    with contextlib.suppress(OSError):          # it holds files: it stays
        if _holds_only_lock(folder):
            (folder / NAME).unlink()
        folder.rmdir()
