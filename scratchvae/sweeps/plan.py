"""The plan of a sweep: which runs it has."""
import math
from dataclasses import asdict, dataclass, field
from random import Random

from .. import labs
from ..errors import ScratchVAEError


@dataclass(frozen=True)
class Point:
    """A run of a sweep: its name, its settings as text, and its seed."""
    name: str
    settings: dict
    seed: int


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep.

    Attributes
    ----------
    lab : str
    grid : dict
        name -> list of the values of a setting, as text.
    seeds : int
        Every choice of settings is trained with the seeds 0, 1, ..., as many as this.
    random : int or None
        Take so many choices out of the grid, always the same ones; None takes all.
    options : dict
        Options of `train` that all runs have, such as {"epochs": 5}.
    """
    lab: str
    grid: dict
    seeds: int = 1
    random: int | None = None
    options: dict = field(default_factory=dict)

    def as_dict(self):
        """Return the plan as a dict that JSON can express."""
        return asdict(self)

    @property
    def size(self):
        """The number of choices in the whole grid."""
        return math.prod(map(len, self.grid.values()))

    @property
    def epochs(self):
        """The number of epochs of each run."""
        return self.options.get("epochs") or labs.get(self.lab).epochs

    def choices(self):
        """Return the settings of the runs, dicts of text, in the order of the grid."""
        numbers = range(self.size)
        if self.random is not None:
            numbers = sorted(Random(0).sample(numbers, self.random))
        return [self._choice(number) for number in numbers]

    def _choice(self, number):
        """Return the settings of one place in the grid; the last setting changes first."""
        chosen = {}
        for name, values in reversed(self.grid.items()):
            number, place = divmod(number, len(values))
            chosen[name] = values[place]
        return dict(reversed(chosen.items()))

    def points(self):
        """Return the Points: all choices with the first seed, then with the second, ..."""
        return [Point(self._name(settings, seed), settings, seed)
                for seed in range(self.seeds) for settings in self.choices()]

    def _name(self, settings, seed):
        """Return the name of a run: the settings that have several values, and the seed."""
        varied = [f"{name}={value}" for name, value in settings.items() if len(self.grid[name]) > 1]
        return ",".join([*varied, f"seed={seed}"])

    def train_words(self, point):
        """Return the words of `train` that begin the run of a point, without its folder."""
        words = ["--seed", point.seed, *self._option_words()]
        for name, value in point.settings.items():
            words += ["--set", f"{name}={value}"]
        return words

    def sweep_words(self):
        """Return the words of `sweep` that make this plan, without the lab and the folder."""
        words = []
        for name, values in self.grid.items():
            words += ["--set", f"{name}={','.join(values)}"]
        return words + self._size_words() + self._option_words()

    def _size_words(self):
        """Return the options that say how many runs there are as words."""
        words = ["--seeds", self.seeds]
        return words if self.random is None else [*words, "--random", self.random]

    def _option_words(self):
        """Return the options that all runs have as words."""
        words = []
        for name, value in self.options.items():
            if name == "size":
                value = "x".join(map(str, value))
            for each in value if isinstance(value, list) else [value]:
                words.append(f"--{name.replace('_', '-')}")
                if each is not True:            # a flag has no value
                    words.append(each)
        return words


def make_plan(lab, lists, seeds=1, random=None, options=None):
    """Return the plan of a new sweep after all of its settings have been checked.

    Parameters
    ----------
    lab : Lab
    lists : sequence of (str, str)
        Names of settings, and their values with commas between them.
    seeds : int, default 1
    random : int, optional
        See Plan.
    options : dict, optional
        Options of `train`; those that are None are left out.

    Returns
    -------
    Plan

    Raises
    ------
    ScratchVAEError
        If a setting is unknown or given twice, or a value is not allowed or given twice, or random
        is larger than the grid.
    """
    grid = {}
    for name, text in lists:
        if name in grid:
            raise ScratchVAEError(f"setting {name}: given twice; put commas between its values: "
                                  f"{name}={','.join(grid[name])},{text}")
        if ".." in text:
            raise ScratchVAEError(f"setting {name}: a range such as {text} is searched by "
                                  "--optuna TRIALS; without it, put commas between values")
        grid[name] = [value.strip() for value in text.split(",")]
    chosen = {name: value for name, value in (options or {}).items() if value is not None}
    plan = Plan(lab.name, grid, seeds, random, chosen)
    if random is not None and random > plan.size:
        raise ScratchVAEError(f"random: the grid has {plan.size} choices of settings, got "
                              f"{random}; ask for fewer, or leave it out to train all")
    known = {}
    for settings in plan.choices():
        key = repr(sorted((lab.defaults | lab.with_settings(settings)).items()))
        if key in known:
            raise ScratchVAEError(f"{_said(known[key])} and {_said(settings)} are the same "
                                  "settings; give each value once")
        known[key] = settings
    return plan


def _said(settings):
    """Return settings as text."""
    return ",".join(f"{name}={value}" for name, value in settings.items())
