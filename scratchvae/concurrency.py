"""Models in a program with threads and processes.

A model reuses its arrays from call to call, so one thread at a time may use it: it has the turn. A
second thread that only asks, while another asks, gets a twin of the model: the same weights, and
work space of its own. It need not wait, and the two take turns by Python's own lock alone. To wait
for the turn at each call would cost 5 to 10 % of small calls: the other thread has to wake up.

Whoever changes weights, or draws noise, has the turn for itself: then no twin works. Training takes
it for a step, so that others can ask meanwhile; they see the weights as they are between two steps.

No more threads compute than there are cores, as each has a pool of threads of its own for the
kernels; so a model has at most one twin for each other core. A twin costs the work space of a batch
of 100 examples, and while it is made, the weights and their gradients once more. Kernels hold
Python's lock, so two never meet: Numba's simplest threads would abort.
"""
import functools
import os
import sys
import threading

MOST_TWINS = (os.cpu_count() or 1) - 1      # at work at once
WITH_TWINS = ("cpu", "reference")           # backends that keep nothing from call to call
ONE_AT_A_TIME = getattr(sys, "_is_gil_enabled", lambda: True)()     # Python has that lock


class Turn:
    """The right to use all models' own arrays, for one thread, which may take it several times."""

    def __init__(self):
        self.lock = threading.RLock()
        self._changed = threading.Condition()
        self._alone = 0                     # how often the thread that has the turn entered
        self._twins = 0                     # how many twins are at work

    def __enter__(self):
        self.lock.acquire()
        with self._changed:
            self._alone += 1                # from now on no twin begins
            self._changed.wait_for(lambda: not self._twins)

    def __exit__(self, *error):
        with self._changed:
            self._alone -= 1
        self.lock.release()

    def begin_twin(self):
        """Return whether a twin may work now; end_twin must follow then."""
        with self._changed:
            free = not self._alone and self._twins < MOST_TWINS
            self._twins += free
        return free

    def end_twin(self):
        """A twin has done its work."""
        with self._changed:
            self._twins -= 1
            self._changed.notify()


TURN = Turn()                               # for all models


def in_turn(method):
    """Decorate a method that changes weights or draws noise: it has the turn for itself."""
    @functools.wraps(method)
    def call(model, *arguments, **options):
        if model.is_twin:                   # which has all but the weights for itself
            return method(model, *arguments, **options)
        with TURN:
            return method(model, *arguments, **options)
    return call


def side_by_side(method):
    """Decorate a method whose result depends on its arguments and the weights alone."""
    @functools.wraps(method)
    def call(model, *arguments, **options):
        if model.is_twin:
            return method(model, *arguments, **options)
        turn = TURN
        if not turn.lock.acquire(blocking=False):
            if model.twins is not None and turn.begin_twin():
                return of_twin(turn, model, method, arguments, options)
            turn.lock.acquire()
        try:
            return method(model, *arguments, **options)
        finally:
            turn.lock.release()
    return call


def of_twin(turn, model, method, arguments, options):
    """Return what a method returns for a twin of the model, which is kept for the next call."""
    twins = model.twins                     # another list after the model is built anew
    try:
        twin = twins.pop() if twins else model.twin()
        try:
            return method(twin, *arguments, **options)
        finally:
            twins.append(twin)
    finally:
        turn.end_twin()


def can_have_twins(model):
    """Return whether all that a model computes with is its layers' weights, and work space.

    A codebook is more, and classes of the user's own may keep more.
    """
    layers = model.layers.values()
    classes = {type(model), *map(type, layers)}
    return (ONE_AT_A_TIME and model.backend in WITH_TWINS
            and len(model.state) == sum(len(layer.state) for layer in layers)
            and all(part.__module__.startswith("scratchvae.") for part in classes))


def _renew():
    """In a forked process the thread that had the turn does not exist."""
    global TURN
    TURN = Turn()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
