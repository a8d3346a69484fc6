"""How to train: the arguments of `fit`, checked."""
from dataclasses import dataclass
from pathlib import Path

from .. import checks
from ..errors import ScratchVAEError
from ..optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from ..shards import ONE
from ..shards.processes import One
from .callback import Callback
from .history import COLUMNS

NAMES = {optimizer.__name__.lower(): optimizer for optimizer in (Adam, AdamW, RMSprop, SGD)}


@dataclass
class Settings:
    """The arguments of Model.fit, which explains them."""
    epochs: int = 1
    batch_size: int = 32
    optimizer: Optimizer = None
    validation_data: object = None
    seed: int = 0
    y: object = None
    shuffle: bool = True
    checkpoint: object = None
    resume: bool = False
    fresh: bool = False
    progress: bool = True
    callbacks: tuple = ()
    metrics: dict = None
    shards: int = 1
    processes: One = ONE

    def __post_init__(self):
        self.epochs = checks.integer("fit", "epochs", self.epochs)
        self.batch_size = checks.integer("fit", "batch_size", self.batch_size)
        self.seed = checks.seed("fit", self.seed)
        if isinstance(self.optimizer, str) and self.optimizer.lower() in NAMES:
            self.optimizer = NAMES[self.optimizer.lower()]()
        if not isinstance(self.optimizer, (Optimizer, type(None))):
            raise ScratchVAEError("fit: optimizer must be an Adam(), AdamW(), RMSprop() or SGD(), "
                                  "one of these names, or None, "
                                  f"got {checks.shown(self.optimizer)}")
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ScratchVAEError("fit: callbacks must be objects of subclasses of "
                                      f"scratchvae.training.Callback, got {checks.shown(callback)}")
        self._check_metrics()
        self._check_shards()
        self._check_checkpoint()

    def _check_metrics(self):
        """Refuse metrics that are no functions, have a column's name, or no data."""
        self.metrics = {} if self.metrics is None else self.metrics
        if not isinstance(self.metrics, dict):
            raise ScratchVAEError("fit: metrics must be a dict of name -> function(model, x), "
                                  f"got {checks.shown(self.metrics)}")
        known = {column.removeprefix("val_") for column in COLUMNS}
        for name, function in self.metrics.items():
            if not callable(function) or name in known:
                raise ScratchVAEError("fit: metrics must be functions by name, none of them "
                                      f"called {', '.join(sorted(known))}; got {name!r}: "
                                      f"{checks.shown(function)}")
        if self.metrics and self.validation_data is None:
            raise ScratchVAEError("fit: metrics are computed on validation_data, which is missing")

    def _check_shards(self):
        """Refuse a number of shards that is no power of two, or larger than a batch."""
        self.shards = checks.integer("fit", "shards", self.shards)
        if self.shards & (self.shards - 1) or self.shards > self.batch_size:
            raise ScratchVAEError("fit: shards must be a power of two, and at most batch_size, "
                                  f"{self.batch_size}, got {self.shards}")

    def _check_checkpoint(self):
        """Refuse to resume from nothing, and to begin anew over an earlier training."""
        if self.resume and self.checkpoint is None:
            raise ScratchVAEError("fit: resume=True needs checkpoint, the file to resume from")
        if self.checkpoint and not self.resume and Path(self.checkpoint).exists():
            raise ScratchVAEError(f"{self.checkpoint}: holds the state of an earlier training; "
                                  "resume it with resume=True, or remove the file")


def make_settings(**arguments):
    """Return Settings; an unknown argument is refused with a list of those that exist."""
    known = Settings.__dataclass_fields__
    for name in arguments:
        if name not in known:
            raise ScratchVAEError(f"fit: unknown argument {name!r}; allowed: x, "
                                  f"{', '.join(known)}")
    return Settings(**arguments)
