"""What becomes of a run's report while the run is trained."""
from . import write_report
from .progress import Progress, glimpse


class Live:
    """Within its block, report.html is kept up to date, and so are TensorBoard's event files (scratchvae.analysis.report.events.Events) if asked for.

    An error that ends the block, Ctrl-C included, is told by the page, with how to go on.
    """

    def __init__(self, run, events=None):
        self.run, self.events = run, events
        self.begun = False

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.events:
            self.events.close()
        if error and self.begun:
            write_report(self.run, problem="" if isinstance(error, KeyboardInterrupt) else str(error), current=False)

    def begin(self):
        """Training begins."""
        self.begun = True
        for figure in self.run.figures.glob("*"):                           # of weights that will be no more
            figure.unlink()
        self.write()

    def end_epoch(self, row):
        """Add an epoch, a row of the history, and what the model makes of a few examples after it."""
        made = glimpse(self.run)
        Progress(self.run.folder).add(self.run, row["epoch"], made)
        if self.events:
            self.events.add(row, made)
        self.write()

    def write(self):
        """Write the page; measures and figures that may lie there are of earlier weights."""
        (self.run.folder / "evaluation.json").unlink(missing_ok=True)
        write_report(self.run, live=True, current=False)
