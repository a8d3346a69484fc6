"""Keeping a run's report up to date while the run is trained."""
from ...storage import side_product
from ...training.callback import Callback
from ..marks import is_marked
from . import write_report
from .progress import Progress


class Live(Callback):
    """A callback that keeps report.html up to date, and a context manager around the training.

    If an error ends the block, Ctrl-C included, the page shows it, and how to resume training.

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
            with side_product():
                write_report(self.run, problem=problem, current=False)

    def on_train_begin(self, history):
        """Write the first page, unless the resumed training is complete already."""
        page = self.run.folder / "report.html"
        print(f"report: {page}, rewritten after every epoch", flush=True)
        if len(history) < self.run.config["epochs"]:
            self.begun = True
            for figure in self.run.figures.rglob("*"):
                if figure.is_file() and is_marked(figure):
                    figure.unlink()             # drawn from weights that training now changes
            self.write()

    def on_epoch_end(self, history):
        """Add the epoch, and examples of what the model makes now."""
        row = history.rows[-1]
        made = self.run.glimpse()
        with side_product():
            Progress(self.run.folder).add(self.run, row["epoch"], made)
        if self.events:
            self.events.add(row, made)
        self.write()

    def write(self):
        """Write the page, without the figures and measures of earlier weights."""
        (self.run.folder / "evaluation.json").unlink(missing_ok=True)
        with side_product():
            write_report(self.run, live=True, current=False)
