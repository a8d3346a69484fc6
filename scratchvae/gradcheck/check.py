"""Proof of a backward pass: its gradients against central differences of the forward pass, in
float64.

For a loss L and a number t in an array, the derivative dL/dt is compared with the central
difference of fourth order,

    (8 (L(t + h) - L(t - h)) - (L(t + 2h) - L(t - 2h))) / 12h,

whose error is of order h^4 by truncation and 1e-16 L / h by rounding: about 1e-12 for h = 1e-3.
Every element of every
parameter and of the input is moved.  An element that fails is tried again with other h: a larger
one cures rounding in a tiny
derivative of a large loss, smaller ones a kink within reach, as relu's at 0; none cures a wrong
gradient.

A gradient check passes on a forward pass that is consistently wrong; that is what comparisons with
other libraries are for.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import ScratchVAEError
from ..models import Model, Sequential

STEPS = (1e-3, 1e-2, 1e-4, 1e-5, 1e-6)
TOLERANCE = 1e-6
FLOOR = 1e-3  # of an array's largest gradient: smaller elements are compared with this much of it
# of the loss: gradients below it are compared with it, since differences of the loss are rounded
ROUNDING = 1e-6


@dataclass(frozen=True)
class Row:
    """The verdict on one array: the largest relative error among its elements."""

    parameter: str
    shape: tuple
    error: float
    passed: bool


@dataclass(frozen=True)
class Report:
    """The verdicts on all arrays of a layer or a model."""

    name: str
    rows: tuple

    @property
    def passed(self):
        """True if every array's gradient is right."""
        return all(row.passed for row in self.rows)

    def __str__(self):
        lines = [f"{self.name}: {'passed' if self.passed else 'FAILED'}"]
        lines += [
            f"  {row.parameter:<32}{str(row.shape):<20}{row.error:.1e}  "
            f"{'ok' if row.passed else 'WRONG'}"
            for row in self.rows
        ]
        return "\n".join(lines)


def check_layer(layer, input_shape, batch=3, seed=0, tolerance=TOLERANCE):
    """Check a layer, or a Sequential, on `batch` random examples of input_shape.  Returns a Report;
    assert report.passed.

    The layer itself is left alone: a float64 copy is made from its get_config(), with random
    parameters near its own.
    L = sum(dout * forward(x)) with a random dout, since a constant one hides mistakes (softmax and
    batch normalisation have
    dx = 0 for it).
    """
    rng = np.random.default_rng(seed)
    copy = layer.clone("float64")
    copy.build(input_shape, seed)
    if getattr(layer, "input_shape", None) is not None:
        copy.set_weights(layer.get_weights())
    kernels = copy.kernels
    for parameter in copy.params.values():
        kernels.copy(
            kernels.to_host(parameter) + 0.1 * rng.standard_normal(parameter.shape), parameter
        )
    x = kernels.from_host(
        random_examples(
            copy.input_dtype, (batch, *np.atleast_1d(input_shape)), rng.standard_normal, rng
        )
    )
    dout = rng.standard_normal((batch, *copy.output_shape))

    def loss():
        return np.sum(dout * kernels.to_host(copy.forward(x, training=True)))

    loss()
    dx = copy.backward(kernels.from_host(dout))
    name = f"{type(layer).__name__}({', '.join(str(value) for value in _short_config(layer).values())})"
    arrays, gradients = (
        ({"input": x}, {"input": dx}) if dx is not None else ({}, {})
    )  # words have no gradient
    return Report(
        name,
        compare(loss, arrays | copy.params, on_host(kernels, gradients | copy.grads), tolerance),
    )


def check_model(model, x=None, seed=0, tolerance=TOLERANCE):
    """Check a VAE or an Autoencoder: the whole loss, its noise fixed, against every parameter and
    the input.

    x: a few examples; random ones in [0, 1] if not given, for a model that is built.  The model
    itself is left alone.
    """
    if model.input_shape is None and x is None:
        raise ScratchVAEError(
            "check_model: the model is not built and no x given; call model.build(input_shape), "
            "or give x"
        )
    rng = np.random.default_rng(seed)
    config = model.get_config() | {
        "dtype": "float64",
        "input_shape": model.input_shape or np.shape(x)[1:],
    }
    copy = Model.from_config(config, model.backend)
    kernels = copy.kernels
    for name in copy.parameters.names:
        start = copy.parameters[name] if model.input_shape is None else model.parameters[name]
        kernels.copy(
            kernels.to_host(start) + 0.3 * rng.standard_normal(start.shape), copy.parameters[name]
        )
    x = (
        random_examples(copy.encoder.input_dtype, (3, *copy.input_shape), rng.random, rng)
        if x is None
        else copy.as_examples(x).copy()
    )
    x, target = kernels.from_host(x), kernels.from_host(x.copy())
    kl_weight = copy.kl_weight.weight
    copy.noise.seed = seed
    copy.noise.step = 1

    def loss():
        reconstruction, kl = copy.forward(x, training=True, target=target)
        return np.mean(kernels.to_host(reconstruction) + kl_weight * kernels.to_host(kl))

    loss()
    dx = copy.backward(kl_weight, need_dx=True)
    gradients = {
        f"{path}/{name}": grad
        for path, layer in copy.layers.items()
        for name, grad in layer.grads.items()
    }
    parameters = {name: copy.parameters[name] for name in copy.parameters.names}
    name = f"{type(model).__name__}({model.loss.name}, {model.loss.activation})"
    arrays, dx = ({"input": x}, {"input": dx}) if dx is not None else ({}, {})
    return Report(
        name, compare(loss, arrays | parameters, on_host(kernels, dx | gradients), tolerance)
    )


def random_examples(dtype, shape, numbers, rng):
    """Random numbers, or the words 0 to 2."""
    return rng.integers(0, 3, shape, dtype) if dtype else numbers(shape)


def on_host(kernels, gradients):
    """Copies of the gradients as NumPy arrays, which the next backward pass leaves alone."""
    return {name: kernels.to_host(gradient).copy() for name, gradient in gradients.items()}


def compare(loss, arrays, gradients, tolerance=TOLERANCE):
    """Rows of verdicts: the gradients of loss(), NumPy's, with respect to the backend's arrays, by
    name, against central differences.
    """
    rows = []
    for name, array in arrays.items():
        if gradients[name].shape != array.shape:
            raise ScratchVAEError(
                f"the gradient of {name} has shape {gradients[name].shape}, {name} itself "
                f"{array.shape}"
            )
        error = largest_error(loss, array, gradients[name], tolerance)
        rows.append(Row(name, array.shape, error, error <= tolerance))
    return tuple(rows)


def largest_error(loss, array, gradient, tolerance):
    """The largest relative error of the gradient, |analytic - numeric| / max(|analytic|, |numeric|,
    FLOOR * largest, ROUNDING * |L|).
    """
    numeric = np.array([central_difference(loss, array, i, STEPS[0]) for i in range(array.size)])
    gradient = gradient.ravel()
    floor = max(FLOOR * np.abs(numeric).max(), ROUNDING * abs(loss()), 1e-12)

    def error(i, numeric):
        return abs(gradient[i] - numeric) / max(abs(gradient[i]), abs(numeric), floor)

    errors = np.array([error(i, numeric[i]) for i in range(array.size)])
    for i in np.flatnonzero(~(errors <= tolerance / 10)):
        errors[i] = min(
            [errors[i]] + [error(i, central_difference(loss, array, i, h)) for h in STEPS[1:]]
        )
    return float(errors.max())


def central_difference(loss, array, i, h):
    """dL/dt for t the array's element number i, from four points at distances h and 2h."""
    flat = array.reshape(array.size)
    t = flat[i]
    values = []
    for distance in (h, -h, 2 * h, -2 * h):
        flat[i] = t + distance
        values.append(loss())
    flat[i] = t
    return (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * h)


def _short_config(layer):
    if isinstance(layer, Sequential):
        return {"layers": list(layer.layers)}
    return {
        name: value
        for name, value in layer.get_config().items()
        if name != "class" and "initializer" not in name
    }
