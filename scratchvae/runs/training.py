"""Training a run: its directory is kept up to date, and whatever it holds can be resumed from."""
import contextlib
import math
import platform

from .. import kernels
from ..kernels import folders
from ..labs.common import NEED_LENGTH
from ..shards import ONE
from ..storage import side_product
from ..training.callback import Callback
from ..training.checkpoint import steps_in
from .beside import compile_beside
from .config import processor_features, read_config, versions
from .lock import check_unused, training_lock
from .record import Record

ENDS = ("best_epoch", "stopped_epoch")          # what early stopping says when training ends


class Keeper(Callback):
    """Writes a run's configuration, weights and history.

    Parameters
    ----------
    run : Run
        Its `model` is the one that is trained.
    """

    def __init__(self, run):
        self.run = run

    def on_train_begin(self, history):
        """Write all files: of a resumed run, a kill may have left some of them behind."""
        for name in ENDS:
            self.run.config.pop(name, None)
        self.write(history)

    def on_epoch_end(self, history):
        """Write all files."""
        self.write(history)

    def on_interrupt(self, history):
        """Write the weights; the history has no new row."""
        self.write_weights()

    def on_train_end(self, training):
        """Write the weights that early stopping returned to, and which ones they are."""
        history = training.history
        if history.best_epoch is not None:
            self.run.config |= {name: getattr(history, name) for name in ENDS}
            self.write(history)

    def write(self, history):
        """Write all files."""
        self.run.history = history
        self.run.write_config()
        self.write_weights()
        if len(history):
            with side_product():
                history.write_csv(self.run.folder / "history.csv")

    def write_weights(self):
        """Write weights.npz."""
        self.run.model.save(self.run.folder / "weights.npz")


def train(run, callbacks=(), resume=False, processes=ONE):
    """Train a run up to its configured number of epochs.

    Parameters
    ----------
    run : Run
    callbacks : sequence of Callback, default ()
        Called after the run's own, which have written its files by then.
    resume : bool, default False
        Continue the training from the run's checkpoint; without a checkpoint, from the beginning.
    processes : optional
        Those that train together, see scratchvae.shards. Process 0 alone writes to the directory.

    Raises
    ------
    ScratchVAEError
        If another process trains the run, or the training diverges.
    KeyboardInterrupt
        At Ctrl-C or SIGTERM, after the checkpoint is written.
    """
    with contextlib.ExitStack() as stack:
        def lock():
            stack.enter_context(training_lock(run.folder))
            if not resume:
                check_unused(run.folder)
            return resume and has_begun(run.folder)
        train_locked(run, callbacks, processes.share(lock), processes)


def has_begun(folder):
    """Return whether a directory holds a checkpoint; without one, training begins anew."""
    return (folder / "checkpoint.npz").exists()


def train_locked(run, callbacks, resume, processes):
    """Train a run whose directory is locked; see train."""
    config = run.config
    backend = kernels.load(config["backend"])           # first: it may be missing
    x, y, validation = run.examples()
    run.model = run.make_model()
    if config.get("from") and not resume:
        run.take_weights(type(run)(config["from"], read_config(config["from"])))
    if config["settings"].get("learning_rate_schedule") in NEED_LENGTH:
        config["steps"] = config["epochs"] * math.ceil(len(x) / config["batch_size"])
    optimizer = run.make_optimizer()
    watching = run.lab.make_callbacks(config["settings"], validation is not None)
    own = [Keeper(run), *make_record(run, resume)] if processes.rank == 0 else []
    announce(run, len(x), backend.describe(), processes)
    processes.compare(versions() | {"processor features": processor_features()})
    if resume:
        note_other_versions(config)
    if not resume and processes.rank == 0:
        run.write_config()              # first: a checkpoint cannot be resumed without it
    if processes.count == 1:
        compile_beside(run, x, y)
    run.history = run.model.fit(
        x,
        epochs=config["epochs"],
        batch_size=config["batch_size"],
        optimizer=optimizer,
        validation_data=validation,
        y=y,
        seed=config["seed"],
        shuffle=run.lab.shuffle,
        checkpoint=run.folder / "checkpoint.npz",
        resume=resume,
        callbacks=[*watching, *own, *callbacks],
        progress=processes.rank == 0,
        shards=config.get("shards", 1),
        processes=processes,
    )
    if config["backend"] == "cuda":
        del run.model                   # loaded again from its file, where Python computes


def note_other_versions(config):
    """Say when a run is resumed where its bits may differ."""
    now = versions()
    for name, then in config["versions"].items():
        if now.get(name) != then:
            print(f"note: the run began with {name} {then}, here it is {now.get(name)}: the "
                  "resumed training is right, but its bits may differ", flush=True)


def announce(run, count, backend, processes):
    """Print what is trained on how many examples, and note the backend in the configuration."""
    config = run.config
    config["computed_by"] = f"{backend}; {platform.system()}, {platform.machine()}"
    print(f"{run.lab.name}: {run.model.count:,} parameters, {config['epochs']} epochs of "
          f"{count:,} examples in batches of {config['batch_size']}"
          f"{in_shards(config.get('shards', 1), processes)}; {backend}", flush=True)
    if folders.note():
        print(f"note: {folders.note()}", flush=True)
    for line in run.lab.peculiarities(run.model_settings):
        print(f"note: {line}", flush=True)


def in_shards(shards, processes):
    """Return how batches are divided, as text: nothing if they are not."""
    if shards == 1:
        return ""
    return f" of {shards} shards" + (f" on {processes.count} processes" * (processes.count > 1))


def make_record(run, resume):
    """Return a list with the Record of the training's steps, empty if the lab keeps none.

    A resumed record ends at the checkpoint.
    """
    every = run.lab.record_every
    if not every:
        return []
    path = run.folder / "record.npz"
    if resume:
        return [Record.load(path, run.model, steps_in(run.folder / "checkpoint.npz"))]
    return [Record(run.model, every, path)]
