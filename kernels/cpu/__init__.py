"""The fast backend: the operations of the reference in Numba, on all cores.

Operations that move little data, such as those of reference/sequences.py, are the reference's own.
"""
import sys

from .. import reference
from ..arrays import *  # noqa: F403
from ..backend import export
from .threads import describe, set_threads

NAME = "cpu"

export(sys.modules[__name__], otherwise=reference)
