"""The training loop: epochs of shuffled batches, validation, progress, and checkpoints from which it goes on to the same bits.

Nothing random here is a state.  The order of an epoch is a function of (seed, epoch), the noise of a step one of (seed, step);
so the state of training is the parameters, the optimizer's slots, the history, and how far the running epoch has come.
"""
import contextlib
import json
import math
import signal
import threading
import time
import zlib
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..errors import ScratchVAEError
from .history import History
from ..layers.layer import check_seed, positive_integer
from ..optimizers import Adam, Optimizer
from ..storage import read_arrays, write_arrays

LOOK = 20                       # steps from one look at the losses to the next: a device computes ahead in between
SHUFFLE = 2 ** 32 - 1           # tells the stream of an epoch's order from those of initial parameters


def fit(model, x, epochs, batch_size, optimizer, validation_data, seed, checkpoint, resume, progress, on_begin, on_epoch_end,
        on_step, y, shuffle):
    """See Model.fit."""
    epochs, batch_size = positive_integer("fit", "epochs", epochs), positive_integer("fit", "batch_size", batch_size)
    seed = check_seed("fit", seed)
    optimizer = Adam() if optimizer is None else optimizer
    if not isinstance(optimizer, Optimizer):
        raise ScratchVAEError(f"fit: optimizer is {optimizer!r}; needed: Adam(), RMSprop() or SGD(), or None for Adam()")
    if np.ndim(x) < 2:
        raise ScratchVAEError(f"fit: x is a {type(x).__name__} of {np.ndim(x)} axes; needed: an array of shape (examples, ...)")
    check_checkpoint(checkpoint, resume)
    if model.input_shape is None:
        model.build(np.shape(x)[1:], seed)
    own_target = y is None
    x, y = model.as_pair(x, y)
    validation = None
    if validation_data is not None:
        if not own_target and not (isinstance(validation_data, (tuple, list)) and len(validation_data) == 2):
            raise ScratchVAEError("fit: y is given, so validation_data must be a pair (x, y)")
        validation = model.as_pair(validation_data) if own_target else model.as_pair(*validation_data)
    optimizer.build(model.parameters, model.kernels)
    training = Training(model, optimizer, x, y, batch_size, seed, on_step, shuffle)
    if resume:
        training.load(checkpoint)
        if training.epoch > epochs:
            raise ScratchVAEError(f"{checkpoint}: has {training.epoch} epochs already; allowed: as many or more, not {epochs}")
    elif checkpoint:
        training.save(checkpoint)
    if on_begin:
        on_begin(training.history)

    with deferred_interrupts() as interrupted:
        while training.epoch < epochs and not interrupted:
            training.run_epoch(epochs, progress, interrupted)
            if training.step < training.steps:
                break
            training.end_epoch(model.evaluate(validation[0], seed, validation[1]) if validation else {})
            if progress:
                tqdm.write(describe_epoch(training.history.rows[-1], epochs))
            if checkpoint:
                training.save(checkpoint)
            if on_epoch_end:
                on_epoch_end(training.history)
        if interrupted:
            if checkpoint:
                training.save(checkpoint)
            raise KeyboardInterrupt
    return training.history


def check_checkpoint(checkpoint, resume):
    """Refuse to resume from nothing, and to begin anew over what an earlier training left."""
    if resume and checkpoint is None:
        raise ScratchVAEError("fit: resume=True without a checkpoint; needed: the file to go on from")
    if checkpoint and not resume and Path(checkpoint).exists():
        raise ScratchVAEError(f"{checkpoint}: holds the state of an earlier training; go on from it with resume=True, or remove it")


class Training:
    """The state of one training run, and its inner loop."""

    def __init__(self, model, optimizer, x, y, batch_size, seed, on_step=None, shuffle=True):
        self.model, self.optimizer, self.kernels = model, optimizer, model.kernels
        self.x, self.y = model.on_device(x, y)
        self.batch_size, self.seed, self.on_step, self.shuffle = batch_size, seed, on_step, shuffle
        self.steps = math.ceil(len(x) / batch_size)         # in an epoch; the last may be smaller
        self.fingerprint = f"{len(x):,} examples with checksum {zlib.crc32(y, zlib.crc32(x)) if y is not x else zlib.crc32(x):08x}"
        self.history = History()
        self.epoch = 0
        self.start_epoch()

    def start_epoch(self):
        """Nothing done yet in the running epoch."""
        self.step = 0
        self.sums = self.kernels.zeros(3, "float64")        # of loss, reconstruction, kl over the examples so far
        self.seconds = 0.0

    def run_epoch(self, epochs, progress, interrupted):
        """Train on what is left of the running epoch, or until there is something in `interrupted`."""
        order = np.arange(len(self.x), dtype=np.int32)
        if self.shuffle:
            np.random.default_rng([self.seed, self.epoch, SHUFFLE]).shuffle(order)
        order = self.kernels.from_host(order)
        title = f"epoch {self.epoch + 1:{len(str(epochs))}}/{epochs}"
        started = time.perf_counter() - self.seconds
        with tqdm(total=self.steps, initial=self.step, desc=title, unit="step", leave=False, disable=None if progress else True) as bar:
            while self.step < self.steps and not interrupted:
                self.train_batch(order[self.step * self.batch_size:(self.step + 1) * self.batch_size])
                if self.step % LOOK == 0:
                    bar.set_postfix_str(f"loss {self.means()[0]:.4g}", refresh=False)
                bar.update()
        self.means()
        self.seconds = time.perf_counter() - started

    def train_batch(self, indices):
        """One training step on the examples of these indices."""
        model, global_step = self.model, self.epoch * self.steps + self.step
        batch = self.batch_of("batch", self.x, indices)
        target = batch if self.y is self.x else self.batch_of("target", self.y, indices)
        kl_weight = model.kl_weight(global_step)
        model.noise.seed, model.noise.step = self.seed, global_step
        reconstruction, kl = model.train_step(batch, self.optimizer, kl_weight, target)
        self.kernels.add_losses(reconstruction, kl, kl_weight, self.sums)
        self.step += 1
        if self.on_step:
            loss = self.kernels.to_host(reconstruction).mean(dtype=np.float64) + kl_weight * self.kernels.to_host(kl).mean(dtype=np.float64)
            self.on_step(global_step + 1, batch, loss)

    def batch_of(self, name, examples, indices):
        """The examples of these indices, copied to an array of that name."""
        batch = self.model.workspace.array(name, (len(indices), *examples.shape[1:]), examples.dtype)
        self.kernels.take(examples, indices, batch)
        return batch

    def means(self):
        """Loss, reconstruction and KL so far in the running epoch, a mean over its examples; an error if they are not finite."""
        means = self.kernels.to_host(self.sums) / min(self.step * self.batch_size, len(self.x))
        if not np.isfinite(means).all():
            raise ScratchVAEError(f"training diverged: the loss is {means[0]} by step {self.step} of epoch {self.epoch + 1}; "
                                  "try a smaller learning_rate")
        return means

    def end_epoch(self, validation):
        """Write the epoch into the history, and begin the next."""
        if not math.isfinite(validation.get("loss", 0.0)) or not np.isfinite(self.kernels.to_host(self.model.parameters.values)).all():
            raise ScratchVAEError(f"training diverged in epoch {self.epoch + 1}: validation loss or parameters are not finite; "
                                  "try a smaller learning_rate")
        loss, reconstruction, kl = (float(mean) for mean in self.means())
        self.history.append(epoch=self.epoch + 1, loss=loss, reconstruction=reconstruction, kl=kl,
                            **{f"val_{name}": validation.get(name) for name in ("loss", "reconstruction", "kl")},
                            seconds=round(self.seconds, 3))
        self.epoch += 1
        self.start_epoch()

    # What a checkpoint holds, and what must be the same to go on from it.

    def _settings(self):
        settings = {"model": self.model.get_config(), "optimizer": self.optimizer.get_config(),
                    "batch_size": self.batch_size, "seed": self.seed, "data": self.fingerprint, "shuffle": self.shuffle}
        return json.loads(json.dumps(settings))         # tuples become lists, as in the file

    def _arrays(self):
        """All arrays of the state, by name, where the backend computes."""
        return {"parameters": self.model.parameters.values, "sums": self.sums, **self.model.state, **self.optimizer.slots}

    def save(self, path):
        """Write the whole state."""
        arrays = {name: self.kernels.to_host(array) for name, array in self._arrays().items()}
        write_arrays(path, arrays, {"kind": "checkpoint", "settings": self._settings(), "history": self.history.rows,
                                    "epoch": self.epoch, "step": self.step, "seconds": self.seconds, "updates": self.optimizer.step})

    def load(self, path):
        """Go back to the state that `save` wrote."""
        arrays, state = read_arrays(path, "checkpoint")
        for name, now in self._settings().items():
            then = state["settings"].get(name)
            if then != now:
                what = f"{name} {then}, not {now}" if name != "model" else "another model"
                raise ScratchVAEError(f"{path}: was trained with {what}; resume with the same model, data and settings")
        for name, array in self._arrays().items():
            self.kernels.copy(arrays[name], array)
        self.optimizer.step = state["updates"]
        self.history = History(state["history"])
        self.epoch, self.step, self.seconds = state["epoch"], state["step"], state["seconds"]


def steps_in(checkpoint):
    """How many training steps a checkpoint has behind it."""
    return read_arrays(checkpoint, "checkpoint")[1]["updates"]


def describe_epoch(row, epochs):
    """An epoch of the history in one line."""
    def losses(prefix):
        return f"{row[prefix + 'loss']:.4g} (reconstruction {row[prefix + 'reconstruction']:.4g}, kl {row[prefix + 'kl']:.3g})"
    line = f"epoch {row['epoch']:{len(str(epochs))}}/{epochs}  {row['seconds']:6.1f} s  loss {losses('')}"
    return line if row["val_loss"] is None else f"{line}  validation {losses('val_')}"


@contextlib.contextmanager
def deferred_interrupts():
    """Within the block SIGINT and SIGTERM only fill the list it yields: nothing is cut in two.  A second one interrupts at once."""
    received = []
    if threading.current_thread() is not threading.main_thread():
        yield received          # signals are the main thread's business
        return

    def receive(number, frame):
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
