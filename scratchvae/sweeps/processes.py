"""The processes of a sweep: each trains one run."""
import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from ..runs.lock import is_trained
from ..training.interrupts import deferred_interrupts
from .plan import Point

PAUSE = 0.1                     # seconds between looks at the processes


@dataclass(frozen=True)
class Ended:
    """A run whose process has ended: its point, and what went wrong or an empty text."""
    point: Point
    problem: str


class Processes:
    """A context manager that trains points, several at once, and stops all at the block's end.

    Parameters
    ----------
    folder : SweepFolder
    jobs : int
        How many processes run at once.

    Attributes
    ----------
    running : dict
        Name of a point -> (Point, process).
    """

    def __init__(self, folder, jobs):
        self.folder = folder
        self.jobs = jobs
        self.running = {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def train(self, points):
        """Train points and yield, ten times a second, a list of those that Ended meanwhile.

        Parameters
        ----------
        points : list of Point
            It is emptied; points that are appended meanwhile are trained, too.

        Raises
        ------
        KeyboardInterrupt
            At a signal that asks to stop, which never comes while a process is being started.
        """
        with deferred_interrupts() as received:
            while points or self.running:
                if received:
                    raise KeyboardInterrupt
                while len(self.running) < self.jobs and (point := self._next(points)):
                    points.remove(point)
                    self.running[point.name] = point, self._start(point)
                time.sleep(PAUSE)
                yield self._ended()

    def _next(self, points):
        """Return the first point that nobody trains, or None.

        A sweep that was killed leaves processes that train on; their runs are taken up afterwards.
        """
        return next((point for point in points if not is_trained(self.folder.run(point))), None)

    def _start(self, point):
        """Start the process of a point, and return it."""
        run = self.folder.run(point)
        options = self.folder.plan.options
        words = ["train", self.folder.plan.lab]
        if (run / "config.json").exists():
            words += ["--resume", run]
            words += ["--data-dir", options["data_dir"]] if "data_dir" in options else []
        else:
            words += ["--out", run, *self.folder.plan.train_words(point)]
        if options.get("backend") != "cuda":        # a device has no number of threads
            words += ["--threads", 1]
        log = self.folder.log(point)
        log.parent.mkdir(exist_ok=True)
        return self.open([*map(str, words)], log)

    def open(self, words, log):
        """Start `scratchvae` with these words; return its process. The output goes to the log.

        It has a session of its own: Ctrl-C in a terminal reaches this process alone, which then
        stops the others, once.
        """
        with open(log, "a") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "scratchvae", *words],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"}, start_new_session=True)

    def _ended(self):
        """Return what ended, and note what is finished."""
        ended = []
        for name, (point, process) in list(self.running.items()):
            code = process.poll()
            if code is None:
                continue
            del self.running[name]
            if code:
                self.folder.fail(point)
            else:
                self.folder.finish(point)
            ended.append(Ended(point, self._problem(point, code) if code else ""))
        return ended

    def _problem(self, point, code):
        """Return why the process of a point failed: its last line, or the signal that killed it."""
        if code < 0:
            return f"killed by signal {-code}"
        lines = self.folder.log(point).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"ended with exit code {code}"

    def stop(self):
        """Ask all processes to write their checkpoints and end, and wait; a second Ctrl-C kills."""
        processes = [process for _, process in self.running.values()]
        for process in processes:
            with contextlib.suppress(OSError):
                process.terminate()
        try:
            for process in processes:
                process.wait()
        except KeyboardInterrupt:
            for process in processes:
                process.kill()
            raise
