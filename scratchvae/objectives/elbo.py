"""The evidence lower bound (Kingma & Welling 2014), and with a kl_weight above 1 the objective of
the beta-VAE (Higgins et al. 2017).
"""
from .. import checks
from ..layers.formulas import Formula
from .objective import Objective


class ELBO(Objective):
    """cost(x) = KL(q(z|x) || N(0, 1)).

    Parameters
    ----------
    free_bits : float
        KL per latent dimension (in nats, a mean over the batch) that is not penalised: such a
        dimension has no KL gradient (Kingma et al. 2016, appendix C.8). The cost that is reported
        is the whole KL divergence.
    """
    name = "elbo"
    arguments = ("free_bits",)
    formulas = {"kl": Formula("KL = -1/2 sum_j (1 + lv - mu^2 - exp(lv))",
                              "dmu += weight mu / N,  dlv += weight (exp(lv) - 1) / 2N")}

    def __init__(self, free_bits=0.0):
        self.free_bits = checks.number("objective", "free_bits", free_bits)

    def forward(self, mu, lv, eps, z):
        """Return the KL divergence of each example (N,)."""
        self.keep(mu, lv, eps, z)
        return self.kl

    def backward(self, dmu, dlv, weight):
        """dmu += weight mu / N,  dlv += weight (sigma^2 - 1) / 2N."""
        self.kernels.gaussian_kl_backward(self.mu, self.lv, dmu, dlv, weight, self.free_bits)

    def differentiable(self):
        """Return the objective without free bits: they change the gradient, but not the cost."""
        return ELBO()
