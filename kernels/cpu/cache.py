"""Where compiled kernels are kept.

Numba writes what it compiles to files. Ours lie in the folder that ../folders.py finds, under a
hash of Numba's version and of the sources that the code was compiled from: the kernel's file, and
the files of this folder that it imports, and so on. Numba's own hash is of one file only: it would
go on using code whose microkernel or exp() has changed since. A hash of the whole folder would
compile all kernels anew after a change to one.

Processes that start together need the same kernels at the same time. Each kernel has a lock: one
process compiles it, and the others wait for the file.

The cache only saves time. A file that a crash has cut short, or a full disk, is no reason to stop:
the kernel is compiled anew.
"""
import contextlib
import functools
import hashlib
import re
from pathlib import Path

import numba
from numba.core import caching

from ..folders import kernels_home

PATIENCE = 60                   # seconds to wait for another process, of which nothing may come
IMPORT = re.compile(r"^from \.(\w+) import", re.MULTILINE)


@functools.cache
def version(file):
    """Return a hash of what the code of a file's kernels depends on."""
    digest = hashlib.sha256(f"{numba.__version__} {__name__}".encode())
    for source in sorted(sources(file)):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def sources(file):
    """Return the paths of a file and of all files of its folder that it imports, directly or not.

    Imports stand on lines of their own, as `from .jit import parallel`.
    """
    found = [Path(file)]
    for source in found:
        for name in IMPORT.findall(source.read_text(encoding="utf-8")):
            imported = source.with_name(f"{name}.py")
            if imported not in found:
                found.append(imported)
    return found


class _Place(caching._CacheLocator):
    """Tells Numba where the code of a function lies."""

    def __init__(self, function, file):
        self.line = function.__code__.co_firstlineno
        self.version = version(file)

    def get_cache_path(self):
        return str(kernels_home() / self.version)

    def get_source_stamp(self):
        return self.version

    def get_disambiguator(self):
        return str(self.line)

    @classmethod
    def from_function(cls, function, file):
        return cls(function, file)


class _Results(caching.CompileResultCacheImpl):
    """What Numba keeps of a compiled function, in our place."""
    _locator_classes = [_Place]


class Cache(caching.FunctionCache):
    """The cache of one function, which never fails."""
    _impl_class = _Results
    before_loading = []         # called with a signature: they make what its code is linked to

    @functools.cached_property
    def _lock(self):
        """The lock of this function among processes."""
        from filelock import FileLock  # takes long to import: only for who compiles
        path = Path(self.cache_path) / f"{self._impl.filename_base}.lock"
        return FileLock(path, timeout=PATIENCE)

    def load_overload(self, signature, context):
        """Return the code for a signature, or None if it must be compiled.

        It is then compiled, and saved, while this process has the lock.
        """
        found = self._load(signature, context)
        if not found and self._compiles_alone():
            found = self._load(signature, context)      # what another process was compiling
            if found:
                self._release()
        return found

    def save_overload(self, signature, result):
        """Write the code for a signature, if that is possible."""
        try:
            super().save_overload(signature, result)
        except Exception:
            self._forget()
        finally:
            self._release()

    def _load(self, signature, context):
        for prepare in self.before_loading:
            prepare(signature)
        try:
            return super().load_overload(signature, context)
        except Exception:               # whatever unpickling a damaged file raises
            self._forget()
            return None

    def _compiles_alone(self):
        """Wait for the lock; return whether this process has it."""
        with contextlib.suppress(Exception):            # no folder, no locks there, or no patience
            self._impl.locator.ensure_cache_path()
            self._lock.acquire()
        return self._lock.is_locked

    def _release(self):
        """Give the lock back, also what an interrupted compilation has left of it."""
        self._lock.release(force=True)

    def _forget(self):
        """Begin with an empty index, so that damaged files are not read again."""
        with contextlib.suppress(OSError):
            self.flush()
