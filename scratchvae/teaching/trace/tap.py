"""Taps a model from outside: whatever a training step does goes through a function of yours, and
the layers know nothing of it.

A step consists of calls, each with a place and a direction: the layers by their paths
("encoder/dense"), "loss", "sampling" (the noise and
the reparameterization) and "kl" forwards and backwards, and "optimizer", whose direction is
"update".
"""

from contextlib import contextmanager
from typing import NamedTuple

OPERATIONS = {
    "reparameterize": "sampling",
    "gaussian_kl": "kl",
}  # kernels that a model calls itself, and their places


class Call(NamedTuple):
    """Which part of a training step."""

    place: str
    direction: str  # forward, backward, update; noise is drawn in the direction "noise"
    owner: object  # the layer, the loss, the optimizer; of kernels the model


@contextmanager
def tapped(model, optimizer, tap):
    """Within the block, every call of a step is made by tap(call, function, arguments, keywords),
    which returns what the call returns.
    """
    owners = {path: (layer, ("forward", "backward")) for path, layer in model.layers.items()}
    owners |= {"loss": (model.loss, ("forward", "backward"))}
    if optimizer:
        owners["optimizer"] = (optimizer, ("update",))
    kernels = model.kernels
    try:
        for place, (owner, directions) in owners.items():
            for direction in directions:
                setattr(
                    owner,
                    direction,
                    _through(tap, Call(place, direction, owner), getattr(owner, direction)),
                )
        model.kernels = _Kernels(model, tap)
        model.noise.normal = _through(tap, Call("sampling", "noise", model), model.noise.normal)
        yield
    finally:
        model.kernels = kernels
        vars(model.noise).pop("normal", None)
        for owner, directions in owners.values():
            for direction in directions:
                vars(owner).pop(direction, None)  # the class's own method comes back


def _through(tap, call, function):
    def through(*arguments, **keywords):
        return tap(call, function, arguments, keywords)

    return through


class _Kernels:
    """A backend whose operations for sampling and KL go through a tap."""

    def __init__(self, model, tap):
        self._kernels = model.kernels
        for operation, place in OPERATIONS.items():
            for direction in ("forward", "backward"):
                function = getattr(model.kernels, f"{operation}_{direction}")
                setattr(
                    self,
                    f"{operation}_{direction}",
                    _through(tap, Call(place, direction, model), function),
                )

    def __getattr__(self, name):
        return getattr(self._kernels, name)
