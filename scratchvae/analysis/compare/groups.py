"""Runs beside each other: the settings that differ, and groups of runs with the same settings."""
import csv
import io
import math
import statistics
from functools import cached_property
from pathlib import Path

from ...errors import ScratchVAEError
from ...runs import open_run
from ...storage import read_json
from ...training.history import History

OPTIONS = ("epochs", "batch_size", "limit", "backend", "from", "size", "grey")  # of every run
LOSSES = ("val_loss", "val_reconstruction", "val_kl", "loss", "reconstruction", "kl")
MEASURES = (*LOSSES, "val_active_units")        # of the epoch of the weights
COMPLETE = "complete"
LONGEST_LABEL = 60              # characters; groups with longer labels have their folders' names
MOST_COLUMNS = 5                # settings that stand beside the measures in a table
WEIGHTED = ("kl_weight", "kl_schedule", "kl_steps", "free_bits", "reconstruction_scale")


class Entry:
    """A run as one of several.

    Parameters
    ----------
    folder : path
        The run's directory.

    Attributes
    ----------
    run : Run
    history : History
        Empty if no epoch is complete.
    settings : dict
        All that can differ, name -> value, without the seed.
    values : dict
        MEASURES of the epoch of the weights, "epoch", and "seconds" of the whole training; None
        where they are unknown.
    evaluated : dict
        The measures in evaluation.json, name -> number.
    """

    def __init__(self, folder):
        self.run = open_run(folder)
        config = self.run.config
        self.seed = config["seed"]
        path = self.run.folder / "history.csv"
        self.history = History.read_csv(path) if path.exists() else History()
        settings = self.run.lab.defaults | config["settings"]
        self.settings = {"lab": self.run.lab.name} | settings
        self.settings |= {name: config.get(name) for name in OPTIONS}
        self.data = config.get("data_sha256") or config.get("text_sha256") or config["data"]
        self.settings["data"] = config["data"]
        self.values = self._values()
        self.evaluated = self._evaluated()

    @property
    def key(self):
        """What is equal in runs that differ in the seed alone."""
        rest = {name: value for name, value in self.settings.items() if name != "data"}
        return repr((sorted(rest.items()), self.data))

    @property
    def state(self):
        """COMPLETE, or how far the training is, as text."""
        config = self.run.config
        done = len(self.history)
        if done >= config["epochs"] or config.get("stopped_epoch"):
            return COMPLETE
        return f"{done} of {config['epochs']} epochs"

    def _values(self):
        if not len(self.history):
            return dict.fromkeys((*MEASURES, "epoch", "seconds"))
        rows = self.history.rows
        row = rows[(self.run.config.get("best_epoch") or len(rows)) - 1]
        values = {name: row[name] for name in (*MEASURES, "epoch")}
        return values | {"seconds": sum(row["seconds"] for row in rows)}

    def _evaluated(self):
        path = self.run.folder / "evaluation.json"
        if not path.exists():
            return {}
        content = read_json(path, dict)
        if "examples" in content:
            losses = {f"test {name}": content[name] for name in ("loss", "reconstruction", "kl")}
            more = content.get("measures", {}).items()
            return losses | {name: measure["value"] for name, measure in more}
        return {name: measure["value"] for name, measure in content.items()}


class Group:
    """Runs that differ in the seed alone.

    Parameters
    ----------
    entries : list of Entry

    Attributes
    ----------
    label : str
        What tells the group from the others; Comparison sets it.
    counted : list of Entry
        Those that means and curves are of: the complete ones, or all if none is complete.
    """
    label = ""

    def __init__(self, entries):
        self.entries = sorted(entries, key=lambda entry: entry.seed)
        complete = [entry for entry in self.entries if entry.state == COMPLETE]
        self.counted = complete or self.entries
        self.first = self.counted[0]
        self.settings = self.first.settings

    @property
    def count(self):
        """How many runs are counted, as text: "3", or "2 of 3" where one is not complete."""
        counted = len(self.counted)
        every = len(self.entries)
        return f"{counted}" if counted == every else f"{counted} of {every}"

    def numbers(self, name, evaluated=False):
        """Return the known values of a measure, a list."""
        found = [(entry.evaluated if evaluated else entry.values).get(name)
                 for entry in self.counted]
        return [value for value in found if value is not None]

    def mean(self, name, evaluated=False):
        """Return the mean of a measure over the seeds, or None."""
        numbers = self.numbers(name, evaluated)
        return statistics.fmean(numbers) if numbers else None

    def deviation(self, name, evaluated=False):
        """Return the standard deviation of a measure over the seeds (n - 1), or None for one."""
        numbers = self.numbers(name, evaluated)
        return statistics.stdev(numbers) if len(numbers) > 1 else None

    def in_words(self, name, evaluated=False):
        """Return mean ± standard deviation of a measure as text; empty if it is unknown."""
        mean = self.mean(name, evaluated)
        if mean is None:
            return ""
        return with_spread(mean, self.deviation(name, evaluated))

    def curve(self, column):
        """Return the curve of a column of the histories over the seeds.

        Returns
        -------
        epochs, means, lows, highs : list
            Up to the last epoch of the shortest run. Empty if the column is unknown.
        """
        histories = [entry.history for entry in self.counted if len(entry.history)]
        rows = [(of_epoch[0]["epoch"], [row[column] for row in of_epoch])
                for of_epoch in zip(*(history.rows for history in histories))]
        rows = [(epoch, values) for epoch, values in rows if None not in values]
        return ([epoch for epoch, _ in rows], [statistics.fmean(values) for _, values in rows],
                [min(values) for _, values in rows], [max(values) for _, values in rows])


class Comparison:
    """Runs in groups, best first.

    Parameters
    ----------
    folders : sequence of path
        Directories of runs, or directories that hold such directories.

    Attributes
    ----------
    entries : list of Entry
    groups : list of Group
        The smallest loss first, if the losses have one unit.
    differing : list of str
        The names of the settings that differ.
    ranked_by : str
        "val_loss", or "loss" where a run has no validation.

    Raises
    ------
    ScratchVAEError
        If a folder holds no run, or is damaged.
    """

    def __init__(self, folders):
        self.entries = [Entry(path) for path in run_folders(folders)]
        groups = {}
        for entry in self.entries:
            groups.setdefault(entry.key, []).append(entry)
        self.groups = [Group(entries) for entries in groups.values()]
        names = dict.fromkeys(name for entry in self.entries for name in entry.settings)
        self.differing = [name for name in names if name != "data" and self._differs(name)]
        if len({entry.data for entry in self.entries}) > 1:
            self.differing.append("data")
        trained = [entry for entry in self.entries if len(entry.history)]
        validated = all(entry.values["val_loss"] is not None for entry in trained)
        self.ranked_by = "val_loss" if validated else "loss"
        if len(self.units) == 1:
            self.groups.sort(key=self._rank)
        self._label()

    def _differs(self, name):
        return len({repr(entry.settings.get(name)) for entry in self.entries}) > 1

    def _rank(self, group):
        mean = group.mean(self.ranked_by)
        return math.inf if mean is None or math.isnan(mean) else mean

    def _label(self):
        """Give each group a label: what differs, or its first folder where that is unclear."""
        labels = [", ".join(self._said(name, group.settings[name]) for name in self.differing
                            if name in group.settings and name != "data")
                  for group in self.groups]
        if len(self.groups) == 1 and len(self.entries) > 1:     # nothing differs but the seed
            labels = [self.groups[0].settings["lab"]]
        unclear = len(set(labels)) < len(labels) or max(map(len, labels)) > LONGEST_LABEL
        for group, label in zip(self.groups, labels):
            group.label = str(group.first.run.folder) if unclear or not label else label

    @staticmethod
    def _said(name, value):
        return value if name == "lab" else f"{name}={value}"

    @cached_property
    def units(self):
        """The units of the losses, without repetition."""
        return list(dict.fromkeys(entry.run.lab.unit for entry in self.entries))

    @property
    def columns(self):
        """The settings that differ, for a table of the groups; empty if labels suit it better."""
        fitting = len(self.differing) <= MOST_COLUMNS and "data" not in self.differing
        return self.differing if fitting else []

    @property
    def weights_differ(self):
        """The settings that differ and change what the loss means."""
        return [name for name in self.differing if name in WEIGHTED]

    @property
    def evaluated(self):
        """The names of the measures in evaluation.json of any run."""
        return list(dict.fromkeys(name for entry in self.entries for name in entry.evaluated))

    @property
    def seeds(self):
        """The largest number of runs that a mean is of."""
        return max(len(group.counted) for group in self.groups)

    def caution(self):
        """Return why the losses cannot simply be compared, in a sentence; empty if they can."""
        if len(self.units) > 1:
            return (f"The losses have different units ({'; '.join(self.units)}): compare them "
                    "within a lab only.")
        if self.weights_differ:
            return (f"The loss depends on {' and '.join(self.weights_differ)} itself: where these "
                    "differ, compare reconstruction and KL divergence instead of the loss.")
        return ""

    def csv(self):
        """Return a row for each run as text in CSV, with mean and deviation of its group."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        ranked = self.ranked_by
        writer.writerow(["run", "state", *self.differing, "seed", "epoch", ranked,
                         f"{ranked}_mean", f"{ranked}_std",
                         *(name for name in MEASURES if name != ranked), "seconds",
                         *(name.replace(" ", "_") for name in self.evaluated)])
        for group in self.groups:
            for entry in group.entries:
                values = entry.values
                writer.writerow([
                    entry.run.folder, entry.state,
                    *(entry.settings.get(name) for name in self.differing), entry.seed,
                    values["epoch"], values[ranked], group.mean(ranked), group.deviation(ranked),
                    *(values[name] for name in MEASURES if name != ranked), values["seconds"],
                    *(entry.evaluated.get(name) for name in self.evaluated)])
        return file.getvalue()


def number(value):
    """Return a number as text: a whole one without decimals, any other with five digits."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:#.5g}"


def with_spread(mean, deviation):
    """Return "mean ± deviation" with two digits of the deviation; without one, the mean alone."""
    if deviation is None or not math.isfinite(deviation):
        return number(mean)
    if deviation == 0:
        return f"{number(mean)} ± 0"
    places = max(0, 1 - math.floor(math.log10(deviation)))
    return f"{mean:.{places}f} ± {deviation:.{places}f}"


def run_folders(folders):
    """Return the directories of runs: those given, and those within the others, each once.

    Raises
    ------
    ScratchVAEError
        If a directory is no run and holds none.
    """
    found = {}
    for folder in map(Path, folders):
        inside = [folder]
        if not (folder / "config.json").exists():
            inside = sorted(path.parent for path in folder.glob("*/config.json"))
        if not inside:
            raise ScratchVAEError(f"{folder}: neither a run directory (config.json is missing) nor "
                                  "a directory with runs, such as a sweep's")
        found |= {path.resolve(): path for path in inside}
    return list(found.values())
