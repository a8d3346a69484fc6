"""A code of a given capacity (Burgess et al. 2018, "Understanding disentangling in beta-VAE")."""
import numpy as np

from .. import checks
from ..layers.formulas import Formula
from .objective import Objective


class Capacity(Objective):
    """cost(x) = |KL - capacity|, with the batch's mean KL divergence (equation 8).

    A heavy kl_weight (gamma, in the paper 1000) holds the KL divergence at the capacity, instead of
    pressing it down as far as it goes. The gradient is that of the KL divergence, with the sign of
    the difference. Burgess et al. raise the capacity slowly from 0; here it is constant.

    Parameters
    ----------
    capacity : float
        In nats, 0 or above.
    """
    name = "capacity"
    arguments = ("capacity",)
    formulas = {"kl": Formula("cost = |mean KL - C|,  KL = -1/2 sum_j (1 + lv - mu^2 - exp(lv))",
                              "dmu += s mu / N,  dlv += s (exp(lv) - 1) / 2N,  "
                              "s = weight sign(mean KL - C)")}

    def __init__(self, capacity=25.0):
        self.capacity = checks.number("objective", "capacity", capacity)

    def forward(self, mu, lv, eps, z):
        """Return |mean KL - capacity|, the same number for each example (N,)."""
        self.keep(mu, lv, eps, z)
        mean = self.kernels.to_host(self.kl).mean(dtype=np.float64)
        self.excess = mean - self.capacity
        return self.as_cost(abs(self.excess))

    def backward(self, dmu, dlv, weight):
        """Add the gradient of the KL divergence: towards the capacity, from above or below."""
        weight *= float(np.sign(self.excess))
        self.kernels.gaussian_kl_backward(self.mu, self.lv, dmu, dlv, weight, 0.0)
