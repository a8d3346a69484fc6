"""What a lab consists of."""
from dataclasses import dataclass
from typing import Callable

from .. import schedules
from ..errors import ScratchVAEError

KL_SETTINGS = {"kl_weight": 1.0, "kl_schedule": "constant", "kl_steps": 6000}
KL_SCHEDULES = ("constant", "linear", "cyclical")


@dataclass(frozen=True)
class Reference:
    """Losses after an epoch that somebody else's run of the lab gave."""
    source: str
    epoch: int
    loss: float
    val_loss: float


@dataclass(frozen=True)
class Lab:
    """A lab sheet's model with all that is needed to train it and to look at it.

    make_model(settings, backend) and make_optimizer(settings) build it; draw(run) draws its figures and returns their paths.
    """
    name: str
    title: str
    data: str                               # a name of scratchvae.data.catalogue
    example_shape: tuple                    # what an image is reshaped to
    epochs: int
    batch_size: int
    settings: dict                          # name -> default, changed by --set
    small_settings: dict                    # for a gradient check of every parameter
    parameters: int
    references: tuple
    make_model: Callable
    make_optimizer: Callable
    draw: Callable

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
