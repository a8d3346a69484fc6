"""Cases: calls of operations with arrays drawn from their declarations.

Tests, the checks of other backends, and whoever compares two backends draw their arrays here, so a
new operation is tried everywhere as soon as it is declared.
"""
import contextlib
import itertools
from typing import NamedTuple

import numpy as np

from .backend import make_scratch, operations
from .errors import ScratchVAEError

# Small, odd, and different from each other, so that two axes cannot be mixed up unnoticed.
SIZES = {"N": 3, "T": 4, "K": 5, "M": 7, "L": 6, "U": 3, "V": 6, "E": 4, "J": 2, "D": 9,
         "H": 7, "W": 6, "C": 2, "A": 3, "B": 2, "P": 11, "G": 4, "Q": 0, "*": (3, 5)}
ONE = dict.fromkeys(SIZES, 1) | {"T": 2, "V": 3, "*": (1, 1)}
WRITTEN = 77                    # what an integer output holds before the call


class Case(NamedTuple):
    """An operation with sizes and options.

    Attributes
    ----------
    declaration : Declaration
    sizes : dict of letter -> int
    options : dict of name -> value
    missing : tuple of str
        Optional arrays that are None.
    """
    declaration: object
    sizes: dict
    options: dict
    missing: tuple = ()

    def __str__(self):
        sizes = ",".join(f"{letter}={self.sizes[letter]}" for letter in self.declaration.letters)
        told = [sizes or str(self.sizes["*"]), *map(str, self.options.values()), *self.missing]
        return f"{self.declaration.name}[{';'.join(told)}]".replace(" ", "")


def make_case(operation, sizes=None, missing=(), **options):
    """Return a Case of an operation.

    Parameters
    ----------
    operation : function
        An operation of any backend.
    sizes : dict, optional
        letter -> int; others are those of SIZES. Sizes that follow from others are found.
    missing : tuple of str
        Optional arrays that are None.
    **options
        Values of options; others are the first that the declaration gives.
    """
    declaration = operation.declaration
    usual = {name: values[0] for name, values in declaration.options.items()}
    options = usual | options
    sizes = SIZES | (sizes or {})
    if declaration.derive:
        needed = {name: options[name] for name in declaration.deriving}
        sizes |= declaration.derive(sizes, **needed)
    return Case(declaration, sizes, options, tuple(missing))


def cases_of(operation, sizes=None):
    """Return Cases of an operation: each declared value of each option, and each optional array.

    Options change one at a time, from the usual values on. Values that the sizes do not allow, such
    as a window larger than the image, are left out.
    """
    declaration = operation.declaration
    changes = [{}]
    for name, values in declaration.options.items():
        changes += [{name: value} for value in values[1:]]
    changes += [{"missing": (name,)} for name, array in declaration.arrays.items()
                if array.optional]
    result = []
    for change in changes:
        with contextlib.suppress(ScratchVAEError):
            result.append(make_case(operation, sizes, **change))
    return result


def all_cases(backend, sizes=None):
    """Return the Cases of all operations of a backend."""
    return list(itertools.chain(*(cases_of(operation, sizes)
                                  for operation in operations(backend).values())))


def draw(array, sizes, dtype, rng):
    """Return random contents for an array of a declaration; outputs are NaN, or WRITTEN."""
    shape = array.shape(sizes)
    if array.output and not array.updated:
        return np.full(shape, WRITTEN if array.integer else np.nan,
                       np.int32 if array.integer else dtype)
    if array.kind == "bit":
        return rng.integers(0, 2, shape, np.int32)
    if array.kind == "index":
        return rng.integers(0, sizes[array.bound] if array.bound else 3, shape, np.int32)
    if array.kind == "place":
        return rng.permutation(sizes[array.bound])[:shape[0]].astype(np.int32)
    if array.kind == "unit":
        return rng.uniform(0, 1, shape).astype(dtype)
    if array.kind == "positive":
        return rng.uniform(0.1, 0.9, shape).astype(dtype)
    if array.kind == "small":
        return (0.1 * rng.standard_normal(shape)).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def draw_arrays(case, dtype, seed=0, declaration=None):
    """Return the arrays of a case by name, NumPy's.

    declaration: another one, of an operation of the same sizes, such as the forward pass.
    """
    rng = np.random.default_rng(seed)
    declaration = declaration or case.declaration
    return {name: None if name in case.missing else
            draw(array, case.sizes, dtype, rng)
            for name, array in declaration.arrays.items()}


def run(backend, case, dtype, seed=0, rounded_to=None):
    """Run a case on a backend.

    A backward pass that takes a scratch follows its forward pass, on the same arrays.

    Parameters
    ----------
    backend : module
    case : Case
    dtype : str or dtype
    seed : int
    rounded_to : str or dtype, optional
        The dtype that the drawn numbers are rounded to first, to compare precisions.

    Returns
    -------
    dict of name -> array
        The operation's arrays afterwards, NumPy's.
    """
    declaration = case.declaration
    dtype = np.dtype(dtype)
    drawn = np.dtype(rounded_to or dtype)
    scratch = make_scratch(backend, declaration, case.sizes, case.options, dtype)
    arrays = to_backend(backend, draw_arrays(case, drawn, seed), dtype)
    forward = getattr(backend, f"{declaration.family}_forward", None)
    if declaration.has_scratch and declaration.name.endswith("_backward") and forward:
        before = draw_arrays(case, drawn, seed + 1, forward.declaration)
        known = to_backend(backend, before, dtype)
        call(forward, known, case.options, scratch)
        arrays |= {name: known[name] for name in known.keys() & arrays.keys()}
    call(getattr(backend, declaration.name), arrays, case.options, scratch)
    return {name: backend.to_host(array).copy() for name, array in arrays.items()
            if array is not None}


def to_backend(backend, arrays, dtype):
    """Return NumPy's arrays as the backend's, real numbers in that dtype; None stays None."""
    result = {}
    for name, array in arrays.items():
        if array is not None and array.dtype != np.int32:
            array = array.astype(dtype)
        result[name] = array if array is None else backend.from_host(array)
    return result


def call(operation, arrays, options, scratch):
    """Call an operation with what it takes of these arrays and options, and a scratch."""
    declaration = operation.declaration
    usual = {name: values[0] for name, values in declaration.options.items()}
    chosen = {name: options.get(name, value) for name, value in usual.items()}
    work = [scratch] if declaration.has_scratch else []
    operation(*(arrays[name] for name in declaration.arrays), *chosen.values(), *work)
