"""The textbook: every operation in plain NumPy, written to be read and to be trusted."""
import os
import sys

import numpy as np
from threadpoolctl import threadpool_limits

from ..arrays import *  # noqa: F403
from ..backend import export
from ..errors import ScratchVAEError

NAME = "reference"

export(sys.modules[__name__])


def set_threads(count):
    """Use `count` threads from now on: those of the BLAS behind NumPy's matrix product."""
    if not 1 <= count <= os.cpu_count():
        raise ScratchVAEError(f"threads must be from 1 to {os.cpu_count()} on this machine, "
                              f"got {count}")
    threadpool_limits(count)


def describe():
    """Return one line: what computes."""
    return f"reference backend: NumPy {np.__version__}"
