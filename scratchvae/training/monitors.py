"""Callbacks that watch a column of the history: early stopping, and a learning rate that falls.

They have Keras's names, arguments and rules. Their state is part of the checkpoint.
"""
import operator

from .. import checks
from ..errors import ScratchVAEError
from .callback import Callback

FALLING = ("loss", "reconstruction", "kl")              # columns of which less is better
BETTER = {"min": operator.lt, "max": operator.gt}


class Monitor(Callback):
    """Base class: the best value of a column, and how many epochs passed since.

    Parameters
    ----------
    monitor : str
        The column of the history: "loss", "val_loss", "val_reconstruction", ...
    mode : {"auto", "min", "max"}
        Whether less or more is better. "auto" knows it of the losses; others need it.
    min_delta : float
        An epoch is better if it is so by more than this.
    patience : int
        How many epochs may pass that are not better.
    """
    state_names = ("best", "wait")

    def __init__(self, monitor, mode, min_delta, patience):
        name = type(self).__name__
        self.monitor = monitor
        self.mode = checks.choice(name, "mode", mode, ("auto", *BETTER))
        self.min_delta = checks.number(name, "min_delta", min_delta)
        self.patience = checks.integer(name, "patience", patience, 0)
        self.best = None
        self.wait = 0
        losses = [*FALLING, *(f"val_{column}" for column in FALLING)]
        if mode == "auto" and monitor not in losses:
            raise ScratchVAEError(f"{name}: mode must be min or max for monitor {monitor!r}; it is "
                                  f"known of {', '.join(losses)}")

    def begin(self, training):
        """Forget an earlier training; refuse a column that the history will not have."""
        self.best = None
        self.wait = 0
        known = training.measured
        if self.monitor not in known:
            raise ScratchVAEError(f"{type(self).__name__}: monitor must be one of "
                                  f"{', '.join(known)}, got {self.monitor!r}; columns that begin "
                                  "with val_ need validation_data")

    def get_config(self):
        """Return the class's name and the arguments."""
        return {"class": type(self).__name__,
                **{name: getattr(self, name) for name in self.argument_names}}

    def get_state(self):
        """Return no arrays, and the numbers of the state."""
        return {}, {name: getattr(self, name) for name in self.state_names}

    def set_state(self, arrays, values):
        """Return to the numbers of a state."""
        for name in self.state_names:
            setattr(self, name, values[name])

    def improves(self, value):
        """Return whether a value is better than the best, and keep it if it is."""
        better = BETTER["max" if self.mode == "max" else "min"]
        margin = self.min_delta if self.mode == "max" else -self.min_delta
        if self.best is not None and not better(value - margin, self.best):
            return False
        self.best = value
        return True


class EarlyStopping(Monitor):
    """Stops training when a column of the history has not improved for `patience` epochs.

    history.stopped_epoch and history.best_epoch say when (Prechelt 1998, "Early stopping - but
    when?").

    Parameters
    ----------
    monitor, min_delta, patience, mode
        See Monitor. With patience 0 the first epoch that is not better is the last.
    restore_best_weights : bool
        Whether the model gets the weights of the best epoch at the end of training, even if
        training was not stopped.
    """
    argument_names = ("monitor", "min_delta", "patience", "mode", "restore_best_weights")
    state_names = (*Monitor.state_names, "best_epoch", "stopped_epoch")

    def __init__(self, monitor="val_loss", min_delta=0.0, patience=0, mode="auto",
                 restore_best_weights=False):
        super().__init__(monitor, mode, min_delta, patience)
        self.restore_best_weights = bool(restore_best_weights)
        self.best_epoch = None
        self.stopped_epoch = None
        self.best_weights = {}

    def begin(self, training):
        """Forget an earlier training."""
        super().begin(training)
        self.best_epoch = None
        self.stopped_epoch = None
        self.best_weights = {}

    def get_state(self):
        """Return the best weights, and the numbers of the state."""
        return self.best_weights, super().get_state()[1]

    def set_state(self, arrays, values):
        """Return to a state."""
        super().set_state(arrays, values)
        self.best_weights = arrays

    def on_validation_end(self, training):
        """Compare the epoch with the best one."""
        row = training.history.rows[-1]
        self.wait += 1
        if self.improves(row[self.monitor]):
            self.wait = 0
            self.best_epoch = row["epoch"]
            if self.restore_best_weights:
                self.best_weights = training.copy_of_weights()
        elif self.wait >= self.patience:
            self.stopped_epoch = row["epoch"]
            training.stop = True

    def on_train_end(self, training):
        """Give the model its best weights, and the history the numbers of the epochs."""
        training.history.best_epoch = self.best_epoch
        training.history.stopped_epoch = self.stopped_epoch
        if self.best_weights:
            training.return_to(self.best_weights)


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when a column of the history does not improve.

    Parameters
    ----------
    monitor, patience, mode, min_delta
        See Monitor.
    factor : float
        From 0 and below 1.
    cooldown : int
        How many epochs after a reduction do not count as waiting.
    min_lr : float
        The learning rate is not reduced below.
    """
    argument_names = ("monitor", "factor", "patience", "mode", "min_delta", "cooldown", "min_lr")
    state_names = (*Monitor.state_names, "cooldown_counter")

    def __init__(self, monitor="val_loss", factor=0.1, patience=10, mode="auto", min_delta=1e-4,
                 cooldown=0, min_lr=0.0):
        super().__init__(monitor, mode, min_delta, patience)
        name = type(self).__name__
        self.factor = checks.number(name, "factor", factor, 0, 1)
        self.cooldown = checks.integer(name, "cooldown", cooldown, 0)
        self.min_lr = checks.number(name, "min_lr", min_lr)
        self.cooldown_counter = 0

    def begin(self, training):
        """Forget an earlier training; refuse a learning rate that a schedule determines."""
        super().begin(training)
        self.cooldown_counter = 0
        if callable(training.optimizer.learning_rate):
            raise ScratchVAEError("ReduceLROnPlateau: the optimizer's learning_rate must be a "
                                  "number, but it is the schedule "
                                  f"{type(training.optimizer.learning_rate).__name__}")

    def on_validation_end(self, training):
        """Compare the epoch with the best one."""
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(training.history.rows[-1][self.monitor]):
            self.wait = 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            rate = training.optimizer.rate
            if self.wait >= self.patience and rate > self.min_lr:
                training.optimizer.reduced_rate = max(rate * self.factor, self.min_lr)
                self.cooldown_counter = self.cooldown
                self.wait = 0
