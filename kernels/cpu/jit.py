"""How the kernels of this backend are compiled and kept, and the threads they run on.

Compiled code is kept in the user's cache folder, under a hash of all sources of this folder and of Numba's version: Numba's
own cache looks at one file only and would go on using code whose microkernel or exp() has since been edited.
"""
import hashlib
import os
from pathlib import Path

import numba
import platformdirs

# Sums may be reordered (that is what vectorises them) and a * b + c fused, but NaN and infinity stay what they are.
VECTOR_SUMS = {"reassoc", "nsz", "contract", "arcp", "afn"}
FUSED_MULTIPLY_ADD = {"contract"}

CHUNK = 8192                    # elements that a thread takes at a time in element-by-element kernels: slice, then loop from 0,
                                # since a loop that starts elsewhere is checked for negative indices and not vectorised


def _cache_directory():
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return platformdirs.user_cache_path("scratchvae") / "kernels" / digest.hexdigest()[:16]


_CACHE = _cache_directory()


def _compile(function, **options):
    """numba.njit with our cache folder, which Numba reads at decoration from a global that we put back at once."""
    theirs = numba.config.CACHE_DIR
    try:
        _CACHE.mkdir(parents=True, exist_ok=True)
        numba.config.CACHE_DIR = str(_CACHE)
        writable = os.access(_CACHE, os.W_OK)
    except OSError:             # a read-only home: compile anew in each process
        writable = False
    try:
        return numba.njit(cache=writable, **options)(function)
    finally:
        numba.config.CACHE_DIR = theirs


def jit(function):
    """A helper or a small kernel: compiled, sums vectorised, one thread."""
    return _compile(function, fastmath=VECTOR_SUMS)


def parallel(function):
    """A kernel whose prange loops run on all threads.  Threads split outputs, never a sum: bits don't depend on their number."""
    return _compile(function, fastmath=VECTOR_SUMS, parallel=True)


@jit
def chunk_count(size):
    """How many chunks cover `size` elements."""
    return (size + CHUNK - 1) // CHUNK


def set_threads(count):
    """Run on `count` threads from now on."""
    if not 1 <= count <= numba.config.NUMBA_NUM_THREADS:
        raise ValueError(f"threads: {count} is out of range; allowed: 1 to {numba.config.NUMBA_NUM_THREADS} on this machine")
    numba.set_num_threads(count)


def describe():
    """One line: what computes, on how many threads, through which threading layer (known once a kernel has run)."""
    try:
        layer = f"{numba.threading_layer()} threading layer"
    except ValueError:
        layer = "no kernel has run yet"
    return f"cpu backend: Numba {numba.__version__}, {numba.get_num_threads()} threads, {layer}"
