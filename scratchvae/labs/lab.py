"""What a lab consists of."""
from dataclasses import dataclass
from typing import Callable

import numpy as np

from .. import schedules
from ..errors import ScratchVAEError

KL_SETTINGS = {"kl_weight": 1.0, "kl_schedule": "constant", "kl_steps": 6000}
KL_SCHEDULES = ("constant", "linear", "cyclical")


@dataclass(frozen=True)
class Reference:
    """Losses after an epoch that somebody else's runs of the lab gave: a number, a range as text, or None."""
    source: str
    epoch: int
    loss: float | str | None = None
    val_loss: float | str | None = None

    def __str__(self):
        return (f"{self.source}, epoch {self.epoch}: " + ", ".join(
            f"{name} {value}" for name, value in (("loss", self.loss), ("validation", self.val_loss)) if value is not None))


@dataclass(frozen=True)
class Lab:
    """A lab sheet's model with all that is needed to train it and to look at it.

    make_model(settings, backend) and make_optimizer(settings) build it; draw(run) draws its figures and returns their paths.
    """
    name: str
    title: str
    data: str                               # a name of scratchvae.data.catalogue
    example_shape: tuple                    # what an image becomes: reshaped, with zeros around it if this is larger
    epochs: int
    batch_size: int
    settings: dict                          # name -> default, changed by --set
    small_settings: dict                    # for a gradient check of every parameter; may have an image's "side" besides
    parameters: int
    references: tuple
    make_model: Callable
    make_optimizer: Callable
    draw: Callable
    peculiarities: Callable = lambda settings: ()       # settings -> lines on where the printed sheet is peculiar, and what is done
    validation_split: float = 0.0           # the part of the training set, its last, that validates; 0: the test set does
    unit: str = "nats an image"             # of the losses
    record_every: int = 0                   # keep an input and its output every so many steps; 0: never
    shuffle: bool = True                    # take the examples in another order in each epoch
    beside: str = None                      # the lab whose figures belong beside this one's
    bench_batch_sizes: tuple = ()           # to measure, if not only batch_size

    def shape(self, settings):
        """The shape of an example."""
        side = settings.get("side")
        return (side, side, 1) if side else self.example_shape

    def make_small_model(self, backend):
        """The model, built, at a size at which every gradient can be checked."""
        settings = self.settings | self.small_settings
        model = self.make_model(settings, backend)
        model.build(self.shape(settings))
        return model

    def prepare(self, images):
        """Images (N, 28, 28, 1) as examples of this lab."""
        size = max(self.example_shape[:2]) if len(self.example_shape) == 3 else images.shape[1]
        border = (size - images.shape[1]) // 2
        if border:
            images = np.pad(images, ((0, 0), (border, border), (border, border), (0, 0)))
        return images.reshape(-1, *self.example_shape)

    def split(self, data):
        """(training, validation) examples of a data set that is prepared."""
        if not self.validation_split:
            return data.x_train, data.x_test
        kept = len(data.x_train) - round(self.validation_split * len(data.x_train))
        return data.x_train[:kept], data.x_train[kept:]

    def with_settings(self, changes):
        """The settings, with changes given as text, such as {"kl_weight": "0.5"}."""
        settings = dict(self.settings)
        for name, text in changes.items():
            if name not in settings:
                raise ScratchVAEError(f"{self.name} has no setting {name!r}; there are: "
                                      + ", ".join(f"{key}={value}" for key, value in self.settings.items()))
            kind = type(settings[name])
            try:
                settings[name] = kind(text)
            except ValueError:
                raise ScratchVAEError(f"setting {name}: {text!r} is not {'a number' if kind is float else 'a whole number'}; "
                                      f"the default is {settings[name]}") from None
        self.make_model(settings)           # refuses values that are numbers, but wrong ones
        self.make_optimizer(settings)
        return settings


def kl_schedule(settings):
    """The schedule of the KL weight that KL_SETTINGS describe."""
    name = settings["kl_schedule"]
    if name not in KL_SCHEDULES:
        raise ScratchVAEError(f"setting kl_schedule: {name!r}; allowed: {', '.join(KL_SCHEDULES)}")
    if name == "constant":
        return schedules.Constant(settings["kl_weight"])
    kind = schedules.LinearWarmup if name == "linear" else schedules.Cyclical
    return kind(settings["kl_steps"], settings["kl_weight"])
