"""How the weight of the KL term, or the learning rate, changes during training.

A schedule is a function of the training step, counted from 0. That of a KL weight has a `weight`,
the value that it leads to; validation losses use this one, so that they can be compared from epoch
to epoch. Those of a learning rate have Keras's names, arguments and formulas
(keras.optimizers.schedules). LinearWarmup is both.
"""
import bisect
import inspect
import math

from . import checks
from .errors import ScratchVAEError


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


class ExponentialDecay:
    """initial_learning_rate * decay_rate ^ (step / decay_steps).

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : float
        At least 1.
    decay_rate : float
    staircase : bool
        Whether step / decay_steps is rounded down, so that the rate falls every decay_steps steps.
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False):
        self.initial_learning_rate = _number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = _number(self, "decay_steps", decay_steps, 1)
        self.decay_rate = _number(self, "decay_rate", decay_rate)
        self.staircase = bool(staircase)

    def __call__(self, step):
        exponent = step / self.decay_steps
        if self.staircase:
            exponent = math.floor(exponent)
        return self.initial_learning_rate * self.decay_rate ** exponent


class PiecewiseConstantDecay:
    """values[0] up to and including step boundaries[0], then values[1], and so on.

    Parameters
    ----------
    boundaries : list of float
        Rising.
    values : list of float
        One more than there are boundaries.
    """

    def __init__(self, boundaries, values):
        self.boundaries = [_number(self, "boundaries", boundary) for boundary in boundaries]
        self.values = [_number(self, "values", value) for value in values]
        if self.boundaries != sorted(set(self.boundaries)):
            raise ScratchVAEError("PiecewiseConstantDecay: boundaries must rise, "
                                  f"got {checks.shown(boundaries)}")
        if len(self.values) != len(self.boundaries) + 1:
            raise ScratchVAEError("PiecewiseConstantDecay: values must be one more than "
                                  f"boundaries, got {len(self.values)} and {len(self.boundaries)}")

    def __call__(self, step):
        return self.values[bisect.bisect_left(self.boundaries, step)]


class CosineDecay:
    """Falls like half a cosine from its highest value to alpha times that, then stays.

    The highest value is initial_learning_rate; or, with a warm-up, warmup_target, to which the rate
    rises from initial_learning_rate on a straight line. Loshchilov & Hutter 2017, "SGDR: stochastic
    gradient descent with warm restarts"; warm-up: Goyal et al. 2017.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : float
        At least 1, not counting those of the warm-up.
    alpha : float
    warmup_target : float or None
        None: no warm-up.
    warmup_steps : float
    """

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, warmup_target=None,
                 warmup_steps=0):
        self.initial_learning_rate = _number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = _number(self, "decay_steps", decay_steps, 1)
        self.alpha = _number(self, "alpha", alpha)
        self.warmup_steps = _number(self, "warmup_steps", warmup_steps)
        self.warmup_target = warmup_target
        if warmup_target is not None:
            self.warmup_target = _number(self, "warmup_target", warmup_target)

    def __call__(self, step):
        high = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return high + (self.warmup_target - high) * step / self.warmup_steps
            step -= self.warmup_steps
            high = self.warmup_target
        cosine = (1 + math.cos(math.pi * min(1.0, step / self.decay_steps))) / 2
        return high * ((1 - self.alpha) * cosine + self.alpha)


SCHEDULES = {schedule.__name__: schedule for schedule in (Constant, LinearWarmup, Cyclical)}
LEARNING_RATES = {schedule.__name__: schedule for schedule in (
    ExponentialDecay, PiecewiseConstantDecay, CosineDecay, LinearWarmup)}


def _number(schedule, name, value, low=0):
    """Return an argument of a schedule, a number of at least `low`, as a float."""
    return checks.number(type(schedule).__name__, name, value, low)


def get(kl_weight):
    """Return a schedule from a number, a schedule, or the configuration of one."""
    if isinstance(kl_weight, tuple(SCHEDULES.values())):
        return kl_weight
    return _from_config(kl_weight, SCHEDULES) or Constant(kl_weight)


def learning_rate(owner, value):
    """Return a number, or a schedule, from a number, a schedule, or the configuration of one.

    Parameters
    ----------
    owner : str
        The optimizer's name, for messages.
    value : float, schedule or dict
    """
    if isinstance(value, tuple(LEARNING_RATES.values())):
        return value
    schedule = _from_config(value, LEARNING_RATES)
    if schedule is None and not isinstance(checks.plain(value), (int, float)):
        raise ScratchVAEError(f"{owner}: learning_rate must be a number of at least 0, or a "
                              f"schedule: {', '.join(LEARNING_RATES)}; got {checks.shown(value)}")
    return schedule or checks.number(owner, "learning_rate", value)


def _from_config(config, classes):
    """Return the schedule of a configuration, or None if it is not one of these classes."""
    if not isinstance(config, dict) or config.get("class") not in classes:
        return None
    arguments = {name: value for name, value in config.items() if name != "class"}
    return classes[config["class"]](**arguments)


def get_config(schedule):
    """Return the arguments that make a schedule again, with its class's name."""
    names = inspect.signature(type(schedule)).parameters
    return {"class": type(schedule).__name__} | {name: getattr(schedule, name) for name in names}
