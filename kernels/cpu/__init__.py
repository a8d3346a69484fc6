"""The fast backend: the operations of the reference in Numba, on all cores.

Operations that move little data, such as those of reference/sequences.py, are the reference's own.
"""
import os
import sys

from .. import reference
from ..arrays import *  # noqa: F403
from ..backend import export, operations
from .threads import describe, refuse, set_threads, survives_fork

NAME = "cpu"

export(sys.modules[__name__], otherwise=reference)


def _after_fork():
    """Refuse to compute in a forked process rather than wait for threads that do not exist."""
    if not survives_fork():
        for name in operations(sys.modules[__name__]):
            globals()[name] = refuse


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
