"""A run: a lab trained with certain settings, and the directory that holds all of it.

config.json     what was trained on what, and how          history.csv     a row for each epoch
weights.npz     the model                                  figures/*.png   what to look at
checkpoint.npz  the whole state of training, to resume     evaluation.json the measures of evaluate
report.html     all of it on one page                      progress.json   examples after some epochs
record.npz      losses of batches, inputs and outputs by step, for labs that ask for it
.lock           locked while the run is trained
"""
import json
import platform
from functools import cached_property
from pathlib import Path

import numpy as np

from .. import __version__, labs
from ..errors import ScratchVAEError
from ..models import Model
from ..storage import write_text
from ..training.history import History
from .record import Record

MEANINGS = {
    "loss": "reconstruction + KL weight x KL: lower is better",
    "reconstruction": "how badly the output fits the input",
    "kl": "how much the code tells about the input; near 0, the decoder ignores it",
}
KEYS = {"lab", "settings", "epochs", "batch_size", "limit", "seed", "backend", "data_dir", "data",
        "complete", "versions"}


def new_config(lab, settings, data_dir=None, text=None, **changes):
    """Return the configuration of a new run, as config.json holds it.

    Parameters
    ----------
    lab : Lab
    settings : dict
        All settings of the lab.
    data_dir, text : path, optional
        Where the data are; the text file to learn from.
    **changes
        epochs, batch_size, limit, seed, backend; those that are None or missing have the lab's
        values, or none, 0 and "cpu".

    Returns
    -------
    dict
        `data` and `complete` are filled in when the data are loaded.
    """
    chosen = {"epochs": lab.epochs, "batch_size": lab.batch_size, "limit": None, "seed": 0,
              "backend": "cpu"}
    chosen |= {name: value for name, value in changes.items() if value is not None}
    versions = {"scratchvae": __version__, "python": platform.python_version(),
                "numpy": np.__version__}
    return {"lab": lab.name, "settings": settings, **chosen,
            "data_dir": data_dir and str(Path(data_dir).resolve()),
            "text": text and str(Path(text).resolve()), "data": None, "complete": None,
            "versions": versions}


class Run:
    """A run directory and what belongs to it; each part is loaded when it is first asked for.

    Nothing is written before there is something to keep: the directory appears when training
    begins. What runs of images and of text do differently is in ImageRun and TextRun.

    Parameters
    ----------
    folder : path
    config : dict
        See new_config.
    """
    kinds = {}                  # kind of lab -> class of its runs

    def __init_subclass__(cls, kind):
        Run.kinds[kind] = cls

    def __init__(self, folder, config):
        self.folder = Path(folder)
        self.config = config
        self.lab = labs.get(config["lab"])
        self.figures = self.folder / "figures"

    @classmethod
    def of(cls, folder, config):
        """Return the run of a configuration, of the class that its lab asks for."""
        return cls.kinds[labs.get(config["lab"]).kind](folder, config)

    @classmethod
    def create(cls, folder, config):
        """Return a new run.

        Parameters
        ----------
        folder : path or None
            None stands for the first free one of runs/LAB, runs/LAB-2, ...
        config : dict

        Raises
        ------
        ScratchVAEError
            If the folder holds a run already.
        """
        if folder is None:
            base = Path("runs") / config["lab"]
            folder = base
            number = 1
            while folder.exists():
                number += 1
                folder = base.with_name(f"{base.name}-{number}")
        if (Path(folder) / "config.json").exists():
            raise ScratchVAEError(f"{folder}: holds a run already; resume it with --resume "
                                  f"{folder}, or choose another --out")
        return cls.of(folder, config)

    @classmethod
    def open(cls, folder, data_dir=None):
        """Return an existing run.

        Parameters
        ----------
        folder : path
        data_dir : path, optional
            Where its data are now, if not where they were in training.

        Raises
        ------
        ScratchVAEError
            If the folder holds no run, or config.json is damaged.
        """
        path = Path(folder) / "config.json"
        if not path.is_file():
            raise ScratchVAEError(f"{folder}: not a run directory (config.json is missing)")
        try:
            config = json.loads(path.read_text())
            missing = KEYS - set(config if isinstance(config, dict) else ())
        except ValueError as error:
            raise ScratchVAEError(f"{path}: damaged ({error})") from None
        if missing:
            raise ScratchVAEError(f"{path}: damaged (missing: {', '.join(sorted(missing))})")
        if data_dir and config.get("text"):
            raise ScratchVAEError(f"{folder}: was trained on the file {config['text']}, which is "
                                  "read from there; leave out the data directory")
        if data_dir:
            config["data_dir"] = str(Path(data_dir).resolve())
        return cls.of(folder, config)

    @cached_property
    def beside(self):
        """The run of the lab's partner in the neighbouring directory of its name, or None.

        It counts when it has completed an epoch.
        """
        if not self.lab.beside:
            return None
        folder = self.folder.resolve().parent / self.lab.beside
        return Run.open(folder) if (folder / "history.csv").exists() else None

    @cached_property
    def record(self):
        """What was recorded of training step by step, or None."""
        path = self.folder / "record.npz"
        return Record.load(path, self.model) if path.exists() else None

    @cached_property
    def model(self):
        """The trained model, on a backend of NumPy's arrays: one trained on a device opens too."""
        backend = self.config["backend"]
        return Model.load(self.folder / "weights.npz", "cpu" if backend == "cuda" else backend)

    @cached_property
    def history(self):
        """The history of the training so far."""
        return History.read_csv(self.folder / "history.csv")

    @property
    def note(self):
        """The note at the foot of every figure."""
        return f"{self.lab.name}, seed {self.config['seed']}, {self.config['data']}"

    @property
    def references(self):
        """The lab's reference figures if this run is comparable, else nothing.

        It is comparable if it uses all of the data and the lab's own settings.
        """
        own = {"settings": self.lab.settings, "batch_size": self.lab.batch_size, "limit": None,
               "complete": True}
        return self.lab.references if own.items() <= self.config.items() else ()

    def fresh_model(self):
        """Return the lab's model as training begins with it."""
        settings = self.config["settings"]
        model = self.lab.make_model(settings, self.config["backend"])
        model.build(self.lab.shape(settings), self.config["seed"])
        return model

    def codes(self, x=None):
        """Return the encoder's code of examples: z, or its mean.

        x : array, optional; the test examples by default.
        """
        code = self.model.encode(self.x_test if x is None else x)
        return code[0] if isinstance(code, tuple) else code

    def write_config(self):
        """Write config.json."""
        write_text(self.folder / "config.json", json.dumps(self.config, indent=2) + "\n")

    def write_evaluation(self, result):
        """Write evaluation.json."""
        write_text(self.folder / "evaluation.json", json.dumps(result, indent=2) + "\n")
