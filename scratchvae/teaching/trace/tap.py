"""Taps: every call of a model's training step goes through a function of yours.

The layers need no change for it. A call has a place and a direction. The places are the paths of
the layers ("encoder/dense"), "loss", "sampling" (the noise and the reparameterization) and "kl",
each forward and backward, and "optimizer" with the direction "update".
"""
from contextlib import contextmanager
from typing import NamedTuple

# Families of operations that are places: the model's own, and those of its objective.
MODEL_S = {"reparameterize": "sampling"}
OBJECTIVE_S = {"gaussian_kl": "kl"}


class Call(NamedTuple):
    """A call of a training step.

    Attributes
    ----------
    place : str
    direction : str
        "forward", "backward", "update"; "noise" where the noise for sampling is drawn.
    owner : object
        The layer, the loss or the optimizer; the model for operations that it calls itself.
    """
    place: str
    direction: str
    owner: object


@contextmanager
def tapped(model, optimizer, tap):
    """Send every call of a step through the tap within the block.

    Parameters
    ----------
    model : Model
    optimizer : Optimizer or None
    tap : function
        tap(call, function, arguments, keywords) makes the Call and returns what it returns:
        function(*arguments, **keywords).
    """
    owners = {path: (layer, ("forward", "backward")) for path, layer in model.layers.items()}
    owners["loss"] = (model.loss, ("forward", "backward"))
    if optimizer:
        owners["optimizer"] = (optimizer, ("update",))
    kernels = model.kernels
    objective = vars(model).get("objective")
    try:
        for place, (owner, directions) in owners.items():
            for direction in directions:
                call = Call(place, direction, owner)
                setattr(owner, direction, _through(tap, call, getattr(owner, direction)))
        model.kernels = _Kernels(kernels, model, tap, MODEL_S)
        if objective:
            objective.kernels = _Kernels(kernels, model, tap, OBJECTIVE_S)
        model.noise.normal = _through(tap, Call("sampling", "noise", model), model.noise.normal)
        yield
    finally:
        model.kernels = kernels
        if objective:
            objective.kernels = kernels
        vars(model.noise).pop("normal", None)
        for owner, directions in owners.values():
            for direction in directions:
                vars(owner).pop(direction, None)        # uncovers the method of the class


def _through(tap, call, function):
    def through(*arguments, **keywords):
        return tap(call, function, arguments, keywords)
    return through


class _Kernels:
    """A backend of which some families of operations go through a tap."""

    def __init__(self, kernels, model, tap, places):
        self._kernels = kernels
        for family, place in places.items():
            for direction in ("forward", "backward"):
                name = f"{family}_{direction}"
                call = Call(place, direction, model)
                setattr(self, name, _through(tap, call, getattr(kernels, name)))

    def __getattr__(self, name):
        return getattr(self._kernels, name)
