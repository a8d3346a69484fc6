"""The threads that the kernels run on: Numba's only."""
import numba
import numpy as np

from ..errors import ScratchVAEError
from .noise import normal


def set_threads(count):
    """Use `count` threads from now on."""
    most = numba.config.NUMBA_NUM_THREADS
    if not 1 <= count <= most:
        raise ScratchVAEError(f"threads: {count} is out of range; allowed: 1 to {most} "
                              "on this machine")
    numba.set_num_threads(count)


def survives_fork():
    """Return whether a forked process can compute: kernels have not run, or their threads allow it.

    GNU's OpenMP ends a forked process that uses it.
    """
    try:
        return numba.threading_layer() != "omp"
    except ValueError:                  # no kernel has run yet
        return True


def refuse(*_, **__):
    """Take the place of each operation in a forked process that cannot compute."""
    raise ScratchVAEError("this process was forked after kernels had run, and their threads do not "
                          "survive that; start processes by multiprocessing's \"spawn\" or "
                          "\"forkserver\", or compute with the backend reference")


def describe():
    """Return one line of text: the library, the number of threads, and their threading layer."""
    normal(np.empty(1, np.float32), 0, 0, 0)        # Numba chooses its layer at the first prange
    return (f"cpu backend: Numba {numba.__version__}, {numba.get_num_threads()} threads on the "
            f"{numba.threading_layer()} threading layer")
