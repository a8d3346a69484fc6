"""Models in a program with threads and processes.

A model reuses its arrays from call to call, and the kernels use all cores. So one thread computes
at a time. More threads are never faster: handing over the turn costs some percent. Training holds
the turn for a step, so that others can ask meanwhile; they see the weights as they are between two
steps.
"""
import functools
import os
import threading

TURN = threading.RLock()        # for all models: Numba's simplest threads abort if two calls meet


def in_turn(method):
    """Decorate a method that computes: it waits for its turn."""
    @functools.wraps(method)
    def call(*arguments, **options):
        with TURN:
            return method(*arguments, **options)
    return call


def _renew():
    """In a forked process the thread that had the turn does not exist."""
    global TURN
    TURN = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
