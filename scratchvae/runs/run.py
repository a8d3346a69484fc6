"""A run: a lab trained with certain settings, and the directory that holds all of it.

config.json     what was trained on what, and how          history.csv     a row for each epoch
weights.npz     the model                                  figures/*.png   what to look at
checkpoint.npz  the whole state of training, to resume     evaluation.json the measures of `evaluate`
report.html     all of it on one page                      progress.json   a few examples after some of the epochs, for the page
record.npz      losses of batches, inputs and outputs by step, for labs that ask for it
.lock           locked while the run is trained
"""
import json
import platform
from functools import cached_property
from pathlib import Path

import numpy as np

import kernels

from .. import __version__, labs
from ..data.images import load_images
from ..errors import ScratchVAEError
from ..training.history import History
from ..labs.text_lab import TextLab
from .lock import is_trained, training_lock
from ..models import Model
from .record import Record
from ..storage import write_text
from ..training.fit import steps_in

MEANINGS = {"loss": "reconstruction + KL weight x KL: lower is better", "reconstruction": "how badly the output fits the input",
            "kl": "how much the code tells of the input; near 0, the decoder ignores it"}
KEYS = {"lab", "settings", "epochs", "batch_size", "limit", "seed", "backend", "data_dir", "data", "complete", "versions"}


def new_config(lab, settings, epochs=None, batch_size=None, limit=None, seed=0, backend="cpu", data_dir=None, text=None):
    """The configuration of a run, as config.json holds it.  data and complete are filled in when the data are loaded."""
    return {"lab": lab.name, "settings": settings, "epochs": epochs or lab.epochs, "batch_size": batch_size or lab.batch_size,
            "limit": limit, "seed": seed, "backend": backend, "data_dir": data_dir and str(Path(data_dir).resolve()),
            "text": text and str(Path(text).resolve()), "data": None, "complete": None,
            "versions": {"scratchvae": __version__, "python": platform.python_version(), "numpy": np.__version__}}


def run_class(config):
    """The class of runs of such a lab."""
    from .text_run import TextRun
    return TextRun if isinstance(labs.get(config["lab"]), TextLab) else Run


class Run:
    """A run directory and what belongs to it, each loaded when first asked for.

    Nothing is written before there is something to keep: the directory appears when training begins.
    """

    def __init__(self, folder, config):
        self.folder = Path(folder)
        self.config = config
        self.lab = labs.get(config["lab"])
        self.figures = self.folder / "figures"

    @classmethod
    def create(cls, folder, config):
        """A new run; folder None means the first free one of runs/LAB, runs/LAB-2, ..."""
        if folder is None:
            base, number = Path("runs") / config["lab"], 1
            folder = base
            while folder.exists():
                number += 1
                folder = base.with_name(f"{base.name}-{number}")
        if (Path(folder) / "config.json").exists():
            raise ScratchVAEError(f"{folder} holds a run already; go on with it by --resume {folder}, or give another --out")
        return run_class(config)(folder, config)

    @classmethod
    def open(cls, folder, data_dir=None):
        """An existing run.  data_dir: where its data are now, if not where they were in training."""
        path = Path(folder) / "config.json"
        if not path.is_file():
            raise ScratchVAEError(f"{folder}: no run directory (it has no config.json)")
        try:
            config = json.loads(path.read_text())
            missing = KEYS - set(config if isinstance(config, dict) else ())
        except ValueError as error:
            raise ScratchVAEError(f"{path}: damaged ({error})") from None
        if missing:
            raise ScratchVAEError(f"{path}: damaged (it lacks {', '.join(sorted(missing))})")
        if data_dir and config.get("text"):
            raise ScratchVAEError(f"{folder} learnt from the file {config['text']}, and looks for it there; needed: no data directory")
        if data_dir:
            config["data_dir"] = str(Path(data_dir).resolve())
        return run_class(config)(folder, config)

    @cached_property
    def data(self):
        """The lab's data set, its images as the lab's examples."""
        data = load_images(self.lab.data, self.config["data_dir"])
        print(f"data: {data.description}", flush=True)
        data.x_train, data.x_test = self.lab.prepare(data.x_train), self.lab.prepare(data.x_test)
        return data

    @property
    def x_test(self):
        """The test examples, at most --limit of them."""
        return self.data.x_test[:self.config["limit"]]

    def codes(self, x=None):
        """Where the model's encoder puts the examples x, the test set unless given: z, or its mean."""
        code = self.model.encode(self.x_test if x is None else x)
        return code[0] if isinstance(code, tuple) else code

    @cached_property
    def beside(self):
        """The run that belongs beside this one: of the lab's partner, in a neighbouring directory of that name, or None.

        It counts once it has ended an epoch.
        """
        folder = self.lab.beside and self.folder.resolve().parent / self.lab.beside
        return Run.open(folder) if folder and (folder / "history.csv").exists() else None

    @cached_property
    def record(self):
        """What was kept of training, step by step, or None."""
        path = self.folder / "record.npz"
        return Record.load(path, self.model) if path.exists() else None

    @cached_property
    def model(self):
        """The trained model, which computes where Python does: what was trained on a device is of use without one."""
        backend = self.config["backend"]
        return Model.load(self.folder / "weights.npz", "cpu" if backend == "cuda" else backend)

    @cached_property
    def history(self):
        """The history of the training so far."""
        return History.read_csv(self.folder / "history.csv")

    @property
    def note(self):
        """What stands at the foot of every figure."""
        return f"{self.lab.name}, seed {self.config['seed']}, {self.config['data']}"

    @property
    def references(self):
        """The lab's reference figures, if this run is comparable: all of the data, and the lab's own settings."""
        own = {"settings": self.lab.settings, "batch_size": self.lab.batch_size, "limit": None, "complete": True}
        return self.lab.references if own.items() <= self.config.items() else ()

    def train(self, resume=False, tensorboard=False):
        """Train, or go on training, up to the configured number of epochs, keeping the directory up to date.

        tensorboard: write its event files too.
        """
        from ..analysis.report.events import Events
        from ..analysis.report.live import Live
        config, lab = self.config, self.lab
        events = Events(self) if tensorboard else None
        backend = kernels.load(config["backend"])
        x, y, validation = self.examples()
        model, optimizer = lab.make_model(config["settings"], config["backend"]), lab.make_optimizer(config["settings"])
        model.build(lab.shape(config["settings"]), config["seed"])
        print(f"{lab.name}: {model.count:,} parameters, {config['epochs']} epochs of {len(x):,} examples in batches "
              f"of {config['batch_size']}; {backend.describe()}", flush=True)
        for line in lab.peculiarities(config["settings"]):
            print(f"note: {line}", flush=True)
        print(f"report: {self.folder / 'report.html'}, renewed after every epoch", flush=True)
        config["computed_by"] = f"{backend.describe()}; {platform.system()}, {platform.machine()}"
        self.model, record, live = model, self.make_record(model, resume), Live(self, events)

        def keep(history):
            self.history = history
            self.write_config()
            model.save(self.folder / "weights.npz")
            if record:
                record.save(self.folder / "record.npz")
            if len(history):
                history.write_csv(self.folder / "history.csv")

        def begin(history):
            if resume:
                keep(history)           # what a kill may have left undone, and the number of epochs now
            if len(history) < config["epochs"]:
                live.begin()

        def end_epoch(history):
            keep(history)
            live.end_epoch(history.rows[-1])

        with training_lock(self.folder), live:
            if not resume:
                keep(History())
            try:
                self.history = model.fit(
                    x, epochs=config["epochs"], batch_size=config["batch_size"], optimizer=optimizer, validation_data=validation, y=y,
                    seed=config["seed"], shuffle=lab.shuffle, checkpoint=self.folder / "checkpoint.npz", resume=resume,
                    on_begin=begin, on_epoch_end=end_epoch, on_step=record)
            except KeyboardInterrupt:
                model.save(self.folder / "weights.npz")
                if record:
                    record.save(self.folder / "record.npz")
                raise
        if config["backend"] == "cuda":
            del self.model              # to be loaded where Python computes

    def examples(self):
        """What to train on, what to make of it (None: itself), and what validates; config is told what data these are."""
        limit = self.config["limit"]
        x, validation = (x[:limit] for x in self.lab.split(self.data))
        used = f"; of these {len(x):,} and {len(validation):,} used" if limit or self.lab.validation_split else ""
        self.config["data"], self.config["complete"] = self.data.description + used, self.data.complete
        self.data.x_train = self.data.x_train[:0]       # figures show the test set: after training nobody holds these 190 MB
        return x, None, validation

    def make_record(self, model, resume):
        """A Record if the lab asks for one: new, or as far as the checkpoint to resume from."""
        if not self.lab.record_every:
            return None
        path = self.folder / "record.npz"
        return Record.load(path, model, steps_in(self.folder / "checkpoint.npz")) if resume else Record(model, self.lab.record_every)

    def write_report(self):
        """Write report.html; returns the path.  Whoever trains the run writes it again after the epoch."""
        from ..analysis.report import write_report
        return write_report(self, live=is_trained(self.folder))

    def write_config(self):
        """Write config.json."""
        write_text(self.folder / "config.json", json.dumps(self.config, indent=2) + "\n")

    def evaluate(self):
        """The model's losses on the test set, also written to evaluation.json."""
        x, seed = self.x_test, self.config["seed"]
        last_batch = x[-(len(x) % self.config["batch_size"] or self.config["batch_size"]):]
        result = {"data": self.data.description, "examples": len(x), **self.model.evaluate(x, seed),
                  "last_batch": self.model.evaluate(last_batch, seed)}
        write_text(self.folder / "evaluation.json", json.dumps(result, indent=2) + "\n")
        return result

    def draw_reconstructions(self, count):
        """`count` test examples above their reconstructions; returns the path."""
        from ..analysis import plots         # matplotlib takes long to import: not before training
        x = self.x_test[:count]
        return plots.reconstructions(x, self.model.reconstruct(x), self.figures / "reconstructions.png",
                                     f"Test images and their reconstructions ({self.lab.name})", self.note)

    def draw_samples(self, count, seed=0):
        """`count` new images; returns the path."""
        from ..analysis import plots
        return plots.samples(self.model.sample(count, seed), self.figures / "samples.png",
                             f"Decoded from random points of the prior ({self.lab.name})", self.note)
