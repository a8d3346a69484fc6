"""Where compiled kernels are kept.

Numba writes what it compiles to files. Ours lie in the folder that ../folders.py finds, under a
hash of Numba's version and of the sources that the code was compiled from: the kernel's file, and
the files of this folder that it imports, and so on. Numba's own hash is of one file only: it would
go on using code whose microkernel or exp() has changed since. A hash of the whole folder would
compile all kernels anew after a change to one.

The cache only saves time. A file that a crash has cut short, or a full disk, is no reason to stop:
the kernel is compiled anew.
"""
import functools
import hashlib
import re
from pathlib import Path

import numba
from numba.core import caching

from ..folders import kernels_home

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

    def load_overload(self, signature, context):
        """Return the code for a signature, or None if it must be compiled."""
        try:
            return super().load_overload(signature, context)
        except Exception:               # whatever unpickling a damaged file raises
            self._forget()
            return None

    def save_overload(self, signature, result):
        """Write the code for a signature, if that is possible."""
        try:
            super().save_overload(signature, result)
        except Exception:
            self._forget()

    def _forget(self):
        """Begin with an empty index, so that damaged files are not read again."""
        try:
            self.flush()
        except OSError:
            pass
