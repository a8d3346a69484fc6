"""How the kernels of this backend are compiled and kept.

Compiled code is kept in the user's cache folder, under a hash of all sources of this folder and of Numba's version: Numba's
own cache looks at one file only and would go on using code whose microkernel or exp() has since been edited.
"""
import hashlib
import importlib
import os
from pathlib import Path

import numba
import platformdirs

# Sums may be reordered (that is what vectorises them) and a * b + c fused, but NaN and infinity stay what they are.
VECTOR_SUMS = {"reassoc", "nsz", "contract", "arcp", "afn"}
FUSED_MULTIPLY_ADD = {"contract"}
DIVISION = "numpy"              # x / 0 is infinite; Python's exception for it would keep loops that divide from becoming vectors

CHUNK = 8192                    # elements that a thread takes at a time in element-by-element kernels: slice, then loop from 0,
                                # since a loop that starts elsewhere is checked for negative indices and not vectorised

SPIN = 2000                     # turns of a waiting thread's loop before it sleeps, some 10 microseconds


def _cache_directory():
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return platformdirs.user_cache_path("scratchvae") / "kernels" / digest.hexdigest()[:16]


_CACHE = _cache_directory()


def _load_openmp():
    """Load the OpenMP library with a short spin: it reads its settings from the environment once, as it is loaded.

    A thread that waits spins for a while before it sleeps.  By default that is long, and when another program wants a core, two
    spinning threads keep the one that has the work off it: a training step of 1.5 ms took 300.  With SPIN it took 10, and on
    an idle machine as long as before.
    """
    if {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ):
        return                  # the user knows better
    os.environ["GOMP_SPINCOUNT"] = str(SPIN)
    try:
        importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:         # no OpenMP on this machine: Numba takes another threading layer
        pass
    finally:
        del os.environ["GOMP_SPINCOUNT"]


_load_openmp()


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
        return numba.njit(cache=writable, error_model=DIVISION, **options)(function)
    finally:
        numba.config.CACHE_DIR = theirs


def jit(function):
    """A small kernel: compiled, sums vectorised, one thread."""
    return _compile(function, fastmath=VECTOR_SUMS)


def inner(function):
    """A part of kernels, called by them alone: without an entry from Python, and compiled in a good deal less time."""
    return numba.njit(fastmath=VECTOR_SUMS, error_model=DIVISION, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def parallel(function):
    """A kernel whose prange loops run on all threads.  Threads split outputs, never a sum: bits don't depend on their number."""
    return _compile(function, fastmath=VECTOR_SUMS, parallel=True)


@inner
def chunk_count(size):
    """How many chunks cover `size` elements."""
    return (size + CHUNK - 1) // CHUNK
