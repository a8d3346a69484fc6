"""The settings of what a code costs, which all labs with a VAE have in common."""
from .. import checks, objectives, schedules
from ..errors import ScratchVAEError
from ..models import IWAE, VAE, VQVAE

KL_SETTINGS = {"kl_weight": 1.0, "kl_schedule": "constant", "kl_steps": 6000}
KL_SCHEDULES = ("constant", "linear", "cyclical")
# Settings that change nothing as they are here. Those of the objectives count only for them.
OBJECTIVE_SETTINGS = {"objective": "elbo", "free_bits": 0.0, "capacity": 25.0, "tc_beta": 6.0,
                      "mmd_alpha": 1.0, "mmd_scale": 1000.0, "samples": 5, "codes": 64,
                      "code_dim": 1}


def kl_schedule(settings):
    """Return the schedule of the KL weight that the settings describe."""
    name = checks.choice("setting", "kl_schedule", settings["kl_schedule"], KL_SCHEDULES)
    if name == "constant":
        return schedules.Constant(settings["kl_weight"])
    kind = schedules.LinearWarmup if name == "linear" else schedules.Cyclical
    return kind(settings["kl_steps"], settings["kl_weight"])


def objective(settings):
    """Return the Objective of a VAE that the settings describe."""
    settings = OBJECTIVE_SETTINGS | settings
    made = {
        "elbo": lambda: objectives.ELBO(settings["free_bits"]),
        "capacity": lambda: objectives.Capacity(settings["capacity"]),
        "beta_tc": lambda: objectives.BetaTC(settings["tc_beta"]),
        "info_vae": lambda: objectives.InfoVAE(settings["mmd_alpha"], settings["mmd_scale"]),
    }
    name = checks.choice("setting", "objective", settings["objective"], made)
    return made[name]()


def make_vae(settings, **arguments):
    """Return the model for the objective that the settings describe.

    Parameters
    ----------
    settings : dict
    **arguments
        Those of VAE, without kl_weight and objective.
    """
    settings = OBJECTIVE_SETTINGS | settings
    models = {
        "iwae": lambda: IWAE(**arguments, samples=settings["samples"]),
        "vq": lambda: VQVAE(**arguments, codes=settings["codes"], code_dim=settings["code_dim"]),
    }
    name = checks.choice("setting", "objective", settings["objective"],
                         (*objectives.OBJECTIVES, *models))
    if name not in models:
        return VAE(**arguments, kl_weight=kl_schedule(settings), objective=objective(settings))
    if settings["kl_weight"] != 1 or settings["kl_schedule"] != "constant":
        raise ScratchVAEError(f"setting kl_weight: the objective {name} has none; allowed: 1, "
                              f"constant, got {settings['kl_weight']:g}, "
                              f"{settings['kl_schedule']}")
    return models[name]()
