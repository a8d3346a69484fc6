"""One training step under a microscope: what every layer makes of the batch, what comes back, what it costs, and whether it is right.

A lab is traced with fresh weights, at the first step of its training; a run with its trained ones, at the step that would be the next.
"""
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .. import labs
from ..bench import sgemm_gflops
from ..errors import ScratchVAEError
from ..labs.text_lab import TextLab
from ..run import Run, new_config, run_class
from ..storage import read_arrays
from ..text import detokenize
from ..training import SHUFFLE
from .check import check
from .health import examine
from .step import record
from .timing import measure

MOST_GFLOP = 60                 # in a step: without --batch-size, a batch is halved until it needs no more
TIMING, CHECKING = 1.5, 1.5     # seconds


@dataclass
class Trace:
    """What was seen.  events: of one step, in their order; updates: path -> step.Update; losses: means over the batch."""
    title: str
    batch_size: int
    usual_batch_size: int
    steps: int                  # made before
    losses: dict
    kl_weight: float
    optimizer: str
    backend: str
    example: str                # the first example in words, "" for images
    events: list
    updates: dict
    times: object = None        # timing.Times
    gflops: float = None        # sgemm peak
    findings: list = field(default_factory=list)

    @property
    def trained(self):
        """Whether any training came before."""
        return self.steps > 0


class Subject:
    """A lab or a run, ready for a step: model, optimizer, and the batch that comes next."""

    def __init__(self, name, batch_size, data_dir):
        fresh = name in labs.LABS and not (Path(name) / "config.json").exists()
        if not fresh and not Path(name).exists():
            raise ScratchVAEError(f"{name}: neither a lab nor a run; the labs are: {', '.join(labs.LABS)}; a run is a directory that train made")
        run = self._new_run(name, data_dir) if fresh else Run.open(name)
        run.config["data_dir"] = data_dir or run.config["data_dir"]
        self.lab, self.config = run.lab, run.config
        x, y, _ = run.examples()
        self.model = self._new_model() if fresh else run.model
        self.optimizer = self.lab.make_optimizer(self.config["settings"])
        self.optimizer.build(self.model.parameters, self.model.kernels)
        self.steps = 0 if fresh else self._resume(run.folder)
        self.title = f"{name}, fresh weights" if fresh else f"{name}, a run of {self.lab.name}"
        self.usual_batch_size = self.config["batch_size"]
        self.x, self.target = self._batch(x, y, batch_size or self._bearable(self.usual_batch_size))
        self.kl_weight = self.model.kl_weight(self.steps)
        self.example = f"its first example: {detokenize(run.vocabulary.decode(self.x[0][self.x[0] != run.vocabulary.padding]))}" if isinstance(self.lab, TextLab) else ""

    @staticmethod
    def _new_run(name, data_dir):
        config = new_config(labs.get(name), dict(labs.get(name).settings), data_dir=data_dir)
        return run_class(config)("trace", config)

    def _new_model(self):
        model = self.lab.make_model(self.config["settings"])
        model.build(self.lab.shape(self.config["settings"]), self.config["seed"])
        return model

    def _resume(self, folder):
        """Give the optimizer the state that the run's checkpoint holds, if it has one; return how many steps were made."""
        if not (folder / "checkpoint.npz").exists():
            return 1
        arrays, state = read_arrays(folder / "checkpoint.npz", "checkpoint")
        for name, slot in self.optimizer.slots.items():
            slot[...] = arrays[name]
        self.optimizer.step = state["updates"]
        return state["updates"]

    def _bearable(self, size):
        while size > 1 and self.model.flops(size) > MOST_GFLOP * 1e9:
            size //= 2
        return size

    def _batch(self, x, y, size):
        """The examples of the coming step, in the order in which training takes them, and their targets."""
        in_epoch = -(-len(x) // self.usual_batch_size)
        epoch, step = divmod(self.steps, in_epoch)
        order = np.arange(len(x))
        if self.lab.shuffle:
            np.random.default_rng([self.config["seed"], epoch, SHUFFLE]).shuffle(order)
        start = step * self.usual_batch_size
        chosen = order[start:start + size] if start + size <= len(x) else order[:size]
        model = self.model
        x, y = model.as_pair(x[chosen], None if y is None else y[chosen])
        return x, y

    @property
    def image_shape(self):
        """The (H, W, C) of an example that is an image, or None."""
        shape = self.model.input_shape
        if isinstance(self.lab, TextLab):
            return None
        side = round(int(np.prod(shape)) ** 0.5)
        return shape if len(shape) == 3 else (side, side, 1)

    def step(self):
        """Make a training step on the batch."""
        return self.model.train_step(self.x, self.optimizer, self.kl_weight, self.target)


def trace(name, batch_size=None, data_dir=None, seconds=(TIMING, CHECKING)):
    """A Trace of the lab or of the run of that name.  seconds: to spend on timing, and on finite differences."""
    subject = Subject(name, batch_size, data_dir)
    return trace_step(subject, seconds)


def trace_step(subject, seconds):
    """A Trace of the subject's next step."""
    model, optimizer, config = subject.model, subject.optimizer, subject.config
    model.noise.seed, model.noise.step = config["seed"], subject.steps
    checked = check(model, subject.x, subject.target, subject.kl_weight, subject.steps, config["seed"], seconds[1])
    recorder, (reconstruction, kl) = record(model, optimizer, subject.x, subject.target, subject.kl_weight, subject.image_shape)
    times, gflops = measure(model, optimizer, subject.step, seconds[0]), sgemm_gflops(len(os.sched_getaffinity(0)))
    for event in recorder.events:
        event.ms = times.calls[event.place, event.direction]
        event.peak = event.flops / (event.ms * 1e6) / gflops if event.flops else None
        event.checked = checked.get(event.place) if event.direction == "backward" else None
    losses = {"loss": float(np.mean(reconstruction + subject.kl_weight * kl)), "reconstruction": float(np.mean(reconstruction)), "kl": float(np.mean(kl))}
    result = Trace(subject.title, len(subject.x), subject.usual_batch_size, subject.steps, losses, subject.kl_weight, type(optimizer).__name__,
                   model.kernels.describe(), subject.example, recorder.events, recorder.updates, times, gflops)
    result.findings = examine(result)
    return result
