"""What is traced: a model, its optimizer, and the next batch of its training."""
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ... import labs
from ...errors import ScratchVAEError
from ...runs import make_run, new_config, open_run
from ...storage import read_arrays
from ...text import detokenize
from ...training.loop import SHUFFLE

MOST_GFLOP = 15                 # in a step; larger batches are halved unless a size is given


@dataclass
class Subject:
    """A model before a training step.

    Attributes
    ----------
    title : str
    model : Model
        Built.
    optimizer : Optimizer
        Built for the model's parameters.
    x, target : arrays
        The batch and its targets.
    steps : int
        How many steps were made before.
    seed : int
        Seed of the noise.
    usual_batch_size : int
        The batch size of the model's training.
    image_shape : (int, int, int) or None
        Height, width and channels of an example that is an image.
    example : str
        The first example as text, if it consists of words.
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
        """Make a training step on the batch.

        Returns
        -------
        (array (N,), array (N,))
            Reconstruction losses and KL divergences before the step.
        """
        self.model.noise.seed = self.seed
        self.model.noise.step = self.steps
        return self.model.train_step(self.x, self.optimizer, self.kl_weight, self.target)


def open_subject(name, batch_size=None, data_dir=None, text=None, images=None, csv=None,
                 backend=None):
    """Return the Subject of that name.

    Parameters
    ----------
    name : str
        A lab, traced at its first step with new weights; or the directory of a run, traced at the
        step that would be its next.
    batch_size : int, optional
        Default: that of the training, or less if a step would take longer than about a second.
    data_dir : path, optional
        Where the data sets are.
    text : path, optional
        Where the text of a run is now.
    images : path, optional
        Where the images of a run on images of one's own are now.
    csv : path, optional
        Where the table of a run on a table of one's own is now.
    backend : str, optional
        The backend that computes.

    Returns
    -------
    Subject

    Raises
    ------
    ScratchVAEError
        If the name is neither a lab nor a run.
    """
    fresh = name in labs.LABS and not (Path(name) / "config.json").exists()
    if not fresh and not Path(name).exists():
        raise ScratchVAEError(
            f"{name}: neither a lab nor a run; a run is a directory written by train, and the "
            f"labs are: {', '.join(labs.LABS)}"
        )
    run = (new_run(labs.get(name), data_dir, backend) if fresh
           else open_run(name, data_dir, text, images, csv, backend))
    x, y, _ = run.examples()
    config = run.config
    model = run.make_model() if fresh else run.model
    optimizer = run.make_optimizer()
    optimizer.build(model.parameters, model.kernels)
    steps = 0 if fresh else resume(optimizer, run.folder / "checkpoint.npz")
    size = batch_size or bearable(model, config["batch_size"])
    chosen = coming_examples(len(x), steps, config, run.lab.shuffle)[:size]
    x, target = map(np.asarray, model.as_pair(x[chosen], None if y is None else y[chosen]))
    run.model = model
    title = f"{name}, fresh weights" if fresh else f"{name}, a run of {run.lab.name}"
    return Subject(title, model, optimizer, x, target, steps, config["seed"], config["batch_size"],
                   image_shape(run), in_words(run, x[0]))


def new_run(lab, data_dir, backend):
    """Return a run of a lab with the lab's settings. It writes nothing."""
    config = new_config(lab, dict(lab.settings), data_dir=data_dir, backend=backend)
    return make_run("trace", config)


def resume(optimizer, checkpoint):
    """Set the optimizer's state to that of a checkpoint.

    Parameters
    ----------
    optimizer : Optimizer
        Built.
    checkpoint : Path

    Returns
    -------
    int
        The number of steps made before. Without a checkpoint it is unknown, and 1 is returned.
    """
    if not checkpoint.exists():
        return 1
    arrays, state = read_arrays(checkpoint, "checkpoint")
    for name, slot in optimizer.slots.items():
        slot[...] = arrays[name]
    optimizer.step = state["updates"]
    optimizer.reduced_rate = state.get("reduced_rate")
    return state["updates"]


def coming_examples(count, steps, config, shuffle):
    """Return the indices of all examples in the order in which training takes them next.

    Parameters
    ----------
    count : int
        Number of examples.
    steps : int
        How many steps were made before.
    config : dict
        Of the run, with "batch_size" and "seed".
    shuffle : bool
        Whether training shuffles the examples of an epoch.

    Returns
    -------
    array of int (count,)
    """
    epoch, step = divmod(steps, -(-count // config["batch_size"]))
    order = np.arange(count)
    if shuffle:
        np.random.default_rng([config["seed"], epoch, SHUFFLE]).shuffle(order)
    return np.roll(order, -step * config["batch_size"])


def bearable(model, size):
    """Return the size, halved until a step needs at most MOST_GFLOP."""
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
    """Return an example of words as text, and "" for images."""
    if run.lab.kind != "text":
        return ""
    words = example[example != run.vocabulary.padding]
    return f"its first example: {detokenize(run.vocabulary.decode(words))}"
