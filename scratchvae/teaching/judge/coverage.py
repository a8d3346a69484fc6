"""Which code a comparison with outside numbers ran: what failing ones share is probably wrong."""
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

import scratchvae

from ... import kernels
from ...gradcheck.resemblance import resemblance
from ...kernels.backend import operations
from .calls import in_one_line
from .golden import all_golden

FOLDERS = tuple(f"{folder}{os.sep}" for folder in (*scratchvae.__path__, *kernels.__path__))
# Code that computes nothing, and the operations, which are judged on their own.
ELSEWHERE = ("teaching", "gradcheck", "checks.py", "errors.py", "operation.py", "cases.py",
             "workspace.py", "parameters.py", "noise.py", "arrays.py", "kernels/__init__.py",
             "kernels/cpu/", "kernels/cuda/")
FEW = 6                         # elements of an array that is shown as a whole
JUDGED = "kernels/reference/"
MAKING = re.compile(r"\b(setup|build|bind|add_\w+|[gs]et_\w+|from_config|\w*scratch)$")
GRADIENT = re.compile(r"d[a-z_]+\[|gradient of")      # the first array that differs is a gradient


class GoldenResult(NamedTuple):
    """The outcome of one comparison.

    Attributes
    ----------
    name, source : str
        Those of the Golden.
    passed : bool
    says : str
        The first array that differs, with its worst element, or an exception.
    operations : list of str
        The operations that were called.
    functions : list of str
        "file: function" of the Python functions that ran.
    """
    name: str
    source: str
    passed: bool
    says: str
    operations: list
    functions: list


def golden_results(backend):
    """Return the GoldenResult of every comparison on a backend."""
    results = []
    for golden in all_golden():
        with recorded(backend) as called, np.errstate(all="ignore"):
            with profiled() as functions:
                passed, says = outcome(golden, backend.NAME)
        inner = {function.rpartition(" ")[2] for function in functions}
        called |= inner & operations(backend).keys()            # one operation may call another
        results.append(GoldenResult(golden.name, golden.source, passed, says, sorted(called),
                                    sorted(functions)))
    return results


def outcome(golden, name):
    """Return (passed, what differs) of a comparison."""
    try:
        compared = golden.compute(name)
    except Exception as error:
        return False, in_one_line(error)
    for one in compared:
        if not one.passed:
            return False, first_difference(one, golden.source)
    return True, ""


def first_difference(compared, source):
    """Return the worst element of an array that differs, as text."""
    actual = np.asarray(compared.actual, np.float64)
    expected = np.asarray(compared.expected, np.float64)
    if actual.shape != expected.shape:
        return f"{compared.name} has shape {actual.shape}, {source} says {expected.shape}"
    if 1 < actual.size <= FEW:
        source = "Keras says" if source == "Keras" else "by definition it is"
        return f"{compared.name} is {in_one_row(actual)}, {source} {in_one_row(expected)}"
    distance = np.abs(actual - expected)
    distance[np.isnan(distance)] = np.inf
    index = np.unravel_index(int(distance.argmax()), actual.shape)
    place = ", ".join(map(str, index))
    shape = {compared.name: expected.shape}
    looks = resemblance(actual, expected, shape) if actual.size > 1 else ""
    looks = f"; it is {looks}" if "times" in looks or "sign" in looks or "axes" in looks else ""
    return (f"{compared.name}[{place}] is {actual[index]:.7g}, "
            f"{source if source == 'Keras' else 'by definition it'} "
            f"{'says' if source == 'Keras' else 'is'} {expected[index]:.7g}{looks}")


def in_one_row(array):
    """Return a small array as text in one line."""
    return " ".join(np.array2string(array, precision=5, separator=" ").split())


@contextmanager
def recorded(backend):
    """Collect the names of the operations that are called on a backend."""
    called = set()
    kept = operations(backend)

    def recorder(name, operation):
        def call(*arguments, **keywords):
            called.add(name)
            return operation(*arguments, **keywords)
        call.declaration = operation.declaration
        return call
    for name, operation in kept.items():
        setattr(backend, name, recorder(name, operation))
    try:
        yield called
    finally:
        for name, operation in kept.items():
            setattr(backend, name, operation)


@contextmanager
def profiled():
    """Collect "file: function" of the library's functions that run."""
    functions = set()
    codes = set()

    def profile(frame, event, argument):
        if event == "call":
            codes.add(frame.f_code)
    sys.setprofile(profile)
    try:
        yield functions
    finally:
        sys.setprofile(None)
        functions |= {text for text in map(described, codes) if text}


def described(code):
    """Return "file: function" of code of the library that computes, or an empty text."""
    file = code.co_filename
    if not file.startswith(FOLDERS) or code.co_name.startswith("<"):
        return ""
    if any(part in file for part in ELSEWHERE) or code.co_name.startswith("__") or (
            MAKING.match(code.co_name)):
        return ""
    return f"{file}: {getattr(code, 'co_qualname', code.co_name)}"


def suspects(results):
    """Return the functions that ran where comparisons fail, and least where they pass.

    Their order is that of Ochiai's coefficient (Abreu et al. 2006): failed / sqrt(all failed *
    (failed + passed)), for the number of failing and passing comparisons that ran a function. Of
    equals, those that all backends use come first: the backends agree.

    Parameters
    ----------
    results : list of GoldenResult

    Returns
    -------
    list of str
        At most three; several if they cannot be told apart.
    """
    failing = [result for result in results if not result.passed]
    scores = {}
    for function in {name for result in failing for name in result.functions
                     if JUDGED not in name}:
        failed = sum(function in result.functions for result in failing)
        passed = sum(function in result.functions for result in results if result.passed)
        scores[function] = failed / np.sqrt(len(failing) * (failed + passed))
    if not scores:
        return []
    best = max(scores.values())
    found = [name for name, score in scores.items() if score > best - 1e-9]
    found.sort(key=lambda name: (is_of_a_backend(name), name))
    gradients = all(GRADIENT.match(result.says) for result in failing)
    right_direction = [name for name in found if gradients == ("backward" in name)]
    return (right_direction or found)[:3]


def is_of_a_backend(function):
    """Return whether "file: function" is in the folder of one backend."""
    return Path(function.rpartition(": ")[0]).parent.name in kernels.BACKENDS
