"""Finite differences for a sample of a model's parameters: the proof of gradcheck, at full size, as
far as the time allows.

The whole loss of a float64 copy of the model, with the same noise, on a few examples: its
derivatives with respect to single entries
against central differences.  Biases and other vectors are moved a little first: fresh ones put many
a relu exactly on its kink (a bias of
0 under a black border), or next to it.  When an entry of a layer is moved, the layers before it
give again what they gave: only the rest is
computed anew.
"""

import time
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from ...gradcheck.check import FLOOR, ROUNDING, central_difference
from ...models import Model
from .tap import tapped

EXAMPLES = 2
ENTRIES = 6  # of each layer, at most
STEPS = (
    1e-3,
    1e-5,
    1e-6,
    1e-7,
    1e-8,
)  # distances, until one is right: a bias moves thousands of relu units near their kinks
# in a large network some relu always bends within reach of a difference; mistakes are larger by far
TOLERANCE = 1e-3
ENOUGH = 1e-7  # an error so small that no other distance need be tried
NUDGE = 0.1  # standard deviation of what is added to vectors
WITHOUT_FREE_BITS = {"free_bits": 0.0}  # which change the gradient on purpose, not the loss


@dataclass
class Checked:
    """How many entries of a layer's parameters were checked, and the largest relative error."""

    entries: int = 0
    error: float = 0.0

    @property
    def passed(self):
        """True if the gradient is right as far as it was looked at."""
        return self.error <= TOLERANCE


def check(subject, seconds):
    """path of a layer -> Checked, for layers with parameters, after about so many seconds at most.
    """
    loss = Loss(subject)
    paths = [
        path for path in reversed(loss.order) if loss.layers.get(path) and loss.layers[path].params
    ]
    rng = np.random.default_rng(subject.seed)
    result = {path: Checked() for path in paths}
    deadline = time.perf_counter() + seconds
    with tqdm(
        total=ENTRIES * len(paths), desc="finite differences", leave=False, disable=None
    ) as bar:
        for number in range(ENTRIES):
            if number:
                loss.begin()
            for path in paths:  # the last first: what comes before it is not disturbed by that
                if time.perf_counter() > deadline:
                    return result
                error = loss.error(path, rng)
                result[path] = Checked(result[path].entries + 1, max(result[path].error, error))
                bar.update()
    return result


class Loss:
    """The loss of a float64 copy on a few examples, a function of its parameters."""

    def __init__(self, subject):
        model = subject.model
        rng = np.random.default_rng(subject.seed)
        config = model.get_config() | {"dtype": "float64"}
        copy = self.model = Model.from_config(
            config | (WITHOUT_FREE_BITS if "free_bits" in config else {}), model.backend
        )
        copy.parameters.values[...] = model.parameters.values
        for parameter in map(copy.parameters.__getitem__, copy.parameters.names):
            if parameter.ndim == 1:
                parameter += NUDGE * rng.standard_normal(parameter.shape)
        self.x = subject.x[:EXAMPLES].astype(copy.encoder.input_dtype or "float64")
        self.target = subject.target[:EXAMPLES].astype(copy.loss.target_dtype or "float64")
        self.kl_weight = subject.kl_weight
        self.layers = copy.layers
        copy.noise.seed = subject.seed
        copy.noise.step = subject.steps
        self.begin()
        copy.backward(self.kl_weight)

    def begin(self):
        """Compute everything anew."""
        self.moved = None
        self.order = []
        self.given = {}  # which layer's entry is moved; all places in their order; what they gave
        self.value = self()

    def __call__(self):
        with tapped(self.model, None, self.remember):
            reconstruction, kl = self.model.forward(self.x, training=True, target=self.target)
        return np.mean(reconstruction + self.kl_weight * kl)

    def remember(self, call, function, arguments, keywords):
        """A tap: what comes before the moved layer need not be computed."""
        if self.moved is not None and self.order.index(call.place) < self.order.index(self.moved):
            return self.given[call.place]
        result = function(*arguments, **keywords)
        if self.moved is None:
            if call.place not in self.order:
                self.order.append(call.place)
            self.given[call.place] = result
        return result

    def error(self, path, rng):
        """The relative error of the derivative with respect to a random entry of the layer's
        parameters, as gradcheck defines it.
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
            errors.append(abs(gradient[i] - numeric) / max(abs(gradient[i]), abs(numeric), floor))
            if errors[-1] <= ENOUGH:
                break
        return float(min(errors))

    @staticmethod
    def choose(gradient, rng):
        """An entry: any, or every other time one that is not 0, since few rows of a table of words
        have a gradient.
        """
        candidates = np.flatnonzero(gradient)
        return (
            int(rng.choice(candidates))
            if candidates.size and rng.random() < 0.5
            else int(rng.integers(gradient.size))
        )
