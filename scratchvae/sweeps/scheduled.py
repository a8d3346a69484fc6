"""The runs of a sweep as jobs of a scheduler, such as SLURM, by way of submitit."""
import contextlib
import os
import runpy
import signal
import sys
import time

from ..errors import ScratchVAEError
from .processes import Processes

LAUNCHERS = ("slurm", "local")          # what submitit calls clusters
MINUTES = 24 * 60                       # that a job may take
PAUSE = 0.5                             # seconds between looks at a job that is stopped


class Jobs(Processes):
    """Processes whose runs a scheduler starts, on any machine that sees the sweep's folder.

    Parameters
    ----------
    folder : SweepFolder
    jobs : int
        How many runs the scheduler has at once, queued or running.
    launcher : str
        "slurm", or "local" for jobs on this machine.

    Raises
    ------
    ScratchVAEError
        If submitit is missing, or there is no such scheduler here.
    """

    def __init__(self, folder, jobs, launcher):
        super().__init__(folder, jobs)
        self.launcher = launcher
        try:
            import submitit
        except ImportError:
            raise ScratchVAEError("--launcher needs submitit: "
                                  "pip install -e '.[launcher]'") from None
        try:
            self.executor = submitit.AutoExecutor(folder.folder / "jobs", cluster=launcher)
            self.executor.update_parameters(timeout_min=MINUTES, cpus_per_task=1)
        except RuntimeError as error:
            raise ScratchVAEError(f"--launcher {launcher}: {error}") from None

    def open(self, words, log):
        self.executor.update_parameters(name=log.stem)
        return Job(self.executor.submit(train, words, log.resolve()), self.launcher)


class Job:
    """A job of submitit with the methods of a process."""

    def __init__(self, job, launcher):
        self.job = job
        self.launcher = launcher

    def poll(self):
        """Return the exit code, or None while the job waits or runs."""
        if not self.job.done():
            return None
        # A job that its scheduler ended has no result.
        return self.job.result() if self.job.paths.result_pickle.exists() else 1

    def wait(self):
        """Return when the job has ended."""
        while self.poll() is None:
            time.sleep(PAUSE)

    def terminate(self):
        """Ask the job to end."""
        if self.launcher == "local":            # its cancel() kills a process after a second
            os.kill(int(self.job.job_id), signal.SIGTERM)
        else:
            self.job.cancel()

    def kill(self):
        """End the job at once."""
        self.job.cancel()


def train(words, log):
    """Do what `scratchvae` does with these words, and return its exit code.

    The scheduler calls this function, in a process of its own. The output goes to the log.
    """
    sys.argv = ["scratchvae", *words]
    with output_to(log):
        try:
            runpy.run_module("scratchvae", run_name="__main__")
        except SystemExit as ended:
            return ended.code or 0


@contextlib.contextmanager
def output_to(path):
    """Append what this process prints, in Python or not, to a file."""
    before = [os.dup(number) for number in (1, 2)]
    with open(path, "a") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        for number, stream in zip((1, 2), (sys.stdout, sys.stderr)):
            stream.flush()
            os.dup2(before[number - 1], number)
