"""The folder of a sweep.

sweep.json       the plan, and the names of the runs that are finished
NAME/            a run directory for each point of the plan
logs/NAME.log    what each run printed
jobs/            what a scheduler was given, and what it printed
results.csv      a row for each run       compare.html     the runs side by side
optuna.db        of a search: its trials
"""
import json
from pathlib import Path

from ..errors import ScratchVAEError
from ..runs.lock import check_unused
from ..storage import read_json, understood, write_text

NAME = "sweep.json"


class SweepFolder:
    """The folder of a sweep, new or with the same plan.

    Parameters
    ----------
    folder : path
    plan : Plan

    Raises
    ------
    ScratchVAEError
        If the folder holds another sweep, or anything else.
    """

    def __init__(self, folder, plan):
        self.folder = Path(folder)
        self.plan = plan
        self._finished = []
        path = self.folder / NAME
        if path.exists():
            self._finished = self._read(path)
        else:
            if self.folder.exists():
                check_unused(self.folder)
            self._write()

    def _read(self, path):
        """Return the names of the finished runs in sweep.json, which must have the same plan."""
        content = read_json(path, dict)
        with understood(path):
            there = dict(content["plan"])
            here = self.plan.as_dict()
            other = [f"{name} is {there.get(name)!r} there and {here.get(name)!r} here"
                     for name in {**here, **there} if there.get(name) != here.get(name)]
            finished = list(content["finished"])
        if other:
            raise ScratchVAEError(f"{self.folder}: holds another sweep: {'; '.join(other)}; repeat "
                                  "its own options to go on with it, or choose another --out")
        return finished

    def _write(self):
        content = {"plan": self.plan.as_dict(), "finished": self._finished}
        write_text(self.folder / NAME, json.dumps(content, indent=2) + "\n")

    def run(self, point):
        """Return the run directory of a point."""
        return self.folder / point.name

    def log(self, point):
        """Return the file of what the run of a point printed."""
        return self.folder / "logs" / f"{point.name}.log"

    @property
    def count(self):
        """The number of runs that the sweep has in the end."""
        return len(self.points())

    def points(self):
        """Return the points that are known by now: all of a grid."""
        return self.plan.points()

    def more(self, jobs):
        """Return further points to train now, when `jobs` run at once: a grid has none."""
        return []

    def left(self):
        """Return the points whose runs are not finished."""
        return [point for point in self.points()
                if point.name not in self._finished
                or not (self.run(point) / "history.csv").exists()]

    def finish(self, point):
        """Note that the run of a point is finished."""
        if point.name not in self._finished:
            self._finished.append(point.name)
        self._write()

    def fail(self, point):
        """Note that the run of a point failed: in a grid, the same command tries it again."""

    def trained(self):
        """Return the directories of the runs that have begun."""
        return [self.run(point) for point in self.points()
                if (self.run(point) / "config.json").exists()]

    def epochs(self, point):
        """Return how many epochs of the run of a point are complete."""
        try:
            with open(self.run(point) / "history.csv") as file:
                return max(0, sum(1 for _ in file) - 1)
        except OSError:
            return 0
