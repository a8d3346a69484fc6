"""Checks of a backward pass: its gradients against central differences of the forward pass.

For a loss L and a number t in an array, the derivative dL/dt is compared with the central
difference of fourth order,

    (8 (L(t + h) - L(t - h)) - (L(t + 2h) - L(t - 2h))) / 12h.

All numbers are float64. The truncation error is of order h^4, the rounding error of order
1e-16 L / h: about 1e-12 for h = 1e-3.

Every element of every parameter and of the input is checked. An element that fails is checked again
with other distances h. A larger h helps where the derivative is tiny and the loss is large, so that
rounding dominates. A smaller h helps near a kink, such as that of relu at 0. No h makes a wrong
gradient pass.

The check runs as training does: parameters and gradients lie in a model's flat arrays, and the
backward pass runs twice. So it also finds a layer that can never learn because it keeps arrays of
its own, and one whose gradients add up.

A gradient check passes if the forward pass is wrong and the backward pass is its exact derivative.
Comparisons with other libraries find such mistakes.
"""
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ScratchVAEError
from ..layers.parameters import Parameters
from ..models import Classifier, Model, Sequential
from .problems import problems_of
from .resemblance import resemblance

STEPS = (1e-3, 1e-2, 1e-4, 1e-5, 1e-6)      # distances h, in the order in which they are tried
TOLERANCE = 1e-6
# Errors are relative to the gradient, but at least to these, since differences are rounded:
FLOOR = 1e-3                                # of the largest gradient in the array
ROUNDING = 1e-6                             # of the loss


@dataclass(frozen=True)
class Row:
    """The result for one array.

    Attributes
    ----------
    parameter : str
        The array's name; "input" for the input.
    shape : tuple of int
    error : float
        The largest relative error among the elements of its gradient.
    passed : bool
    hint : str
        What is probably wrong, if that can be told.
    """
    parameter: str
    shape: tuple
    error: float
    passed: bool
    hint: str = ""


@dataclass(frozen=True)
class Report:
    """The results for all arrays of a layer or a model.

    Attributes
    ----------
    name : str
    rows : tuple of Row
    problems : tuple of str
        What is wrong besides the numbers, such as an input that is changed.
    """
    name: str
    rows: tuple
    problems: tuple = ()

    @property
    def passed(self):
        """Whether every array's gradient is right, and nothing else is wrong."""
        return all(row.passed for row in self.rows) and not self.problems

    def __str__(self):
        lines = [f"{self.name}: {'passed' if self.passed else 'FAILED'}"]
        for row in self.rows:
            verdict = "ok" if row.passed else "WRONG"
            hint = f": {row.hint}" if row.hint else ""
            lines.append(f"  {row.parameter:<32}{str(row.shape):<20}{row.error:.1e}  "
                         f"{verdict}{hint}")
        lines += [f"  {problem}" for problem in self.problems]
        return "\n".join(lines)


def check_layer(layer, input_shape, batch=3, seed=0, tolerance=TOLERANCE):
    """Return a Report on the gradients of a layer or a Sequential.

    The layer itself does not change: a float64 copy is checked, with random parameters near its
    own. The loss is L = sum(dout * forward(x)) with a random dout. A constant dout would hide
    mistakes: for softmax and batch normalisation it makes dx = 0.

    Parameters
    ----------
    layer : Layer or Sequential
        Built or not.
    input_shape : tuple of int
        The shape of an example, without the batch axis.
    batch : int, default 3
        Number of random examples.
    seed : int, default 0
        Seed of parameters, x and dout.
    tolerance : float, default 1e-6
        The largest relative error that passes.

    Returns
    -------
    Report

    Raises
    ------
    ScratchVAEError
        If a gradient has another shape than its array.
    """
    rng = np.random.default_rng(seed)
    copy = layer.clone("float64")
    copy.build(input_shape, seed)
    if getattr(layer, "input_shape", None) is not None:
        copy.set_weights(layer.get_weights())
    kernels = copy.kernels
    layers = copy.layers if isinstance(copy, Sequential) else {"": copy}
    parameters = Parameters(layers, kernels, "float64")
    for parameter in copy.params.values():
        move_randomly(kernels, parameter, parameter, 0.1, rng)
    shape = (batch, *np.atleast_1d(input_shape))
    x = kernels.from_host(random_examples(copy.input_dtype, shape, rng.standard_normal, rng))
    dout = rng.standard_normal((batch, *copy.output_shape))

    def loss():
        return np.sum(dout * kernels.to_host(copy.forward(x, training=True)))

    def backward():
        return copy.backward(kernels.from_host(dout.copy()))

    def outputs():
        return kernels.to_host(copy.forward(x, training=True))

    def gradients():
        dx = backward()
        return {"input": None if dx is None else kernels.to_host(dx)}

    rows = check(loss, backward, x, parameters, layers, tolerance)
    problems = problems_of(outputs, gradients, {"input": kernels.to_host(x)}, views=True)
    return Report(describe(layer), rows, problems)


def check_model(model, x=None, seed=0, tolerance=TOLERANCE):
    """Return a Report on the gradients of a model's whole loss; a Classifier has random labels.

    The model itself does not change: a float64 copy is checked. Its noise is fixed, so that the
    loss is a function of the parameters and the input.

    Parameters
    ----------
    model : Model
    x : array (N, *input_shape), optional
        A few examples. Default: 3 random ones in [0, 1], for a model that is built.
    seed : int, default 0
        Seed of parameters, x and noise.
    tolerance : float, default 1e-6
        The largest relative error that passes.

    Returns
    -------
    Report

    Raises
    ------
    ScratchVAEError
        If the model is not built and no x is given.
    """
    if model.input_shape is None and x is None:
        raise ScratchVAEError(
            "check_model: the model is not built and no x given; call model.build(input_shape), "
            "or give x"
        )
    rng = np.random.default_rng(seed)
    input_shape = model.input_shape or np.shape(x)[1:]
    config = model.differentiable_config() | {"dtype": "float64", "input_shape": input_shape}
    copy = Model.from_config(config, model.backend)
    kernels = copy.kernels
    start = copy if model.input_shape is None else model
    for name in copy.parameters.names:
        move_randomly(kernels, start.parameters[name], copy.parameters[name], 0.3, rng)
    if x is None:
        first = next(iter(copy.parts.values()))
        x = random_examples(first.input_dtype, (3, *copy.row_shape), rng.random, rng)
    else:
        x = np.array(copy.as_examples(x))
    target = x.copy()
    if isinstance(copy, Classifier):
        target = rng.integers(0, copy.class_count, (len(x), 1), np.int32)
    target = kernels.from_host(target)
    x = kernels.from_host(x)
    kl_weight = copy.kl_weight.weight
    copy.noise.seed = seed
    copy.noise.step = 1

    def loss():
        reconstruction, kl = copy.forward(x, training=True, target=target)
        return np.mean(kernels.to_host(reconstruction) + kl_weight * kernels.to_host(kl))

    rows = check(loss, lambda: copy.backward(kl_weight, need_dx=True), x, copy.parameters,
                 copy.layers, tolerance)
    return Report(f"{type(model).__name__}({model.loss.name}, {model.loss.activation})", rows)


def check(loss, backward, x, parameters, layers, tolerance):
    """Return the Rows of a layer or a model that is ready.

    Parameters
    ----------
    loss : function
        Runs the forward pass and returns L.
    backward : function
        Runs the backward pass and returns dx, or None.
    x : array
        The input.
    parameters : Parameters
    layers : dict of path -> Layer
    tolerance : float
    """
    kernels = parameters.kernels
    loss()
    backward()
    once = {name: kernels.to_host(parameters.gradient(name)).copy() for name in parameters.names}
    loss()
    dx = backward()
    arrays, gradients = with_input(
        x, dx, {name: parameters[name] for name in parameters.names},
        {name: parameters.gradient(name) for name in parameters.names})
    rows = compare(loss, arrays, on_host(kernels, gradients), tolerance)
    found = [row if row.passed or row.parameter == "input" else
             replace(row, hint=hint(row.parameter, once, loss, parameters, layers) or row.hint)
             for row in rows]
    return tuple(replace(row, parameter=row.parameter.removeprefix("/")) for row in found)


def hint(path, once, loss, parameters, layers):
    """Return what is probably wrong with a gradient, or an empty text.

    Parameters
    ----------
    path : str
        The parameter's name.
    once : dict of name -> array
        The gradients after one backward pass.
    loss, parameters, layers
        See check.
    """
    to_host = parameters.kernels.to_host
    layer, name = owner(path, layers)
    gradient = to_host(parameters.gradient(path))
    if layer.grads[name] is not parameters.gradient(path) and not gradient.any():
        return (f"self.grads[{name!r}] was replaced by another array, which the optimizer does "
                f"not see; fill it: self.grads[{name!r}][...] = ...")
    if once[path].any() and np.allclose(gradient, 2 * once[path]):
        return f"backward adds to self.grads[{name!r}]; a second pass must set it anew"
    value = to_host(parameters[path])
    kept = value.copy()
    before = loss()
    value[...] += 1
    moved = loss()
    value[...] = kept
    if gradient.any() and moved == before:
        return (f"forward does not read self.params[{name!r}]: an array kept in setup is not the "
                "one that is trained")
    return ""


def owner(path, layers):
    """Return (layer, name) of a parameter.

    The name has a slash, as in forward/bias, if the layer wraps others.

    Parameters
    ----------
    path : str
        The layer's path, a slash, and the parameter's name.
    layers : dict of path -> Layer
    """
    return next((layer, path.removeprefix(f"{layer_path}/")) for layer_path, layer in layers.items()
                if path.removeprefix(f"{layer_path}/") in layer.grads)


def move_randomly(kernels, start, parameter, spread, rng):
    """Set a parameter to `start` plus normal noise of standard deviation `spread`."""
    noise = spread * rng.standard_normal(start.shape)
    kernels.copy(kernels.to_host(start) + noise, parameter)


def random_examples(dtype, shape, numbers, rng):
    """Return random examples: the words 0 to 2 for an integer dtype, otherwise numbers(shape)."""
    return rng.integers(0, 3, shape, dtype) if dtype else numbers(shape)


def with_input(x, dx, parameters, gradients):
    """Return (arrays, gradients) by name, with the input added unless dx is None (for words)."""
    if dx is None:
        return parameters, gradients
    return {"input": x} | parameters, {"input": dx} | gradients


def on_host(kernels, gradients):
    """Return NumPy copies of the gradients by name; the next backward pass cannot change them."""
    return {name: kernels.to_host(gradient).copy() for name, gradient in gradients.items()}


def compare(loss, arrays, gradients, tolerance=TOLERANCE):
    """Return a Row for each array: its gradient against central differences of the loss.

    Parameters
    ----------
    loss : function
        loss() returns L for the present contents of the arrays.
    arrays : dict of name -> array
        Arrays of the backend. Each element is changed and set back.
    gradients : dict of name -> NumPy array
        dL/d(array).
    tolerance : float, default 1e-6
        The largest relative error that passes.

    Returns
    -------
    tuple of Row

    Raises
    ------
    ScratchVAEError
        If a gradient has another shape than its array.
    """
    rows = []
    shapes = {name: array.shape for name, array in arrays.items()}
    for name, array in arrays.items():
        gradient = gradients[name]
        if gradient.shape != array.shape:
            raise ScratchVAEError(f"the gradient of {name} has shape {gradient.shape}, "
                                  f"{name} itself {array.shape}")
        numeric, errors = differences(loss, array, gradient, tolerance)
        error = float(errors.max(initial=0))
        wrong = np.flatnonzero(~(errors <= tolerance))
        words = ""
        if len(wrong):
            if all(at_kink(loss, array, i, gradient.flat[i]) for i in wrong):
                errors[wrong] = 0
                error = float(errors.max())
                words = f"at a kink in {len(wrong)} elements, where it is the slope of one side"
            else:
                words = resemblance(gradient, numeric, shapes)
        rows.append(Row(name, array.shape, error, error <= tolerance, words))
    return tuple(rows)


def differences(loss, array, gradient, tolerance):
    """Return (central differences, relative errors) of all elements of an array.

    An element's relative error is |analytic - numeric| / max(|analytic|, |numeric|, floor). The
    floor is FLOOR times the array's largest gradient or ROUNDING times |L|, whichever is larger.

    Parameters
    ----------
    loss : function
        loss() returns L for the present contents of the array.
    array : array
    gradient : NumPy array of the same shape
    tolerance : float
        Elements with more than a tenth of it are checked again with other distances.

    Returns
    -------
    (array of that shape, array (size,))
    """
    analytic = gradient.ravel()
    numeric = np.array([central_difference(loss, array, i, STEPS[0]) for i in range(array.size)])
    floor = max(FLOOR * np.abs(numeric).max(initial=0), ROUNDING * abs(loss()), 1e-12)
    errors = np.array([relative_error(a, n, floor) for a, n in zip(analytic, numeric)])
    # Not errors > tolerance / 10: a NaN must be checked again, too.
    for i in np.flatnonzero(~(errors <= tolerance / 10)):
        for h in STEPS[1:]:
            error = relative_error(analytic[i], central_difference(loss, array, i, h), floor)
            errors[i] = min(errors[i], error)
    return numeric.reshape(array.shape), errors


def at_kink(loss, array, i, analytic, h=1e-7):
    """Return whether L has a kink at an element, and the gradient is the slope of one side."""
    flat = array.reshape(array.size)
    t = flat[i]
    middle = loss()
    slopes = []
    for side in (h, -h):
        flat[i] = t + side
        slopes.append((loss() - middle) / side)
    flat[i] = t
    bend = abs(slopes[0] - slopes[1])
    return bend > 1e-3 and min(abs(analytic - slope) for slope in slopes) < 1e-3 * bend


def relative_error(analytic, numeric, floor):
    """Return |analytic - numeric| relative to the larger of the two, or to the floor."""
    return abs(analytic - numeric) / max(abs(analytic), abs(numeric), floor)


def central_difference(loss, array, i, h):
    """Return dL/dt for the array's element number i, from L at t +- h and t +- 2h.

    Parameters
    ----------
    loss : function
        loss() returns L for the present contents of the array.
    array : array
        C-contiguous. The element is changed and set back.
    i : int
        Index into the flattened array.
    h : float
        Distance.

    Returns
    -------
    float
    """
    flat = array.reshape(array.size)
    t = flat[i]
    values = []
    for distance in (h, -h, 2 * h, -2 * h):
        flat[i] = t + distance
        values.append(loss())
    flat[i] = t
    return (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * h)


def describe(layer):
    """Return a layer's class and arguments as text, without its initializers."""
    if isinstance(layer, Sequential):
        values = [list(layer.layers)]
    else:
        values = [value for name, value in layer.arguments().items() if "initializer" not in name]
    return f"{type(layer).__name__}({', '.join(map(str, values))})"
