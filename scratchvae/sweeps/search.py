"""The search of a sweep: Optuna proposes the settings of each run from the losses of those before.

The proposals come from the tree-structured Parzen estimator (Bergstra et al. 2011). They do not
depend on chance: with J jobs, trial n is proposed when the trials 0 ... n - J have ended, and from
these alone, by a sampler whose seed is n. So the same command proposes the same trials again, also
after it was stopped. Optuna keeps them in optuna.db, an SQLite database, which survives a kill.
"""
import math
import sqlite3
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial

from .. import labs
from ..errors import ScratchVAEError
from ..runs import open_run
from .folder import SweepFolder
from .plan import Plan, Point, make_plan

NAME = "optuna.db"
DECADE = 10                     # a range whose ends differ by this factor is searched in logarithms
MISSING = ("--optuna: the package optuna is not installed. "
           "Install it with: pip install 'scratchvae[optuna]'")


@dataclass(frozen=True)
class Search(Plan):
    """The plan of a search; see Plan.

    Attributes
    ----------
    grid : dict
        name -> list of the values of a setting, as text; or of one range, ["0.0001..0.01"].
    trials : int
        How many runs there are in the end.
    """
    trials: int = 1

    def as_dict(self):
        """Return what must not change: the number of trials may grow."""
        content = asdict(self) | {"optuna": True}
        del content["trials"]
        return content

    def _size_words(self):
        """Return the option that says how many runs there are as words."""
        return ["--optuna", self.trials]

    @property
    def objective(self):
        """The columns of the history whose sum is minimised.

        The validation loss, unless the KL weight is searched: then its smallest value would have
        the smallest loss, whatever it does, and the KL divergence counts with weight 1.
        """
        if "kl_weight" in self.varied:
            return ("val_reconstruction", "val_kl")
        return ("val_loss",)

    @property
    def varied(self):
        """The names of the settings that have several values."""
        return [name for name, values in self.grid.items() if len(values) > 1 or span(values[0])]


class SearchFolder(SweepFolder):
    """The folder of a sweep that is a search; see SweepFolder.

    Raises
    ------
    ScratchVAEError
        If Optuna is missing, or its storage in the folder is damaged.
    """

    def __init__(self, folder, plan):
        self.optuna = load_optuna()
        super().__init__(folder, plan)
        path = self.folder / NAME
        with readable(path):
            self.study = self.optuna.create_study(
                storage=open_storage(self.optuna, path), study_name="sweep", load_if_exists=True)
            self._failed = set()
            for trial in self._running():
                if set(trial.params) != set(self._space()):     # killed while it was proposed
                    self._tell(trial, None)

    @property
    def count(self):
        """The number of runs that the sweep has in the end."""
        return self.plan.trials

    def points(self):
        """Return the points of the trials so far."""
        return [self._point(trial) for trial in self._trials()]

    def left(self):
        """Return the points of trials that were proposed, and whose runs have not ended."""
        running = {self._name(trial) for trial in self._running()}
        return [point for point in super().left() if point.name in running]

    def fail(self, point):
        """Note that the run of a point failed: that is its result."""
        self._failed.add(point.name)

    def more(self, jobs):
        """Tell Optuna what ended, and return the points that it proposes."""
        new = []
        while (number := len(self._trials())) < self.plan.trials:
            if not self._tell_first(number - jobs + 1):
                return new
            self.study.sampler = self.optuna.samplers.TPESampler(seed=number)
            new.append(self._point(self.study.ask(self._space())))
        self._tell_first(self.plan.trials)
        return new

    def best(self):
        """Return (point, value) of the best trial, or None if none has succeeded."""
        if not self.study.get_trials(states=(self.optuna.trial.TrialState.COMPLETE,)):
            return None
        return self._point(self.study.best_trial), self.study.best_value

    def _trials(self):
        return self.study.get_trials(deepcopy=False)

    def _running(self):
        return self.study.get_trials(states=(self.optuna.trial.TrialState.RUNNING,))

    def _tell_first(self, count):
        """Tell the results of the first trials in their order; return whether all have ended."""
        training = {point.name for point in self.left()} - self._failed
        for trial in self._trials()[:max(0, count)]:
            if trial.state.is_finished():
                continue
            name = self._name(trial)
            if name in training:
                return False
            self._tell(trial, None if name in self._failed else self._value(trial))
        return True

    def _tell(self, trial, value):
        """Give a trial its value; None, or one that is not finite, means that it failed."""
        if value is None or not math.isfinite(value):
            self.study.tell(trial.number, state=self.optuna.trial.TrialState.FAIL)
        else:
            self.study.tell(trial.number, value)

    def _value(self, trial):
        """Return what is minimised, of the epoch whose weights the run has."""
        run = open_run(self.folder / self._name(trial))
        row = run.history.rows[run.epoch - 1]
        return sum(row[column] for column in self.plan.objective)

    def _space(self):
        """Return Optuna's distribution of each setting."""
        defaults = labs.get(self.plan.lab).defaults
        return {name: distribution(self.optuna.distributions, values, defaults[name])
                for name, values in self.plan.grid.items()}

    def _name(self, trial):
        return f"trial={trial.number}"

    def _point(self, trial):
        """Return the point of a trial. Numbers have six digits."""
        settings = {name: f"{value:.6g}" if isinstance(value, float) else str(value)
                    for name, value in trial.params.items()}
        return Point(self._name(trial), settings, 0)


def make_search(lab, lists, trials, options=None):
    """Return the plan of a search after its settings have been checked, ranges at their ends.

    Parameters
    ----------
    lab : Lab
    lists : sequence of (str, str)
        Names of settings, and their values with commas between them, or a range LOW..HIGH.
    trials : int
    options : dict, optional
        See make_plan.

    Returns
    -------
    Search

    Raises
    ------
    ScratchVAEError
        If a setting or value is not allowed, if losses could not be compared, or if there is
        nothing to search: a grid that is not larger than the number of trials.
    """
    ends = [(name, ",".join(ends_of(name, text))) for name, text in lists]
    plan = make_plan(lab, ends, options=options)
    ranges = {name: [text] for name, text in lists if ".." in text}
    search = Search(lab.name, plan.grid | ranges, options=plan.options, trials=trials)
    for name in ranges:
        if isinstance(lab.defaults[name], str):
            raise ScratchVAEError(f"setting {name}: is text and has no range; put commas between "
                                  "its values")
    if "reconstruction_scale" in search.varied:
        raise ScratchVAEError("setting reconstruction_scale: losses of several scales cannot be "
                              "compared, so there is no best one; sweep over it without --optuna")
    if not search.varied:
        raise ScratchVAEError("there is nothing to search: give a setting several values, such as "
                              "latent_dim=2,4,8, or a range, such as learning_rate=0.0001..0.01")
    if not ranges and plan.size <= trials:
        raise ScratchVAEError(f"there are only {plan.size} choices of settings; leave out --optuna "
                              "to train all, or ask for fewer trials")
    return search


def span(text):
    """Return the ends of a range LOW..HIGH, as text, or None."""
    low, dots, high = text.partition("..")
    return (low, high) if dots else None


def ends_of(name, text):
    """Return both ends of a range, or the text of values as it is, in a list."""
    if not span(text):
        return [text]
    try:
        low, high = map(float, span(text))
        if not low < high or "," in text:
            raise ValueError
    except ValueError:
        raise ScratchVAEError(f"setting {name}: a range is LOW..HIGH with LOW below HIGH, such as "
                              f"0.0001..0.01, got {text!r}") from None
    return span(text)


def distribution(distributions, values, default):
    """Return Optuna's distribution of a setting's values.

    The numbers in a range have the type of the default. A range over a decade or more is searched
    in logarithms.
    """
    ends = span(values[0])
    if not ends:
        return distributions.CategoricalDistribution(values)
    low, high = map(type(default), ends)
    logarithmic = low > 0 and high >= DECADE * low
    if isinstance(default, int):
        return distributions.IntDistribution(low, high, log=logarithmic)
    return distributions.FloatDistribution(low, high, log=logarithmic)


def load_optuna():
    """Return the package optuna, silent, or refuse in one line."""
    try:
        import optuna
    except ImportError:
        raise ScratchVAEError(MISSING) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def open_storage(optuna, path):
    """Return Optuna's storage in a file. A URL could not name every path."""
    return optuna.storages.RDBStorage(
        "sqlite://", engine_kwargs={"creator": partial(sqlite3.connect, path)})


@contextmanager
def readable(path):
    """Say in one line that a storage is damaged."""
    try:
        yield
    except Exception as error:
        raise ScratchVAEError(f"{path}: damaged ({type(error).__name__}); remove the sweep's "
                              "folder to begin anew") from None
