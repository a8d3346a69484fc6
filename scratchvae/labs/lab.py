"""What a lab consists of."""
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .. import checks, schedules
from ..errors import ScratchVAEError
from ..optimizers import Adam

KL_SETTINGS = {"kl_weight": 1.0, "kl_schedule": "constant", "kl_steps": 6000}
KL_SCHEDULES = ("constant", "linear", "cyclical")


@dataclass(frozen=True)
class Reference:
    """Losses after an epoch that other people's runs of the lab reached.

    Attributes
    ----------
    source : str
    epoch : int
    loss, val_loss : float, str or None
        A number, a range as text, or None if it is unknown.
    """
    source: str
    epoch: int
    loss: float | str | None = None
    val_loss: float | str | None = None

    def __str__(self):
        losses = {"loss": self.loss, "validation": self.val_loss}
        known = [f"{name} {value}" for name, value in losses.items() if value is not None]
        return f"{self.source}, epoch {self.epoch}: {', '.join(known)}"


@dataclass(frozen=True)
class Lab:
    """A lab sheet's model of images, with all that is needed to train it and to look at it.

    Attributes
    ----------
    order : int
        The lab's place in lists of labs.
    name, title : str
    data : str
        A name of scratchvae.data.catalogue.
    example_shape : tuple
        What an image becomes: reshaped, with zeros around it if this is larger.
    epochs, batch_size : int
    settings : dict
        Name -> default; --set changes them.
    small_settings : dict
        For a gradient check of every parameter; may have an image's "side" besides.
    parameters : int
        How many the model has.
    make_model : function
        make_model(settings, backend="cpu") returns the model, not built.
    figures : tuple of functions
        Each takes a run, draws, and returns the paths.
    references : tuple of Reference
    optimizer : class
        Gets learning_rate from the settings, and optimizer_arguments.
    optimizer_arguments : dict
        Further arguments; a string names a setting.
    peculiarities : function
        peculiarities(settings) returns lines on where the sheet is peculiar, and what is done.
    validation_split : float
        The part of the training set, its last, that validates; 0: the test set does.
    unit : str
        Of the losses.
    record_every : int
        Keep an input and its output every so many steps; 0: never.
    shuffle : bool
        Whether each epoch takes the examples in another order.
    beside : str or None
        The lab whose figures belong beside this one's.
    bench_batch_sizes : tuple of int
        Batch sizes to measure, if not only batch_size.
    """
    order: int
    name: str
    title: str
    data: str
    example_shape: tuple
    epochs: int
    batch_size: int
    settings: dict
    small_settings: dict
    parameters: int
    make_model: Callable
    figures: tuple
    references: tuple = ()
    optimizer: type = Adam
    optimizer_arguments: dict = field(default_factory=dict)
    peculiarities: Callable = lambda settings: ()
    validation_split: float = 0.0
    unit: str = "nats an image"
    record_every: int = 0
    shuffle: bool = True
    beside: str = None
    bench_batch_sizes: tuple = ()
    kind = "images"

    @property
    def held_out(self):
        """What the validation figures are measured on, in words."""
        return "held-out examples" if self.validation_split else "test set"

    def make_optimizer(self, settings):
        """Return the optimizer of training."""
        arguments = {name: settings[value] if isinstance(value, str) else value
                     for name, value in self.optimizer_arguments.items()}
        return self.optimizer(learning_rate=settings["learning_rate"], **arguments)

    def draw(self, run):
        """Draw all figures of a run; return their paths."""
        return [path for figure in self.figures for path in figure(run)]

    def shape(self, settings):
        """Return the shape of an example."""
        side = settings.get("side")
        return (side, side, 1) if side else self.example_shape

    def make_small_model(self, backend):
        """Return the model, built, at a size at which every gradient can be checked."""
        settings = self.settings | self.small_settings
        model = self.make_model(settings, backend)
        model.build(self.shape(settings))
        return model

    def prepare(self, images):
        """Return images (N, 28, 28, 1) as examples of this lab."""
        size = images.shape[1]
        if len(self.example_shape) == 3:
            size = max(self.example_shape[:2])
        border = (size - images.shape[1]) // 2
        if border:
            images = np.pad(images, ((0, 0), (border, border), (border, border), (0, 0)))
        return images.reshape(-1, *self.example_shape)

    def split(self, data):
        """Return (training, validation) examples of a prepared data set."""
        if not self.validation_split:
            return data.x_train, data.x_test
        kept = len(data.x_train) - round(self.validation_split * len(data.x_train))
        return data.x_train[:kept], data.x_train[kept:]

    def with_settings(self, changes):
        """Return the settings, with changes given as text, such as {"kl_weight": "0.5"}.

        Raises
        ------
        ScratchVAEError
            If there is no such setting, or it cannot have this value.
        """
        settings = dict(self.settings)
        for name, text in changes.items():
            if name not in settings:
                known = ", ".join(f"{key}={value}" for key, value in self.settings.items())
                raise ScratchVAEError(f"{self.name} has no setting {name!r}; allowed: {known}")
            settings[name] = self._converted(name, text)
        self.make_model(settings)           # refuses values that are numbers, but wrong ones
        self.make_optimizer(settings)
        return settings

    def _converted(self, name, text):
        """Return the text as a value of the setting's type."""
        default = self.settings[name]
        kind = type(default)
        try:
            return kind(text)
        except ValueError:
            expected = "a number" if kind is float else "an integer"
            raise ScratchVAEError(f"setting {name}: expected {expected}, got {text!r}; "
                                  f"the default is {default}") from None


def kl_schedule(settings):
    """Return the schedule of the KL weight that KL_SETTINGS describe."""
    name = checks.choice("setting", "kl_schedule", settings["kl_schedule"], KL_SCHEDULES)
    if name == "constant":
        return schedules.Constant(settings["kl_weight"])
    kind = schedules.LinearWarmup if name == "linear" else schedules.Cyclical
    return kind(settings["kl_steps"], settings["kl_weight"])
