"""Objectives: what a code costs, beside the reconstruction that is made from it.

All of them minimise the mean over the batch of

    L(x) = -log p(x|z) + kl_weight * cost(x),

and differ in the cost: for the ELBO it is KL(q(z|x) || N(0, 1)). An objective has `forward`, which
returns the cost of each example, and above all `backward`, its gradient with respect to z, mu and
log sigma^2. Objectives that sample or decode in another way are models: IWAE and VQVAE.
"""
import copy

from .. import checks
from .beta_tc import BetaTC
from .capacity import Capacity
from .elbo import ELBO
from .info_vae import InfoVAE
from .objective import Objective

OBJECTIVES = {objective.name: objective for objective in (ELBO, Capacity, BetaTC, InfoVAE)}


def get(objective):
    """Return a new Objective: like the given one, of a name, or of what get_config returned.

    It keeps arrays between the passes, so no two models share one.
    """
    if isinstance(objective, Objective):
        return copy.copy(objective)
    if isinstance(objective, dict):
        config = dict(objective)
        name = config.pop("name")
        return OBJECTIVES[checks.choice("model", "objective", name, OBJECTIVES)](**config)
    return OBJECTIVES[checks.choice("model", "objective", objective, OBJECTIVES)]()
