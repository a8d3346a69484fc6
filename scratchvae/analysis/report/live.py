"""Keeping a run's report up to date while the run is trained."""
from ...training import Callback
from . import write_report
from .progress import Progress


class Live(Callback):
    """A callback of training that keeps report.html up to date, and a context manager.

    If an error ends the context's block, Ctrl-C included, the page shows it, and how to resume
    training.

    Parameters
    ----------
    run : Run
        The run that is trained.
    events : Events, optional
        TensorBoard's event files, to keep up to date too.
    """

    def __init__(self, run, events=None):
        self.run = run
        self.events = events
        self.begun = False

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.events:
            self.events.close()
        if error and self.begun:
            problem = "" if isinstance(error, KeyboardInterrupt) else str(error)
            write_report(self.run, problem=problem, current=False)

    def on_train_begin(self, history):
        if len(history) < self.run.config["epochs"]:
            self.begun = True
            for figure in self.run.figures.glob("*"):
                figure.unlink()                 # drawn from weights that training now changes
            self.write()

    def on_epoch_end(self, history):
        row = history.rows[-1]
        made = self.run.glimpse()
        Progress(self.run.folder).add(self.run, row["epoch"], made)
        if self.events:
            self.events.add(row, made)
        self.write()

    def write(self):
        """Write the page, without the figures and measures of earlier weights."""
        (self.run.folder / "evaluation.json").unlink(missing_ok=True)
        write_report(self.run, live=True, current=False)
