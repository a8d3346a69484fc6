"""What every operation of every backend promises and demands, in one place."""
import functools
import inspect
import re

import numpy as np

ACTIVATIONS = ("linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax")
LEAKY_RELU_SLOPE = 0.2          # Keras's for the bare name "leaky_relu"; "leaky_relu(0.3)" names another

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def operation(function):
    """Refuse arrays an operation can't take: not C-contiguous, or of mixed or foreign floating-point types.

    Checked once for every call, in about a tenth of a microsecond an array, so that no kernel has to.
    """
    @functools.wraps(function)
    def checked(*arguments):
        dtype = None
        for argument in arguments:
            if type(argument) is np.ndarray:
                if not argument.flags.c_contiguous or (argument.dtype != dtype and dtype is not None):
                    _refuse(function, arguments)
                if dtype is None:
                    dtype = argument.dtype
        if dtype not in _FLOATS:
            _refuse(function, arguments)
        return function(*arguments)
    return checked


def _refuse(function, arguments):
    names = list(inspect.signature(function).parameters)
    first = None
    for name, argument in zip(names, arguments):
        if type(argument) is not np.ndarray:
            continue
        if not argument.flags.c_contiguous:
            raise ValueError(f"{function.__name__}: {name} is not C-contiguous; pass np.ascontiguousarray({name})")
        if argument.dtype not in _FLOATS:
            raise TypeError(f"{function.__name__}: {name} is {argument.dtype}; allowed: float32, float64")
        first = first or (name, argument.dtype)
        if argument.dtype != first[1]:
            raise TypeError(f"{function.__name__}: {name} is {argument.dtype} but {first[0]} is {first[1]}; "
                            "all arrays of a call share one dtype")
    raise TypeError(f"{function.__name__}: no floating-point array among its arguments")


@functools.lru_cache(maxsize=None)
def parse_activation(activation):
    """Return (name, slope) of an activation as text: "relu" -> ("relu", 0.0), "leaky_relu(0.3)" -> ("leaky_relu", 0.3)."""
    match = re.fullmatch(r"leaky_relu(?:\((\d*\.?\d+)\))?", activation) if isinstance(activation, str) else None
    if match:
        return "leaky_relu", float(match.group(1) or LEAKY_RELU_SLOPE)
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}; there are: {', '.join(ACTIVATIONS)}, leaky_relu(SLOPE)")
    return activation, 0.0
