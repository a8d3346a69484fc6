"""Checks of backward passes that are no layers, and assertions for tests of one's own."""
import inspect

import numpy as np

from ..errors import ScratchVAEError
from ..layers import Layer
from ..models import Model, Sequential
from .check import TOLERANCE, Report, check_layer, check_model, compare
from .problems import problems_of


def check_function(forward, backward, inputs, seed=0, tolerance=TOLERANCE):
    """Return a Report on the gradients of a function, by central differences.

    The loss is L = sum(dout * forward(...)) with a random dout.

    Parameters
    ----------
    forward : function
        forward(*inputs) -> array, in float64.
    backward : function
        backward(dout, *inputs) -> the gradient of each input, in this order: an array, or a tuple
        of arrays. None stands for an input that has no gradient.
    inputs : list of array, or dict of name -> array
        Real numbers are checked in float64; arrays of integers are passed on as they are.
    seed : int, default 0
        Seed of dout.
    tolerance : float, default 1e-6
        The largest relative error that passes.

    Returns
    -------
    Report

    Raises
    ------
    ScratchVAEError
        If backward returns another number of gradients, or one of another shape.
    """
    name = getattr(forward, "__name__", "function")
    arrays = named(forward, inputs)
    real = {key: array for key, array in arrays.items() if array.dtype == np.float64}
    dout = np.random.default_rng(seed).standard_normal(np.shape(forward(*arrays.values())))

    def run():
        return np.asarray(forward(*arrays.values()))

    def gradients():
        found = backward(dout.copy(), *arrays.values())
        found = found if isinstance(found, (tuple, list)) else (found,)
        if len(found) != len(arrays):
            raise ScratchVAEError(f"check_function: {name} has {len(arrays)} inputs, but its "
                                  f"backward pass returned {len(found)} gradients; return one for "
                                  "each, None where there is none")
        return dict(zip(arrays, found))
    problems = problems_of(run, gradients, arrays)
    found = {key: np.asarray(gradient, np.float64) for key, gradient in gradients().items()
             if key in real and gradient is not None}
    rows = compare(lambda: float(np.sum(dout * run())), {key: real[key] for key in found}, found,
                   tolerance)
    return Report(name, rows, problems)


def named(forward, inputs):
    """Return the inputs by name, copied, real numbers as contiguous float64 arrays."""
    if not isinstance(inputs, dict):
        names = [parameter.name for parameter in inspect.signature(forward).parameters.values()
                 if parameter.kind == parameter.POSITIONAL_OR_KEYWORD]
        names += [f"input {i}" for i in range(len(names), len(inputs))]
        inputs = dict(zip(names, inputs))
    copies = {name: np.array(array, order="C") for name, array in inputs.items()}
    return {name: array.astype(np.float64) if array.dtype.kind == "f" else array
            for name, array in copies.items()}


def assert_gradients(subject, *arguments, **options):
    """Raise an AssertionError that says what is wrong, unless all gradients are right.

        assert_gradients(Dense(5), input_shape=(7,))            a layer or a Sequential
        assert_gradients(model)                                 a model
        assert_gradients(forward, backward, [x, w])             a function

    Parameters
    ----------
    subject : Layer, Sequential, Model or function
    *arguments, **options
        Those of check_layer, check_model or check_function.
    """
    if isinstance(subject, Model):
        report = check_model(subject, *arguments, **options)
    elif isinstance(subject, (Layer, Sequential)):
        report = check_layer(subject, *arguments, **options)
    else:
        report = check_function(subject, *arguments, **options)
    if not report.passed:
        raise AssertionError(str(report))
