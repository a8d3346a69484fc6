"""Calls of an operation for the judge: what goes in, what comes out, and what must not happen."""
from typing import NamedTuple

import numpy as np

from ... import kernels
from ...kernels import cases
from ...kernels.backend import make_scratch
from ...kernels.errors import ScratchVAEError
from ...kernels.windows import Window

WORK_SPACE = {"dz"}             # an output whose contents are undefined after the call


class Call(NamedTuple):
    """An operation's arguments: what the declaration draws, after the right forward pass.

    Attributes
    ----------
    case : Case
    dtype : dtype
    arrays : dict of name -> array or None
        The arguments, NumPy's. Outputs hold what the declaration draws: NaN, or what is updated.
    forward : dict of name -> array
        The arguments and results of the forward pass, if this is a backward pass.
    same : dict of name -> name
        Arrays that are one and the same array as another one.
    room : int
        For how many more examples the work space is made.
    """
    case: object
    dtype: np.dtype
    arrays: dict
    forward: dict
    same: dict = {}
    room: int = 0


class Result(NamedTuple):
    """What a call left.

    Attributes
    ----------
    arrays : dict of name -> array
        All arrays after the call, NumPy's.
    error : str
        The exception in one line, or empty.
    changed : tuple of str
        Inputs that were changed.
    scratch : object
        The work space after the call.
    """
    arrays: dict
    error: str
    changed: tuple
    scratch: object = None


def forward_of(name):
    """Return the name of the forward pass that belongs to a backward pass, or None."""
    if not name.endswith("_backward"):
        return None
    reference = kernels.load("reference")
    stem = name.removesuffix("_backward")
    return next((other for other in (f"{stem}_forward", stem) if hasattr(reference, other)), None)


def keeps_scratch(backend, name):
    """Return whether the operation's work space holds anything."""
    case = cases.make_case(getattr(backend, name))
    return make_scratch(backend, case.declaration, case.sizes, case.options,
                        np.dtype(np.float64)) is not None


def make_call(case, dtype, values=None, seed=0):
    """Return a Call, with inputs that belong together: a backward pass gets a real y.

    Parameters
    ----------
    case : Case
    dtype : dtype
    values : function, optional
        Changes the numbers that were drawn: values(array) -> array.
    seed : int
    """
    drawn = draw(case, case.declaration, dtype, values, seed)
    name = forward_of(case.declaration.name)
    known = {}
    if name:
        reference = kernels.load("reference")
        declaration = getattr(reference, name).declaration
        known = draw(case, declaration, dtype, values, seed + 1)
        scratch = make_scratch(reference, declaration, case.sizes, case.options, dtype)
        with np.errstate(all="ignore"):
            cases.call(getattr(reference, name), known, case.options, scratch)
        drawn |= {array: known[array] for array in known.keys() & drawn.keys()
                  if drawn[array] is not None and not case.declaration.arrays[array].output}
    return Call(case, np.dtype(dtype), drawn, known)


def draw(case, declaration, dtype, values, seed):
    """Return the arrays of a declaration by name, changed by `values` where that is allowed."""
    arrays = cases.draw_arrays(case, dtype, seed, declaration)
    for name, array in arrays.items():
        if array is None:
            continue
        declared = declaration.arrays[name]
        if values and declared.kind in ("real", "small") and not (declared.output
                                                                   and not declared.updated):
            arrays[name] = values(array).astype(array.dtype)
        if values and declared.kind == "unit" and "rate" in case.options and array.size > 2:
            array.flat[1:4] = case.options["rate"]  # the number that decides what is dropped
        if declared.kind == "index" and array.size > 2:
            array.flat[-1] = array.flat[0]          # two equal ones show what must be added up
    return arrays


def run(backend, call, garbage=None):
    """Return the Result of a Call on a backend.

    Parameters
    ----------
    backend : module
    call : Call
    garbage : float, optional
        What outputs hold before the call, instead of NaN.
    """
    case = call.case
    declaration = case.declaration
    copies = {name: None if array is None else array.copy() for name, array in call.arrays.items()}
    for name, declared in declaration.arrays.items():
        if garbage is not None and declared.output and not declared.updated:
            if copies[name] is not None:
                copies[name][...] = garbage
    copies |= {name: copies[other] for name, other in call.same.items()}
    before = {name: None if array is None else array.copy() for name, array in copies.items()}
    given = cases.to_backend(backend, copies, call.dtype)
    given |= {name: given[other] for name, other in call.same.items()}
    try:
        with np.errstate(all="ignore"):
            sizes = case.sizes | {"N": case.sizes["N"] + call.room}
            scratch = make_scratch(backend, declaration, sizes, case.options, call.dtype)
            if declaration.has_scratch and call.forward:
                prepare(backend, call, scratch)
            cases.call(getattr(backend, declaration.name), given, case.options, scratch)
    except Exception as error:
        return Result({}, in_one_line(error), ())
    after = {name: backend.to_host(array).copy() for name, array in given.items()
             if array is not None}
    changed = tuple(name for name, declared in declaration.arrays.items()
                    if name in after and not declared.output
                    and name not in (*call.same, *call.same.values())
                    and not np.array_equal(after[name], before[name], equal_nan=True))
    return Result(after, "", changed, scratch)


def prepare(backend, call, scratch):
    """Run the backend's forward pass, which leaves in the scratch what the backward pass reads."""
    forward = getattr(backend, forward_of(call.case.declaration.name))
    arrays = {name: None if array is None else array.copy() for name, array in call.forward.items()}
    cases.call(forward, cases.to_backend(backend, arrays, call.dtype), call.case.options,
               scratch)


def in_one_line(error):
    """Return an exception in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ScratchVAEError) else f"{type(error).__name__}: {text}"


def right_call(trusted, call):
    """Return the Result of a Call in float64 on a backend that is trusted."""
    exact = call._replace(dtype=np.dtype(np.float64), arrays=as_float64(call.arrays),
                          forward=as_float64(call.forward))
    result = run(trusted, exact)
    if result.error:
        raise ScratchVAEError(f"{call.case}: {trusted.NAME} itself failed: {result.error}")
    return result


def as_float64(arrays):
    """Return arrays of real numbers as float64, others as they are."""
    return {name: array if array is None or array.dtype.kind != "f" else array.astype(np.float64)
            for name, array in arrays.items()}


def is_work_space(declaration, name):
    """Return whether an array's contents are undefined after the call."""
    return name in WORK_SPACE and declaration.arrays[name].output


def options_in_words(case):
    """Return the sizes and options of a case as text: N = 3, K = 5; activation relu."""
    sizes = ", ".join(f"{letter} = {case.sizes[letter]}" for letter in case.declaration.letters)
    sizes = sizes or f"shape {case.sizes['*']}"
    options = [f"{name} {in_words(value)}" for name, value in case.options.items()]
    missing = [f"{name} is None" for name in case.missing]
    return "; ".join([sizes, *options, *missing])


def in_words(value):
    """Return an option's value as text."""
    if isinstance(value, Window):
        extra = f", output_padding {value.output_padding}" if value.output_padding else ""
        return f"with strides {value.strides}, padding {value.padding}{extra}"
    return value
