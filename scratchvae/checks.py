"""Checks of arguments: each returns the value in its proper type, or raises an error that names the
argument, the value that was given, and what is allowed.

`owner` is the class or function whose argument it is, for the message.
"""
import numpy as np

from .batches import Batches, Images, batches_of
from .errors import ScratchVAEError

DTYPES = ("float32", "float64")
SEEDS = 2 ** 63                 # seeds lie below


def plain(value):
    """Return a NumPy scalar as Python's number, truth value or text; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def shown(value):
    """Return a value for a message in one line: data are described, not printed."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"a {type(value).__name__}"


def integer(owner, name, value, low=1):
    """Return a whole number of at least `low` as an int."""
    value = plain(value)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < low:
        allowed = "a positive integer" if low == 1 else f"an integer of at least {low}"
        raise ScratchVAEError(f"{owner}: {name} must be {allowed}, got {shown(value)}")
    return int(value)


def pair(owner, name, value, low=1):
    """Return (height, width) from one whole number or two."""
    values = value if isinstance(value, (tuple, list)) else (value, value)
    try:
        height, width = (integer(owner, name, number, low) for number in values)
    except ValueError:                  # another number of numbers, or not whole ones
        allowed = "positive integers" if low == 1 else f"integers of at least {low}"
        raise ScratchVAEError(f"{owner}: {name} must be one or two {allowed}, "
                              f"got {shown(value)}") from None
    return height, width


def number(owner, name, value, low=0, high=float("inf")):
    """Return a number with low <= number < high as a float."""
    value = plain(value)
    real = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not real or not low <= value < high:
        allowed = f"in [{low}, {high})" if high < float("inf") else f"a number of at least {low}"
        raise ScratchVAEError(f"{owner}: {name} must be {allowed}, got {shown(value)}")
    return float(value)


def choice(owner, name, value, allowed):
    """Return a value that is one of those allowed."""
    value = plain(value)
    if not isinstance(value, str) or value not in allowed:
        raise ScratchVAEError(f"{owner}: {name} must be one of {', '.join(map(str, allowed))}, "
                              f"got {shown(value)}")
    return value


def seed(owner, value):
    """Return a seed, a whole number from 0 and below 2^63, as an int."""
    value = plain(value)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not 0 <= value < SEEDS:
        raise ScratchVAEError(f"{owner}: seed must be an integer from 0 and below 2^63, "
                              f"got {shown(value)}")
    return int(value)


def finite(name, array, missing=False):
    """Refuse an array or Batches that hold NaN or infinity; say how many, and where.

    missing: whether NaN are allowed.
    """
    is_wrong = np.isinf if missing else lambda numbers: ~np.isfinite(numbers)
    if not any(is_wrong(batch).any() for batch in batches_of(array)):
        return
    array = np.asarray(array)
    wrong = np.argwhere(is_wrong(array))
    place = ", ".join(map(str, wrong[0]))
    raise ScratchVAEError(f"{name} must be finite, but {len(wrong):,} of {array.size:,} numbers "
                          f"are {'infinite' if missing else 'NaN or infinite'}, the first is "
                          f"{name}[{place}]")


def examples(name, x, shape, dtype, missing=False):
    """Return x as examples of shape (N, *shape), N >= 1.

    Parameters
    ----------
    name : str
        What messages call it.
    x : array_like, Images or Batches
    shape : tuple of int
    dtype : str
        "int32" for words, which must be integers; other numbers must be finite.
    missing : bool, default False
        Whether NaN are allowed: they stand for missing numbers.

    Returns
    -------
    C-contiguous array or Batches
        Batches of numbers that must be converted, so that no second array of their size is made.
    """
    words = dtype == "int32"
    axes = f"(N, {', '.join(map(str, shape))})" if shape else "(N,)"
    try:
        given = x.given if isinstance(x, Batches) else x
        given = given if isinstance(given, Images) else np.asarray(given)
        if np.iscomplexobj(given) or (words and given.dtype.kind not in "iu"):
            raise TypeError
        array = _numbers(given, dtype)
    except (TypeError, ValueError, RuntimeError):       # the last: PyTorch's, with a gradient
        kind = "an integer array (indices of words)" if words else "a numeric array"
        got = f"{x.dtype} dtype" if hasattr(x, "dtype") else type(x).__name__
        raise ScratchVAEError(f"{name} must be {kind} of shape {axes}, got {got}") from None
    if words and not np.array_equal(array, given):
        raise ScratchVAEError(f"{name} must hold indices of words below 2^31, "
                              f"got {given.min()} to {given.max()}")
    if np.ma.is_masked(x):
        raise ScratchVAEError(f"{name} must not be masked, but {np.ma.count_masked(x):,} of "
                              "its numbers are; fill them, or leave these examples out")
    if array.shape[1:] != shape or len(array) == 0:
        hint = f"; for a single example pass {name}[None]" if array.shape == shape else ""
        raise ScratchVAEError(f"{name} must have shape {axes}, got {array.shape}{hint}")
    if given.dtype.kind not in "biu" and not isinstance(given, Images):
        finite(name, array, missing)
    return array


def _numbers(given, dtype):
    """Return an array of any layout and dtype, or Images, as examples of a dtype."""
    if isinstance(given, Images):
        return Batches(given, dtype)
    ready = given.dtype == dtype and given.flags.c_contiguous
    if ready or dtype == "int32" or given.dtype.kind not in "biuf":
        return np.ascontiguousarray(given, dtype)
    return Batches(given, dtype)


def dtype_name(owner, dtype):
    """Return "float32" or "float64" from a name, a NumPy type or a dtype."""
    name = getattr(dtype, "__name__", None) or str(dtype)
    if name not in DTYPES:
        raise ScratchVAEError(f"{owner}: dtype must be one of {', '.join(DTYPES)}, "
                              f"got {shown(dtype)}")
    return name
