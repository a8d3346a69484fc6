"""Memory that kernels borrow for a call.

The arrays of a convolution at the points (winograd.py) are the largest work space of a layer, and
nothing in them is needed after the call. So all layers take turns with one piece of memory, as
large as the largest of them needs. Threads compute at the same time: each has its own.
"""
import math
import threading
import weakref

import numpy as np

from ..arrays import ALIGNMENT, empty

_lenders = weakref.WeakValueDictionary()


class Lender:
    """Lends memory; it is freed when nobody has the Lender any more."""

    def __init__(self):
        self._of_thread = threading.local()

    def lend(self, dtype, *shapes):
        """Return arrays of undefined contents, which are the caller's until the next call.

        Parameters
        ----------
        dtype : dtype
        *shapes : tuple of int
        """
        sizes = [math.prod(shape) * dtype.itemsize for shape in shapes]
        starts = np.cumsum([0, *(-(-size // ALIGNMENT) * ALIGNMENT for size in sizes)])
        memory = getattr(self._of_thread, "memory", None)
        if memory is None or memory.size < starts[-1]:
            self._of_thread.memory = None       # freed before there is more
            memory = self._of_thread.memory = empty(starts[-1], np.uint8)
        return [memory[start:start + size].view(dtype).reshape(shape)
                for start, size, shape in zip(starts, sizes, shapes)]


def lender():
    """Return the Lender of all layers."""
    return _lenders.setdefault("all", Lender())
