"""How the kernels of this backend are compiled. See cache.py for where the code is kept.

A kernel that Python calls takes a group of arrays as a plain tuple, and names its fields again in
its first line:

    _forward(x, y, tuple(tables))               # tables is a DenseTables, a NamedTuple

    @parallel
    def _forward(x, y, tables):
        tables = DenseTables(*tables)

Numba would take the NamedTuple itself, too. But with each call it would look up the type by the
names of the class and of all fields, which costs about a microsecond. Inside compiled code a
NamedTuple costs nothing: its fields are local variables.
"""
import importlib
import os

import numba

from ..folders import kernels_home
from .cache import Cache
from .emission import Compiler

# Sums may be reordered, which vectorises them, and a * b + c may be fused. NaN and infinity stay
# what they are.
VECTOR_SUMS = {"reassoc", "nsz", "contract", "arcp", "afn"}
FUSED_MULTIPLY_ADD = {"contract"}
DIVISION = "numpy"              # x / 0 is infinite; Python's exception would prevent vectors

# Elements that a thread takes at a time in element-by-element kernels. They slice the arrays, and
# loop from 0: a loop that starts elsewhere is checked for negative indices and not vectorised.
CHUNK = 8192

SPIN = 2000                     # turns of a waiting thread's loop before it sleeps: about 10 us


def _load_openmp():
    """Load the OpenMP library with a short spin.

    A thread that waits for work spins for a while before it sleeps. By default that is long: when
    another program wants a core, two spinning threads keep it from the one that has work. A
    training step of 1.5 ms took 300 ms. With SPIN it took 10 ms, and on an idle machine as long as
    before. OpenMP reads its settings from the environment once, when it is loaded.
    """
    if {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ):
        return                  # the user has chosen
    os.environ["GOMP_SPINCOUNT"] = str(SPIN)
    try:
        importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:         # without OpenMP, Numba uses another threading layer
        pass
    finally:
        del os.environ["GOMP_SPINCOUNT"]


_load_openmp()


def _compile(function, **options):
    """Return numba.njit(function) with our cache."""
    kernel = numba.njit(error_model=DIVISION, no_cfunc_wrapper=True, **options)(function)
    if kernels_home():
        kernel._cache = Cache(function)
    return kernel


def jit(function):
    """Compile a small kernel that runs on one thread."""
    return _compile(function, fastmath=VECTOR_SUMS, pipeline_class=Compiler)


def inner(function):
    """Compile a function that only kernels call.

    Without an entry from Python it compiles in much less time.
    """
    return numba.njit(fastmath=VECTOR_SUMS, error_model=DIVISION, no_cpython_wrapper=True,
                      no_cfunc_wrapper=True)(function)


def linkable(function):
    """Compile a function that only kernels call, on its own."""
    compiled = _compile(function, fastmath=VECTOR_SUMS, no_cpython_wrapper=True)
    compiled._cache.before_loading = ()         # it calls nothing that it would be linked to
    return compiled


def parallel(function):
    """Compile a kernel whose prange loops run on all threads.

    Threads share out results, never the terms of a sum, so bits do not depend on their number.
    """
    return _compile(function, fastmath=VECTOR_SUMS, parallel=True, pipeline_class=Compiler)


@inner
def chunk_count(size):
    """Return how many chunks cover `size` elements."""
    return (size + CHUNK - 1) // CHUNK
