"""Finite differences for some parameters of a model at its full size, as far as the time allows.

The whole loss of a float64 copy of the model is a function of its parameters: the noise is fixed,
and there are a few examples. Its derivatives with respect to random entries of each layer's
parameters are compared with central differences, as in gradcheck.

Biases and other vectors are moved a little first. New ones would put many relu units exactly on
their kink (a bias of 0 below a black border of an image), where no derivative exists.

While an entry of a layer is moved, the layers before it return what they returned last time. Only
the rest is computed again.
"""
import time
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from ...gradcheck.check import FLOOR, ROUNDING, central_difference, relative_error
from ...models import Model
from .tap import tapped

EXAMPLES = 3
ENTRIES = 6                     # of each layer, at most
# Distances of the differences, tried until one gives a small error. A bias moves thousands of relu
# units near their kinks, so some distances must be tiny.
STEPS = (1e-3, 1e-5, 1e-6, 1e-7, 1e-8)
# In a large network some relu unit is always near its kink. Errors of mistakes are far larger.
TOLERANCE = 1e-3
ENOUGH = 1e-7                   # an error so small that no other distance is tried
NUDGE = 0.1                     # standard deviation of the noise added to vectors


@dataclass
class Checked:
    """The result for the parameters of one layer.

    Attributes
    ----------
    entries : int
        How many were checked.
    error : float
        The largest relative error.
    """
    entries: int = 0
    error: float = 0.0

    @property
    def passed(self):
        """Whether the gradients of all checked entries are right."""
        return self.error <= TOLERANCE


def check(subject, seconds):
    """Return what finite differences say of each layer with parameters.

    Parameters
    ----------
    subject : Subject
    seconds : float
        No further entry is checked after that time.

    Returns
    -------
    dict of path of a layer -> Checked
    """
    loss = Loss(subject)
    paths = [path for path in reversed(loss.order)
             if path in loss.layers and loss.layers[path].params]
    rng = np.random.default_rng(subject.seed)
    result = {path: Checked() for path in paths}
    deadline = time.perf_counter() + seconds
    total = ENTRIES * len(paths)
    with tqdm(total=total, desc="finite differences", leave=False, disable=None) as bar:
        for number in range(ENTRIES):
            if number:
                loss.begin()
            for path in paths:          # from the last, so that the layers before it are as stored
                if time.perf_counter() > deadline:
                    return result
                error = loss.error(path, rng)
                result[path] = Checked(result[path].entries + 1, max(result[path].error, error))
                bar.update()
    return result


class Loss:
    """The loss of a float64 copy of a model on a few examples, as a function of its parameters.

    Parameters
    ----------
    subject : Subject

    Attributes
    ----------
    layers : dict of path -> Layer
        Of the copy.
    order : list of str
        The places of the forward pass, in their order.
    value : float
        The loss when no entry is moved.
    """

    def __init__(self, subject):
        model = subject.model
        rng = np.random.default_rng(subject.seed)
        config = model.differentiable_config() | {"dtype": "float64"}
        copy = Model.from_config(config, model.backend)
        copy.parameters.values[...] = model.parameters.values
        for name in copy.parameters.names:
            parameter = copy.parameters[name]
            if parameter.ndim == 1:
                parameter += NUDGE * rng.standard_normal(parameter.shape)
        self.model = copy
        self.x = subject.x[:EXAMPLES].astype(copy.encoder.input_dtype or "float64")
        self.target = subject.target[:EXAMPLES].astype(copy.loss.target_dtype or "float64")
        self.kl_weight = subject.kl_weight
        self.layers = copy.layers
        copy.noise.seed = subject.seed
        copy.noise.step = subject.steps
        self.begin()
        copy.backward(self.kl_weight)

    def begin(self):
        """Compute the loss and store what all places return."""
        self.moved = None               # the path of the layer whose entry is moved
        self.order = []
        self.stored = {}                # place -> what it returned
        self.value = self()

    def __call__(self):
        with tapped(self.model, None, self.remember):
            reconstruction, kl = self.model.forward(self.x, training=True, target=self.target)
        return np.mean(reconstruction + self.kl_weight * kl)

    def remember(self, call, function, arguments, keywords):
        """Return the stored result of a place before the moved layer; compute the others. A tap."""
        if self.moved is not None and self.order.index(call.place) < self.order.index(self.moved):
            return self.stored[call.place]
        result = function(*arguments, **keywords)
        if self.moved is None:
            if call.place not in self.order:
                self.order.append(call.place)
            self.stored[call.place] = result
        return result

    def error(self, path, rng):
        """Return the relative error of the derivative for a random entry of a layer's parameters.

        Parameters
        ----------
        path : str
        rng : numpy.random.Generator

        Returns
        -------
        float
            As gradcheck defines it, for the best of STEPS.
        """
        name = rng.choice(list(self.layers[path].params))
        array = self.layers[path].params[name]
        gradient = self.layers[path].grads[name].ravel()
        i = self.choose(gradient, rng)
        floor = max(FLOOR * np.abs(gradient).max(), ROUNDING * abs(self.value), 1e-12)
        self.moved = path
        errors = []
        for h in STEPS:
            numeric = central_difference(self, array, i, h)
            errors.append(relative_error(gradient[i], numeric, floor))
            if errors[-1] <= ENOUGH:
                break
        return float(min(errors))

    @staticmethod
    def choose(gradient, rng):
        """Return the index of a random entry; in half of the cases one with a gradient.

        Few rows of an embedding have a gradient, so that it is 0 at most entries.
        """
        with_gradient = np.flatnonzero(gradient)
        if with_gradient.size and rng.random() < 0.5:
            return int(rng.choice(with_gradient))
        return int(rng.integers(gradient.size))
