"""The threads that the kernels run on: Numba's, and no others."""
import numba
import numpy as np

from ..errors import ScratchVAEError
from .noise import normal


def set_threads(count):
    """Use `count` threads from now on."""
    if not 1 <= count <= numba.config.NUMBA_NUM_THREADS:
        raise ScratchVAEError(f"threads: {count} is out of range; allowed: 1 to {numba.config.NUMBA_NUM_THREADS} on this machine")
    numba.set_num_threads(count)


def describe():
    """One line: what computes, on how many threads, through which threading layer."""
    normal(np.empty(1, np.float32), 0, 0, 0)        # Numba chooses its layer when the first parallel kernel runs
    return (f"cpu backend: Numba {numba.__version__}, {numba.get_num_threads()} threads on the {numba.threading_layer()} "
            "threading layer")
