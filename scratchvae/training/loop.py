"""The training loop: epochs of shuffled batches, validation, progress, and checkpoints.

No random number generator keeps a state. The order of an epoch is a function of (seed, epoch), the
noise of a step one of (seed, step). So the state of training is the parameters, the optimizer's
slots, the history, and how far the current epoch has come. A resumed run gives bit-identical
results.
"""
import contextlib
import math
import time

import numpy as np
from tqdm.auto import tqdm

from .. import checks, concurrency
from ..batches import BATCH_SIZE, Batches
from ..errors import ScratchVAEError, note
from ..optimizers import Adam
from ..shards import Shards
from ..shards.shards import NOISE
from . import advice
from .callback import listeners
from .checkpoint import Resumable, Trained, fingerprint
from .history import History
from .interrupts import deferred_interrupts
from .measures import ActiveUnits

LOOK = 20                       # steps between looks at the losses: a device computes ahead
SHUFFLE = 2 ** 32 - 1           # separates the stream of an epoch's order from initial parameters


def fit(model, x, settings):
    """Train a model; see Model.fit.

    Parameters
    ----------
    model : Model
    x : array_like or Images (N, ...)
    settings : Settings

    Returns
    -------
    History
    """
    if np.ndim(x) < 2:
        raise ScratchVAEError(f"fit: x must be an array of shape (N, ...), got "
                              f"{type(x).__name__} with {np.ndim(x)} axes")
    unbuilt = model.input_shape is None
    if unbuilt:
        model.build(np.shape(x)[1:], settings.seed)
    try:
        x, y = model.as_pair(x, settings.y)
        validation = validation_pair(model, settings)
        training = Training(model, x, y, settings)
    except ScratchVAEError:
        if unbuilt:
            model.input_shape = None        # a refused fit leaves nothing behind
        raise
    model.has_targets = y is not x
    if model.twins is not None:
        model.twins = []                    # those there are would take the targets of before
    if settings.resume:
        training.load(settings.checkpoint)
    else:
        training.save(settings.checkpoint)
    training.notify("on_train_begin", training.history)
    advice.before(model, training.before.steps + settings.epochs * training.steps)
    with deferred_interrupts() as received, training.noted():
        training.shards.listen(received)
        while training.epoch < settings.epochs and not training.stop and not training.interrupted:
            training.run_epoch()
            if training.step == training.steps:
                training.end_epoch(validation)
        if training.interrupted:
            training.save(settings.checkpoint)
            training.notify("on_interrupt", training.history)
            raise KeyboardInterrupt
        training.notify("on_train_end", training)
    advice.after(model, x)
    return training.history


def validation_pair(model, settings):
    """Return the validation examples and their targets, or None."""
    data = settings.validation_data
    if data is None:
        return None
    if settings.y is None:
        if is_twice(data):
            data = data[0]
        return model.as_pair(data)
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise ScratchVAEError("fit: with y, validation_data must be a pair (x, y)")
    return model.as_pair(*data)


def is_twice(data):
    """Return whether validation data are (x, x), as Keras has it."""
    return isinstance(data, tuple) and len(data) == 2 and data[0] is data[1]


class Training(Resumable):
    """The state of one training, and its inner loop.

    Parameters
    ----------
    model : Model
        Built.
    x, y : arrays or Batches
        Examples and targets, checked by the model; y may be x itself.
    settings : Settings
    """

    def __init__(self, model, x, y, settings):
        self.model = model
        self.settings = settings
        self.kernels = model.kernels
        self.before = Trained() if settings.fresh or settings.resume else model.trained
        self.optimizer = self._choose_optimizer()
        model.examples_at_once = math.ceil(BATCH_SIZE / settings.shards)
        self.shards = Shards(model, settings.shards, settings.processes)
        self.x, self.y = model.on_device(x, y)
        self.steps = math.ceil(len(x) / settings.batch_size)    # in an epoch
        self.fingerprint = fingerprint(x, y)
        self.history = History()
        self.on_step_end = listeners(settings.callbacks, "on_step_end")
        self.stop = False                   # whether a callback wants no more epochs
        self.epoch = 0
        self.start_epoch()
        for callback in settings.callbacks:
            callback.begin(self)
        settings.processes.compare(self._fixed())

    def _choose_optimizer(self):
        """Return the optimizer, built: it goes on from the last one if that has its arguments."""
        last = self.before.optimizer
        chosen = self.settings.optimizer or last or Adam()
        if last is not None and chosen.get_config() != last.get_config():
            last = None
        chosen.build(self.model.parameters, self.kernels, last)
        return chosen

    @contextlib.contextmanager
    def noted(self):
        """Note in the model how far it is trained when the block ends, however it ends."""
        try:
            yield
        finally:
            self.model.trained = Trained(self.before.epochs + self.epoch,
                                         self.before.steps + self._done(), self.optimizer)

    def _done(self):
        """Return how many steps this training has made."""
        return self.epoch * self.steps + self.step

    def notify(self, moment, subject):
        """Call the callbacks' methods of that name with the history, or with this training."""
        for listener in listeners(self.settings.callbacks, moment):
            listener(subject)

    @property
    def measured(self):
        """The columns of the history that measure the model, and have numbers in this training."""
        losses = ["loss", *self.model.terms]
        if self.settings.validation_data is None:
            return losses
        units = ["active_units"] if hasattr(self.model, "z_mean") else []
        names = [*losses, *units, *self.settings.metrics]
        return [*losses, *(f"val_{name}" for name in names)]

    @property
    def number(self):
        """The number of the current epoch among all that trained the model, from 1."""
        return self.before.epochs + self.epoch + 1

    def start_epoch(self):
        """Reset what belongs to one epoch."""
        self.step = 0
        self.sums = self.kernels.zeros(3 * self.shards.count, "float64")    # of the loss and its
        #                                                       two terms, for each shard
        self.seconds = 0.0
        self.remember_weights()

    @property
    def interrupted(self):
        """Whether a signal asked to stop."""
        return self.shards.interrupted

    def run_epoch(self):
        """Train on the rest of the current epoch, or until a signal asks to stop."""
        order = self.kernels.from_host(self.order())
        epochs = self.before.epochs + self.settings.epochs
        size = self.settings.batch_size
        title = f"epoch {self.number:{len(str(epochs))}}/{epochs}"
        started = time.perf_counter() - self.seconds
        with tqdm(total=self.steps, initial=self.step, desc=title, unit="step", leave=False,
                  disable=None if self.settings.progress else True) as bar:
            while self.step < self.steps and not self.interrupted:
                with concurrency.TURN:
                    self.train_batch(order[self.step * size:(self.step + 1) * size])
                if self.step % LOOK == 0:
                    bar.set_postfix_str(f"loss {self.means()[0]:.4g}", refresh=False)
                bar.update()
        if self.step:                       # a signal may come before the first step
            self.means()
        self.seconds = time.perf_counter() - started

    def order(self):
        """Return the order of the current epoch's examples, int32."""
        order = np.arange(len(self.x), dtype=np.int32)
        if self.settings.shuffle:
            rng = np.random.default_rng([self.settings.seed, self.number - 1, SHUFFLE])
            rng.shuffle(order)
        return order

    def train_batch(self, indices):
        """Make one training step on the examples of these indices."""
        step = self.before.steps + self._done()
        kl_weight = self.model.kl_weight(step)
        self.model.noise.seed = self.settings.seed
        self.model.noise.step = step
        if step == 0:
            self.shards.begin(self.batch_of("batch", self.x, self.shards.first(indices)))
        for number, here in self.shards.of(indices):
            self.model.noise.step = step + (number << NOISE)
            batch = self.train_shard(number, here, len(here) / len(indices), kl_weight)
        loss = self.shards.sum()
        self.optimizer.update()
        self.step += 1
        for listener in self.on_step_end:
            listener(step + 1, batch, loss)

    def train_shard(self, number, indices, share, kl_weight):
        """Compute the gradients of a shard of the batch, and return its examples."""
        if not share:
            return self.shards.push_nothing()
        batch = self.batch_of("batch", self.x, indices)
        target = batch if self.y is self.x else self.batch_of("target", self.y, indices)
        first, second = self.model.gradients(batch, kl_weight, target)
        self.kernels.add_losses(first, second, self.model.kl_of(second), kl_weight,
                                self.sums[3 * number:3 * number + 3])
        loss = None
        if self.on_step_end or self.shards.count > 1:       # of one process others may ask
            loss = self._mean(first) + kl_weight * self._mean(second)
        self.shards.push(share, loss)
        return batch

    def _mean(self, losses):
        """Return the mean of the examples' losses, on the host."""
        return self.kernels.to_host(losses).mean(dtype=np.float64)

    def sums_of_all(self):
        """Return the sums of the losses of all shards (V, 3), on the host."""
        return sum(self.settings.processes.gather(self.kernels.to_host(self.sums))).reshape(-1, 3)

    def batch_of(self, name, examples, indices):
        """Return a copy of the examples of these indices, in an array of that name."""
        shape = (len(indices), *examples.shape[1:])
        batch = self.model.workspace.array(name, shape, examples.dtype)
        if isinstance(examples, Batches):
            examples.take(indices, batch)
        else:
            self.kernels.take(examples, indices, batch)
        return batch

    def means(self):
        """Return the loss and its terms, averaged over the current epoch's examples so far.

        Raises
        ------
        ScratchVAEError
            If they are not finite.
        """
        count = min(self.step * self.settings.batch_size, len(self.x))
        means = sum(self.sums_of_all()) / count                 # in the order of shards
        if not np.isfinite(means).all():
            self.diverged(f"the loss is {means[0]} by step {self.step} of epoch {self.number}")
        return means

    def diverged(self, how):
        """Return to the weights of the epoch's beginning, and raise an error."""
        self.optimizer = None               # its slots are not sound any more
        self.return_to(self.remembered_weights())
        self.step = 0
        raise ScratchVAEError(f"training diverged: {how}; {advice.likely_cause(self.x)}. The model "
                              f"is as it was before epoch {self.number}")

    def end_epoch(self, validation):
        """Validate, write the epoch into the history and the checkpoint, and begin the next."""
        settings = self.settings
        losses = {}
        measured = {}
        if validation:
            units = ActiveUnits(self.model, settings.processes)
            losses = self.model.evaluate(validation[0], seed=settings.seed, y=validation[1],
                                         after_batch=units.add, processes=settings.processes,
                                         batch_size=self.model.examples_at_once)
            measured = {f"val_{name}": self._measure(name) for name in settings.metrics}
            measured["val_active_units"] = units.count()
        self._check_finite()
        self.shards.check_alike()
        if not math.isfinite(losses.get("loss", 0.0)):
            self._explain_validation(validation[0])
        names = ("loss", *self.model.terms)
        self.history.append(epoch=self.number, **dict(zip(names, map(float, self.means()))),
                            **{f"val_{name}": losses.get(name) for name in names},
                            seconds=round(self.seconds, 3),
                            kl_weight=self.model.kl_weight(self.before.steps + self._done() - 1),
                            learning_rate=self.optimizer.rate,
                            **{"val_active_units": None, **measured})
        self.epoch += 1
        self.start_epoch()
        self.notify("on_validation_end", self)
        if settings.progress:
            tqdm.write(describe_epoch(self.history.rows[-1], self.model.terms,
                                      self.before.epochs + settings.epochs))
        self.save(settings.checkpoint)
        self.notify("on_epoch_end", self.history)

    def _measure(self, name):
        """Return a metric of the model on the validation examples, as they were given."""
        x = self.settings.validation_data
        if self.settings.y is not None or is_twice(x):
            x = x[0]
        value = self.settings.metrics[name](self.model, x)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise ScratchVAEError(f"fit: the metric {name!r} must return a number, "
                                  f"got {checks.shown(value)}") from None

    def _check_finite(self):
        """Refuse to go on from parameters that are not finite."""
        parameters = self.kernels.to_host(self.model.parameters.values)
        if not np.isfinite(parameters).all():
            self.diverged(f"parameters are not finite after epoch {self.number}")

    def _explain_validation(self, x):
        """Say why the validation loss is not finite, or refuse to go on if nothing explains it."""
        cause = advice.cause_of_infinite_validation(self.model, np.asarray(x))
        if not cause:
            self.diverged(f"the validation loss is not finite after epoch {self.number}")
        note(f"the validation loss is not finite after epoch {self.number}, but the training is "
             f"sound and goes on; likely cause: {cause}")


def describe_epoch(row, terms, epochs):
    """Return an epoch of the history in one line, with the names of the two terms."""
    def losses(prefix):
        first, second = (row[prefix + name] for name in terms)
        return (f"{row[prefix + 'loss']:.4g} ({terms[0]} {first:.4g}, {terms[1]} {second:.3g})")
    width = len(str(epochs))
    line = (f"epoch {row['epoch']:{width}}/{epochs}  {row['seconds']:6.1f} s  "
            f"loss {losses('')}")
    return line if row["val_loss"] is None else f"{line}  validation {losses('val_')}"
