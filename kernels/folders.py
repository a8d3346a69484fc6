"""The user's cache folder: for what can be made or fetched again."""
import functools
import os
import tempfile
from pathlib import Path

import platformdirs

NAME = "scratchvae"


@functools.cache
def cache_home():
    """Return the folder for data sets, classifiers and compiled kernels.

    It is the system's place for caches, ~/.cache/scratchvae on Linux. Where that cannot be written
    (no home, an unknown user, a read-only disk) it is a folder for temporary files.

    Returns
    -------
    Path or None
        None if neither can be written.
    """
    places = (usual_home(), temporary_home())
    return next((place for place in places if place and _is_writable(place)), None)


def usual_home():
    """Return the system's place for this program's caches; None for a user without a home."""
    try:
        return platformdirs.user_cache_path(NAME)
    except RuntimeError:
        return None


def temporary_home():
    """Return the folder that is used where the user's own cannot be."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"{NAME}-{user}"


def data_home():
    """Return the folder of fetched data sets."""
    return (cache_home() or temporary_home()) / "data"


def classifiers_home():
    """Return the folder of the classifiers that judge images."""
    return (cache_home() or temporary_home()) / "classifiers"


def tokens_home():
    """Return the folder of the words that nltk has split."""
    return (cache_home() or temporary_home()) / "tokens"


def kernels_home():
    """Return the folder of compiled kernels; None if nothing can be written.

    NUMBA_CACHE_DIR moves it.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(chosen) / NAME if chosen else cache_home()
    return home and home / "kernels"


def note():
    """Return a line that says that the usual folder is not used, or an empty one."""
    usual = usual_home()
    if usual and cache_home() == usual:
        return ""
    problem = f"{usual} cannot be written" if usual else "the user has no home folder"
    if cache_home() is None:
        return f"{problem}: kernels are compiled anew in each process"
    return f"{problem}: compiled kernels are kept in {cache_home()}"


def _is_writable(folder):
    """Make a folder; return whether files can be made in it, and it is the user's own.

    Compiled kernels are code: they are not read from a folder that another user has prepared.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            return False
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
