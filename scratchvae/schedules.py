"""How the weight of the KL term changes during training.

A schedule is a function of the training step, counted from 0. Its `weight` is the value that it
leads to; validation losses use this one, so that they can be compared from epoch to epoch.
"""
import inspect

from . import checks


class Constant:
    """The same weight at every step.

    Parameters
    ----------
    weight : float
    """

    def __init__(self, weight=1.0):
        self.weight = checks.number("KL term", "kl_weight", weight)

    def __call__(self, step):
        return self.weight


class LinearWarmup:
    """Rises from 0 to weight over `steps` steps, then stays (Bowman et al. 2016).

    Parameters
    ----------
    steps : float
        At least 1.
    weight : float
    """

    def __init__(self, steps, weight=1.0):
        self.steps = checks.number("LinearWarmup", "steps", steps, 1)
        self.weight = checks.number("LinearWarmup", "weight", weight)

    def __call__(self, step):
        return self.weight * min(1.0, step / self.steps)


class Cyclical:
    """In each cycle: rises from 0 to weight over the first half, then stays (Fu et al. 2019).

    Parameters
    ----------
    steps : float
        The length of a cycle, at least 1.
    weight : float
    """

    def __init__(self, steps, weight=1.0):
        self.steps = checks.number("Cyclical", "steps", steps, 1)
        self.weight = checks.number("Cyclical", "weight", weight)

    def __call__(self, step):
        return self.weight * min(1.0, 2 * (step % self.steps) / self.steps)


SCHEDULES = {schedule.__name__: schedule for schedule in (Constant, LinearWarmup, Cyclical)}


def get(kl_weight):
    """Return a schedule from a number, a schedule, or the configuration of one."""
    if isinstance(kl_weight, tuple(SCHEDULES.values())):
        return kl_weight
    if isinstance(kl_weight, dict) and kl_weight.get("class") in SCHEDULES:
        arguments = {name: value for name, value in kl_weight.items() if name != "class"}
        return SCHEDULES[kl_weight["class"]](**arguments)
    return Constant(kl_weight)


def get_config(schedule):
    """Return the arguments that make a schedule again, with its class's name."""
    names = inspect.signature(type(schedule)).parameters
    return {"class": type(schedule).__name__} | {name: getattr(schedule, name) for name in names}
