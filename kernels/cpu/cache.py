"""Where compiled kernels are kept.

Numba writes what it compiles to files. Ours lie in the folder that ../folders.py finds, under a
hash of all sources of this folder and of Numba's version. Numba's own hash is of one file only: it
would go on using code whose microkernel or exp() has changed since.

The cache only saves time. A file that a crash has cut short, or a full disk, is no reason to stop:
the kernel is compiled anew.
"""
import hashlib
from pathlib import Path

import numba
from numba.core import caching

from ..folders import kernels_home


def _version():
    """Return a hash of what the compiled code depends on."""
    digest = hashlib.sha256(f"{numba.__version__} {__name__}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


class _Place(caching._CacheLocator):
    """Tells Numba where the code of a function lies."""
    version = _version()

    def __init__(self, function):
        self.line = function.__code__.co_firstlineno

    def get_cache_path(self):
        return str(kernels_home() / self.version)

    def get_source_stamp(self):
        return self.version

    def get_disambiguator(self):
        return str(self.line)

    @classmethod
    def from_function(cls, function, file):
        return cls(function)


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
