"""What every run has: its directory, and what belongs to it.

config.json      the lab, its settings, the data        history.csv      a row for each epoch
weights.npz      the model                              figures/*.png    the figures
checkpoint.npz   the state of training, to resume       evaluation.json  the measures of `evaluate`
report.html      all of it on one page                  progress.json    examples for the page
record.npz       losses, inputs and outputs by step,    .lock            locked during training
                 for labs that ask for it               card.md          the model card
scores.csv       the scores of `score`
"""
import json
from functools import cached_property
from pathlib import Path

from .. import labs
from ..errors import ScratchVAEError
from ..models import Model
from ..storage import write_text
from ..training.history import History
from .config import read_config, run_name
from .lock import is_trained
from .record import Record


class Run:
    """A run directory. What belongs to it is loaded when it is first used.

    ImageRun and TextRun add what depends on the kind of the data: `data`, `x_test`, `examples`,
    `part`, `evaluate`, `describe_evaluation`, `draw_reconstructions`, `draw_samples`,
    `draw_scores`, `glimpse` and `originals`.

    Parameters
    ----------
    folder : path
        Need not exist yet: it is created when training begins.
    config : dict
        As new_config or read_config returns it.
    """

    data_line = None            # what the data are if they are others than those of the training

    def __init__(self, folder, config):
        self.folder = Path(folder)
        self.config = config
        self.lab = labs.get(config["lab"])
        self.figures = self.folder / "figures"

    @cached_property
    def model(self):
        """The trained model. One that was trained on a GPU, or with kernels that are no longer
        there, computes on the CPU here.
        """
        backend = self.config["backend"]
        here = backend == "reference" or Path(backend).is_dir()
        return Model.load(self.folder / "weights.npz", backend if here else "cpu")

    @property
    def model_settings(self):
        """The settings that the lab's model is made with."""
        return self.config["settings"]

    def make_model(self):
        """Return the lab's model with the weights with which training begins."""
        settings = self.model_settings
        model = self.lab.make_model(settings, self.config["backend"])
        model.build(self.lab.shape(settings), self.config["seed"])
        return model

    def take_weights(self, other):
        """Give the new model the weights of another run of the same lab."""
        if other.lab.name != self.lab.name:
            raise ScratchVAEError(f"--from {other.folder}: is a run of {other.lab.name}, "
                                  f"not of {self.lab.name}")
        self.model.load_weights(other.folder / "weights.npz")

    def make_optimizer(self):
        """Return the lab's optimizer with the run's settings."""
        return self.lab.make_optimizer(self.config["settings"], self.config.get("steps") or 1)

    @cached_property
    def history(self):
        """The history of the training so far; of imported weights there is none."""
        path = self.folder / "history.csv"
        if self.config.get("imported") and not path.exists():
            return History()
        return History.read_csv(path)

    @property
    def epoch(self):
        """The epoch that the weights are of."""
        return self.config.get("best_epoch") or len(self.history)

    @cached_property
    def record(self):
        """The record of the training's steps, or None."""
        path = self.folder / "record.npz"
        return Record.load(path, self.model) if path.exists() else None

    @cached_property
    def beside(self):
        """The run to draw beside this one, or None.

        It is the run of the lab's partner in the neighbouring directory of the partner's name, if
        that run has completed an epoch, of the same images if they are one's own, and is
        conditional if this one is.
        """
        if self.lab.beside is None:
            return None
        folder = self.folder.resolve().parent / run_name(self.lab.beside, self.config)
        if not (folder / "history.csv").exists():
            return None
        config = read_config(folder)
        own = self.config.get("images") or config.get("images")
        if own and self.config.get("data_sha256") != config.get("data_sha256"):
            return None
        if self.is_conditional != bool(config["settings"].get("conditional")):
            return None
        return type(self)(folder, config)

    @property
    def is_conditional(self):
        """Whether the model is given the label of each example."""
        return bool(self.config["settings"].get("conditional"))

    @property
    def title(self):
        """What the run is about."""
        return self.lab.title

    @property
    def note(self):
        """The line at the foot of every figure."""
        data = self.data_line or self.config["data"]
        return f"{self.lab.name}, seed {self.config['seed']}, {data}"

    @property
    def references(self):
        """The lab's reference figures; none if the data or settings of the run are others."""
        own = {"settings": self.lab.settings, "batch_size": self.lab.batch_size, "limit": None,
               "complete": True}
        return self.lab.references if own.items() <= self.config.items() else ()

    @property
    def is_trained(self):
        """Whether a process trains the run now."""
        return is_trained(self.folder)

    def write_config(self):
        """Write config.json."""
        write_text(self.folder / "config.json", json.dumps(self.config, indent=2) + "\n")

    def write(self, name, lines):
        """Write lines to a text file of the run and return its path."""
        path = self.folder / name
        write_text(path, "\n".join(lines) + "\n")
        return path
