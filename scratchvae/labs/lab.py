"""What a lab consists of."""
from dataclasses import dataclass
from typing import Callable

from ..data.catalogue import CATALOGUE
from ..errors import ScratchVAEError
from ..optimizers import Adam
from .common import COMMON, learning_rate, make_callbacks
from .objective import OBJECTIVE_SETTINGS


@dataclass(frozen=True)
class Reference:
    """Losses after an epoch of somebody else's run of a lab: numbers, ranges as text, or None."""
    source: str
    epoch: int
    loss: float | str | None = None
    val_loss: float | str | None = None

    def __str__(self):
        losses = {"loss": self.loss, "validation": self.val_loss}
        known = [f"{name} {value}" for name, value in losses.items() if value is not None]
        return f"{self.source}, epoch {self.epoch}: {', '.join(known)}"


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A lab sheet: a model, and all that is needed to train it and to draw its figures.

    ImageLab, TextLab and TableLab add what depends on the kind of the data: `kind`, the key to the
    class of the lab's runs; `held_out`, what the examples that validate are called; and `shape`.

    Attributes
    ----------
    number : int
        The place of the lab among the others.
    name, title : str
    data : str
        Its name in scratchvae.data.catalogue; of a lab about tables, what they are.
    example_shape : tuple or None
        The shape of an example; None if it depends on the settings.
    epochs, batch_size : int
    optimizer : class
        The optimizer, or a function that returns it.
    shuffle : bool
        Whether each epoch takes the examples in another order.
    settings : dict
        The defaults of what `--set` changes, by name, without those that all labs have in common.
    small_settings : dict
        What differs in the model of make_small_model.
    make_model : callable
        make_model(settings, backend) returns the model, not built.
    parameters : int
        The size of the model with the default settings.
    unit : str
        The unit of the losses.
    references : tuple of Reference
    peculiarities : callable
        peculiarities(settings) returns lines: where the printed sheet is peculiar, and what is done
        about it.
    figures : tuple of callable
        Each draws figures of a run, or writes texts, and returns a list of paths.
    record_every : int
        Keep an input and its output every so many steps; 0 keeps no record of the steps.
    beside : str or None
        The lab whose figures are drawn beside this one's.
    bench_batch_sizes : tuple of int
        The batch sizes that `bench` measures; empty means batch_size alone.
    """
    number: int
    name: str
    title: str
    data: str
    example_shape: tuple | None
    epochs: int
    batch_size: int
    optimizer: Callable = Adam
    shuffle: bool = True
    settings: dict
    small_settings: dict
    make_model: Callable
    parameters: int
    unit: str = "nats an image"
    references: tuple = ()
    peculiarities: Callable = lambda settings: ()
    figures: tuple = ()
    record_every: int = 0
    beside: str | None = None
    bench_batch_sizes: tuple = ()

    @property
    def data_title(self):
        """The title of the data set."""
        return CATALOGUE[self.data].title

    @property
    def defaults(self):
        """The defaults of all that `--set` changes, by name."""
        variational = OBJECTIVE_SETTINGS if "kl_weight" in self.settings else {}
        return {**self.settings, **COMMON, **variational, **self.settings}

    def make_optimizer(self, settings, steps=1):
        """Return the optimizer, not yet built.

        Parameters
        ----------
        settings : dict
        steps : int
            How many steps the whole training has; some schedules of the learning rate need it.
        """
        settings = self.defaults | settings
        return self.optimizer(learning_rate(settings, steps),
                              global_clipnorm=settings["global_clipnorm"] or None)

    def make_callbacks(self, settings, validated):
        """Return the callbacks of training that the settings ask for.

        Parameters
        ----------
        settings : dict
        validated : bool
            Whether training has validation examples; otherwise callbacks watch its own loss.
        """
        return make_callbacks(self.defaults | settings, "val_loss" if validated else "loss")

    def make_small_model(self, backend):
        """Return the model, built, at a size at which every gradient can be checked."""
        settings = self.settings | self.small_settings
        model = self.make_model(settings, backend)
        model.build(self.shape(settings))
        return model

    def draw(self, run):
        """Draw the figures of a run, write its texts, and return their paths."""
        return [path for figure in self.figures for path in figure(run)]

    def with_settings(self, changes):
        """Return the settings with changes.

        Parameters
        ----------
        changes : dict
            New values as text, such as {"kl_weight": "0.5"}.

        Returns
        -------
        dict

        Raises
        ------
        ScratchVAEError
            If the lab has no such setting, or the value is not allowed.
        """
        defaults = self.defaults
        settings = dict(self.settings)
        for name, text in changes.items():
            if name not in defaults:
                allowed = ", ".join(f"{key}={value}" for key, value in defaults.items())
                raise ScratchVAEError(f"{self.name} has no setting {name!r}; allowed: {allowed}")
            settings[name] = _parse(name, text, defaults[name])
            if name not in self.settings and settings[name] == defaults[name]:
                del settings[name]
        self.make_model(settings)           # refuses values of the right type that are not allowed
        self.make_optimizer(settings)
        self.make_callbacks(settings, validated=True)
        return settings


def _parse(name, text, default):
    """Return the value of a setting, which has the type of its default."""
    kind = type(default)
    try:
        return kind(text)
    except ValueError:
        allowed = "a number" if kind is float else "an integer"
        raise ScratchVAEError(f"setting {name}: expected {allowed}, got {text!r}; "
                              f"the default is {default}") from None
