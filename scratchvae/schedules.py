"""How the weight of the KL term changes during training.  A schedule is a function of the training step, counted from 0.

Its `weight` is what it leads to, and what validation losses use, so that they can be compared from epoch to epoch.
"""
import inspect

from .errors import ScratchVAEError


class Constant:
    """weight."""

    def __init__(self, weight=1.0):
        self.weight = number("kl_weight", weight, 0, " or a schedule")

    def __call__(self, step):
        return self.weight


class LinearWarmup:
    """Rises from 0 to weight over `steps` steps, then stays   (Bowman et al. 2016)."""

    def __init__(self, steps, weight=1.0):
        self.steps = number("steps", steps, 1)
        self.weight = number("weight", weight, 0)

    def __call__(self, step):
        return self.weight * min(1.0, step / self.steps)


class Cyclical:
    """Every `steps` steps: rises from 0 to weight over the first half, stays for the second   (Fu et al. 2019)."""

    def __init__(self, steps, weight=1.0):
        self.steps = number("steps", steps, 1)
        self.weight = number("weight", weight, 0)

    def __call__(self, step):
        return self.weight * min(1.0, 2 * (step % self.steps) / self.steps)


SCHEDULES = {schedule.__name__: schedule for schedule in (Constant, LinearWarmup, Cyclical)}


def get(kl_weight):
    """A schedule from a number, a schedule, or the configuration of one."""
    if isinstance(kl_weight, tuple(SCHEDULES.values())):
        return kl_weight
    if isinstance(kl_weight, dict) and kl_weight.get("class") in SCHEDULES:
        return SCHEDULES[kl_weight["class"]](**{name: value for name, value in kl_weight.items() if name != "class"})
    return Constant(kl_weight)


def get_config(schedule):
    """The arguments that make it again, with its class's name."""
    return {"class": type(schedule).__name__} | {name: getattr(schedule, name) for name in inspect.signature(type(schedule)).parameters}


def number(name, value, least, otherwise=""):
    """The value as a float, or an error that says what is allowed."""
    try:
        if not least <= float(value) < float("inf"):
            raise ValueError
    except (TypeError, ValueError):
        raise ScratchVAEError(f"{name} is {value!r}; allowed: numbers from {least}{otherwise}") from None
    return float(value)
