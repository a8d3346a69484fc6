"""The backend for NVIDIA GPUs: the operations of the reference in numba.cuda, on arrays in the
device's memory.

See the reference's file of the same name for the mathematics of an operation.
"""
import sys

from ..backend import export
from .arrays import (
    add,
    add_losses,
    copy,
    empty,
    fill,
    flatnonzero,
    from_host,
    scale,
    take,
    to_host,
    zeros,
)
from .device import check_device, describe, is_array, launched, rows, set_threads, synchronize

NAME = "cuda"

export(sys.modules[__name__])
