"""The settings of training that all labs have in common. As they are here, they change nothing."""
from .. import checks, schedules
from ..errors import ScratchVAEError
from ..training import EarlyStopping, ReduceLROnPlateau

COMMON = {"early_stopping": 0, "learning_rate_schedule": "constant", "warmup_steps": 0,
          "global_clipnorm": 0.0}
SCHEDULES = ("constant", "cosine", "step", "plateau")
NEED_LENGTH = ("cosine", "step")        # those that must know how many steps training has
FACTOR = 0.5                            # of the learning rate on a plateau, ...
PATIENCE = 3                            # ... which has so many epochs


def learning_rate(settings, steps):
    """Return the learning rate of the settings: a number or a schedule.

    Parameters
    ----------
    settings : dict
        With learning_rate, learning_rate_schedule and warmup_steps.
    steps : int
        How many steps the whole training has.
    """
    rate = settings["learning_rate"]
    name = checks.choice("setting", "learning_rate_schedule", settings["learning_rate_schedule"],
                         SCHEDULES)
    warmup = checks.integer("setting", "warmup_steps", settings["warmup_steps"], 0)
    if warmup and name not in ("constant", "cosine"):
        raise ScratchVAEError("setting warmup_steps: allowed with learning_rate_schedule constant "
                              f"and cosine, got {name}")
    if name == "cosine":
        if warmup:
            return schedules.CosineDecay(0.0, max(1, steps - warmup), warmup_target=rate,
                                         warmup_steps=warmup)
        return schedules.CosineDecay(rate, steps)
    if name == "step":                  # He et al. 2016, section 4.2
        return schedules.PiecewiseConstantDecay([steps / 2, 3 * steps / 4],
                                                [rate, rate / 10, rate / 100])
    return schedules.LinearWarmup(warmup, rate) if warmup else rate


def make_callbacks(settings, monitor):
    """Return the callbacks that the settings ask for.

    Parameters
    ----------
    settings : dict
        With early_stopping and learning_rate_schedule.
    monitor : str
        The column of the history that they watch.
    """
    patience = checks.integer("setting", "early_stopping", settings["early_stopping"], 0)
    callbacks = []
    if settings["learning_rate_schedule"] == "plateau":
        if 0 < patience <= PATIENCE:
            raise ScratchVAEError(f"setting early_stopping: must be 0 or above {PATIENCE} with "
                                  "learning_rate_schedule plateau, or training ends before a "
                                  f"lower rate can help, got {patience}")
        callbacks.append(ReduceLROnPlateau(monitor, FACTOR, PATIENCE))
    if patience:
        callbacks.append(EarlyStopping(monitor, patience=patience, restore_best_weights=True))
    return callbacks
