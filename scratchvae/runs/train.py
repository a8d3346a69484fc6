"""Training a run: the loop of scratchvae.training, and what keeps the directory up to date."""
import platform

from ..training import Callback
from ..training.history import History
from ..training.loop import steps_in
from .lock import training_lock
from .record import Record


class Keeper(Callback):
    """Writes configuration, weights, record and history of a run while it is trained.

    Parameters
    ----------
    run : Run
    model : Model
        The model that is trained.
    record : Record or None
    """

    def __init__(self, run, model, record):
        self.run = run
        self.model = model
        self.record = record

    def on_train_begin(self, history):
        self.keep(history)              # a kill may have come between checkpoint and files

    def on_epoch_end(self, history):
        self.keep(history)

    def on_interrupt(self, history):
        self.keep_weights()

    def keep(self, history):
        """Write everything."""
        self.run.history = history
        self.run.write_config()
        self.keep_weights()
        if len(history):
            history.write_csv(self.run.folder / "history.csv")

    def keep_weights(self):
        """Write the weights and the record."""
        self.model.save(self.run.folder / "weights.npz")
        if self.record:
            self.record.save(self.run.folder / "record.npz")


def train(run, resume=False, callbacks=()):
    """Train a run, or resume its training, up to the configured number of epochs.

    Parameters
    ----------
    run : Run
        Its directory is locked and kept up to date.
    resume : bool
        Whether to go on from the run's checkpoint.
    callbacks : sequence of Callback
        Called after the files of the run are written.
    """
    config = run.config
    x, y, validation = run.examples()
    model = run.fresh_model()
    announce(run, model, len(x))
    run.model = model
    record = make_record(run, model, resume)
    keeper = Keeper(run, model, record)
    recorders = [record] if record else []
    with training_lock(run.folder):
        if not resume:
            keeper.keep(History())
        run.history = model.fit(
            x, epochs=config["epochs"], batch_size=config["batch_size"],
            optimizer=run.lab.make_optimizer(config["settings"]), validation_data=validation,
            y=y, seed=config["seed"], shuffle=run.lab.shuffle,
            checkpoint=run.folder / "checkpoint.npz", resume=resume,
            callbacks=[*recorders, keeper, *callbacks])
    if config["backend"] == "cuda":
        del run.model                   # from here on the run is loaded on a backend of NumPy's


def announce(run, model, examples):
    """Print what is about to be trained, and complete the configuration."""
    config = run.config
    computed_by = model.kernels.describe()
    config["computed_by"] = f"{computed_by}; {platform.system()}, {platform.machine()}"
    print(f"{run.lab.name}: {model.count:,} parameters, {config['epochs']} epochs of "
          f"{examples:,} examples in batches of {config['batch_size']}; {computed_by}", flush=True)
    for line in run.lab.peculiarities(config["settings"]):
        print(f"note: {line}", flush=True)
    print(f"report: {run.folder / 'report.html'}, rewritten after every epoch", flush=True)


def make_record(run, model, resume):
    """Return a Record if the lab asks for one: new, or as far as the checkpoint to resume from."""
    every = run.lab.record_every
    if not every:
        return None
    if not resume:
        return Record(model, every)
    steps = steps_in(run.folder / "checkpoint.npz")
    return Record.load(run.folder / "record.npz", model, steps)
