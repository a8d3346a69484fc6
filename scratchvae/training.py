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

import numpy as np
from tqdm import tqdm

from .errors import ScratchVAEError
from .history import History
from .layers.layer import positive_integer
from .optimizers import Adam, Optimizer
from .storage import read_arrays, write_arrays


def fit(model, x, epochs, batch_size, optimizer, validation_data, seed, checkpoint, resume, progress, on_epoch_end):
    """See Model.fit."""
    epochs, batch_size = positive_integer("fit", "epochs", epochs), positive_integer("fit", "batch_size", batch_size)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2 ** 63:
        raise ScratchVAEError(f"fit: seed is {seed!r}; allowed: whole numbers from 0, below 2^63")
    optimizer = Adam() if optimizer is None else optimizer
    if not isinstance(optimizer, Optimizer):
        raise ScratchVAEError(f"fit: optimizer is {optimizer!r}; needed: Adam(), RMSprop() or SGD(), or None for Adam()")
    if model.input_shape is None:
        model.build(np.shape(x)[1:], seed)
    x = model.as_examples(x)
    validation = None if validation_data is None else model.as_examples(validation_data)
    for examples in (x, validation):
        if examples is not None:
            model.loss.check_target(examples)
    optimizer.build(model.parameters, model.kernels)
    training = Training(model, optimizer, x, batch_size, seed)
    if resume:
        training.load(checkpoint)
    elif checkpoint:
        training.save(checkpoint)

    for epoch in range(training.epoch, epochs):
        training.run_epoch(epochs, checkpoint, progress)
        validation_losses = model.evaluate(validation, seed) if validation is not None else {}
        training.end_epoch(validation_losses)
        if progress:
            tqdm.write(describe_epoch(training.history.rows[-1], epochs))
        if checkpoint:
            training.save(checkpoint)
        if on_epoch_end:
            on_epoch_end(training.history)
    return training.history


class Training:
    """The state of one training run, and its inner loop."""

    def __init__(self, model, optimizer, x, batch_size, seed):
        self.model, self.optimizer, self.x = model, optimizer, x
        self.batch_size, self.seed = batch_size, seed
        self.steps = math.ceil(len(x) / batch_size)         # in an epoch; the last may be smaller
        self.history = History()
        self.epoch = 0
        self.start_epoch()

    def start_epoch(self):
        """Nothing done yet in the running epoch."""
        self.step = 0
        self.sums = np.zeros(3)                             # of loss, reconstruction, kl over the examples so far
        self.seconds = 0.0

    def run_epoch(self, epochs, checkpoint, progress):
        """Train on what is left of the running epoch.  On an interrupt: finish the step, save, raise KeyboardInterrupt."""
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.x))
        title = f"epoch {self.epoch + 1:{len(str(epochs))}}/{epochs}"
        started = time.perf_counter() - self.seconds
        with deferred_interrupts() as interrupted, \
                tqdm(total=self.steps, initial=self.step, desc=title, unit="step", leave=False, disable=None if progress else True) as bar:
            while self.step < self.steps and not interrupted:
                self.train_batch(order[self.step * self.batch_size:(self.step + 1) * self.batch_size])
                if self.step % 20 == 0 and progress:
                    bar.set_postfix_str(f"loss {self.means()[0]:.2f}", refresh=False)
                bar.update()
            self.seconds = time.perf_counter() - started
            if interrupted:
                if checkpoint:
                    self.save(checkpoint)
                raise KeyboardInterrupt

    def train_batch(self, indices):
        """One training step on the examples of these indices."""
        model, global_step = self.model, self.epoch * self.steps + self.step
        batch = model.workspace.array("batch", (len(indices), *model.input_shape))
        np.take(self.x, indices, axis=0, out=batch, mode="clip")        # "raise" would copy through a buffer
        kl_weight = model.kl_weight(global_step)
        model.noise.seed, model.noise.step = self.seed, global_step
        reconstruction, kl = (values.sum(dtype=np.float64) for values in model.train_step(batch, self.optimizer, kl_weight))
        self.sums[0] += reconstruction + kl_weight * kl
        self.sums[1] += reconstruction
        self.sums[2] += kl
        self.step += 1
        if not math.isfinite(self.sums[0]):
            raise ScratchVAEError(f"training diverged: the loss is {self.sums[0]} at step {self.step} of epoch {self.epoch + 1}; "
                                  "try a smaller learning_rate")

    def means(self):
        """Loss, reconstruction and KL so far in the running epoch, a mean over its examples."""
        return self.sums / min(self.step * self.batch_size, len(self.x))

    def end_epoch(self, validation):
        """Write the epoch into the history, and begin the next."""
        loss, reconstruction, kl = (float(mean) for mean in self.means())
        self.history.append(epoch=self.epoch + 1, loss=loss, reconstruction=reconstruction, kl=kl,
                            **{f"val_{name}": validation.get(name) for name in ("loss", "reconstruction", "kl")},
                            seconds=round(self.seconds, 3))
        self.epoch += 1
        self.start_epoch()

    # What a checkpoint holds, and what must be the same to go on from it.

    def _settings(self):
        settings = {"model": self.model.get_config(), "optimizer": self.optimizer.get_config(),
                    "batch_size": self.batch_size, "seed": int(self.seed), "examples": len(self.x)}
        return json.loads(json.dumps(settings))         # tuples become lists, as in the file

    def save(self, path):
        """Write the whole state."""
        arrays = {"parameters": self.model.parameters.values, "sums": self.sums, **self.optimizer.slots}
        write_arrays(path, arrays, {"kind": "checkpoint", "settings": self._settings(), "history": self.history.rows,
                                    "epoch": self.epoch, "step": self.step, "seconds": self.seconds,
                                    "updates": self.optimizer.step})

    def load(self, path):
        """Go back to the state that `save` wrote."""
        arrays, state = read_arrays(path, "checkpoint")
        for name, now in self._settings().items():
            if state["settings"][name] != now:
                raise ScratchVAEError(f"{path}: was trained with {name} {state['settings'][name]}, not {now}; "
                                      "resume with the same data and settings")
        self.model.parameters.values[...] = arrays["parameters"]
        for name, slot in self.optimizer.slots.items():
            slot[...] = arrays[name]
        self.optimizer.step = state["updates"]
        self.history = History(state["history"])
        self.sums[...] = arrays["sums"]
        self.epoch, self.step, self.seconds = state["epoch"], state["step"], state["seconds"]


def describe_epoch(row, epochs):
    """An epoch of the history in one line."""
    def losses(prefix):
        return f"{row[prefix + 'loss']:.4g} = {row[prefix + 'reconstruction']:.4g} + kl {row[prefix + 'kl']:.3g}"
    line = f"epoch {row['epoch']:{len(str(epochs))}}/{epochs}  {row['seconds']:6.1f} s  loss {losses('')}"
    return line if row["val_loss"] is None else f"{line}  validation {losses('val_')}"


@contextlib.contextmanager
def deferred_interrupts():
    """Within the block SIGINT and SIGTERM only fill the list it yields: a training step is never cut in two."""
    received = []
    if threading.current_thread() is not threading.main_thread():
        yield received          # signals are the main thread's business
        return
    before = {number: signal.signal(number, lambda number, frame: received.append(number))
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
