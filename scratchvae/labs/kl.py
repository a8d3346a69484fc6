"""The settings of the KL weight, which all labs with a VAE have in common."""
from .. import checks, schedules

KL_SETTINGS = {"kl_weight": 1.0, "kl_schedule": "constant", "kl_steps": 6000}
KL_SCHEDULES = ("constant", "linear", "cyclical")


def kl_schedule(settings):
    """Return the schedule of the KL weight that the settings describe."""
    name = checks.choice("setting", "kl_schedule", settings["kl_schedule"], KL_SCHEDULES)
    if name == "constant":
        return schedules.Constant(settings["kl_weight"])
    kind = schedules.LinearWarmup if name == "linear" else schedules.Cyclical
    return kind(settings["kl_steps"], settings["kl_weight"])
