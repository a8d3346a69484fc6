"""What is traced: a model, its optimizer, and the batch that comes next in its training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ... import labs
from ...errors import ScratchVAEError
from ...runs import make_run, new_config, open_run
from ...storage import read_arrays
from ...text import detokenize
from ...training.loop import SHUFFLE

MOST_GFLOP = (
    15  # in a step: unless a batch size is asked for, a batch is halved until it needs no more
)


@dataclass
class Subject:
    """A model before a training step.

    x, target: the batch, and what to make of it.  steps: how many were made before.
    usual_batch_size: that of its training.
    image_shape: the (H, W, C) of an example that is an image, or None.  example: the first one in
    words, if it is words.
    """

    title: str
    model: object
    optimizer: object
    x: np.ndarray
    target: np.ndarray
    steps: int = 0
    seed: int = 0
    usual_batch_size: int = 0
    image_shape: tuple = None
    example: str = ""

    @property
    def kl_weight(self):
        """The weight of the KL term at this step."""
        return self.model.kl_weight(self.steps)

    def step(self):
        """Make a training step on the batch; returns the losses before it."""
        self.model.noise.seed = self.seed
        self.model.noise.step = self.steps
        return self.model.train_step(self.x, self.optimizer, self.kl_weight, self.target)


def open_subject(name, batch_size=None, data_dir=None):
    """The Subject of that name:

    a lab with fresh weights at its first step, or a run, a directory, at the step that would be its
    next.
    """
    fresh = name in labs.LABS and not (Path(name) / "config.json").exists()
    if not fresh and not Path(name).exists():
        raise ScratchVAEError(
            f"{name}: neither a lab nor a run; a run is a directory that train made, the labs "
            f"are: {', '.join(labs.LABS)}"
        )
    run = new_run(labs.get(name), data_dir) if fresh else open_run(name, data_dir)
    x, y, _ = run.examples()
    config = run.config
    model = run.make_model() if fresh else run.model
    optimizer = run.lab.make_optimizer(config["settings"])
    optimizer.build(model.parameters, model.kernels)
    steps = 0 if fresh else resume(optimizer, run.folder / "checkpoint.npz")
    chosen = batch(len(x), steps, config, run.lab.shuffle)[
        : batch_size or bearable(model, config["batch_size"])
    ]
    x, target = model.as_pair(x[chosen], None if y is None else y[chosen])
    run.model = model
    title = f"{name}, fresh weights" if fresh else f"{name}, a run of {run.lab.name}"
    return Subject(
        title,
        model,
        optimizer,
        x,
        target,
        steps,
        config["seed"],
        config["batch_size"],
        image_shape(run),
        in_words(run, x[0]),
    )


def new_run(lab, data_dir):
    """A run of a lab with its own settings, of which nothing is written."""
    config = new_config(lab, dict(lab.settings), data_dir=data_dir)
    return make_run("trace", config)


def resume(optimizer, checkpoint):
    """Give the optimizer the state that a checkpoint holds;

    return how many steps were made: without a checkpoint, at least one.
    """
    if not checkpoint.exists():
        return 1
    arrays, state = read_arrays(checkpoint, "checkpoint")
    for name, slot in optimizer.slots.items():
        slot[...] = arrays[name]
    optimizer.step = state["updates"]
    return state["updates"]


def batch(count, steps, config, shuffle):
    """The indices of the coming step's examples, of `count`, and of those after it, in the order in
    which training takes them.
    """
    epoch, step = divmod(steps, -(-count // config["batch_size"]))
    order = np.arange(count)
    if shuffle:
        np.random.default_rng([config["seed"], epoch, SHUFFLE]).shuffle(order)
    return np.roll(order, -step * config["batch_size"])


def bearable(model, size):
    """The size of a batch that takes no longer than a second or so."""
    while size > 1 and model.flops(size) > MOST_GFLOP * 1e9:
        size //= 2
    return size


def image_shape(run):
    """Return the (H, W, C) of the run's examples, or None if these are not images."""
    if run.lab.kind != "images":
        return None
    shape = run.model.input_shape
    side = round(int(np.prod(shape)) ** 0.5)
    return shape if len(shape) == 3 else (side, side, 1)


def in_words(run, example):
    """Return the first example as text, if it is words."""
    if run.lab.kind != "text":
        return ""
    words = example[example != run.vocabulary.padding]
    return f"its first example: {detokenize(run.vocabulary.decode(words))}"
