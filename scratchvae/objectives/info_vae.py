"""A code that looks like the prior as a whole (Zhao et al. 2017, "InfoVAE: balancing learning and
inference in variational autoencoders").
"""
from .. import checks
from ..errors import ScratchVAEError
from ..layers.formulas import Formula
from .elbo import ELBO
from .objective import Objective


class InfoVAE(Objective):
    """cost(x) = (1 - alpha) KL + (alpha + scale - 1) MMD^2 (equation 6, its lambda called scale).

    The KL divergence presses each q(z|x) towards the prior, and with it out what z knows about x.
    The maximum mean discrepancy, see kernels/reference/mmd.py, compares the codes of the batch as a
    whole with the prior. With alpha = 1 only this is left: the MMD-VAE.

    Parameters
    ----------
    alpha : float
        From 0 to 1.
    scale : float
        Must be large enough to count beside a reconstruction loss of hundreds of nats.
    """
    name = "info_vae"
    arguments = ("alpha", "scale")
    formulas = ELBO.formulas | {"mmd": Formula(
        "MMD^2 = E k(z, z') - 2 E k(z, p) + E k(p, p'),  k(a, b) = exp(-|a - b|^2 / 2J)",
        "dz = 2 weight (alpha + scale - 1) / N (e(z) z / (J + 1) - 1/N sum_m k (z - z_m) / J)")}

    def __init__(self, alpha=1.0, scale=1000.0):
        self.alpha = checks.number("objective", "alpha", alpha)
        if alpha > 1:
            raise ScratchVAEError(f"objective: alpha must be from 0 to 1, got {alpha}")
        self.scale = checks.number("objective", "scale", scale)

    def forward(self, mu, lv, eps, z):
        """Return (1 - alpha) KL + (alpha + scale - 1) MMD^2, of each example its part (N,)."""
        self.keep(mu, lv, eps, z)
        mmd = self.workspace.array("mmd", self.kl.shape)
        self.kernels.mmd_forward(z, mmd)
        return self.as_cost((1 - self.alpha) * self.kernels.to_host(self.kl)
                            + (self.alpha + self.scale - 1) * self.kernels.to_host(mmd))

    def backward(self, dmu, dlv, weight):
        """Add the gradients of KL, and of MMD^2, which reaches mu and lv through z."""
        kernels = self.kernels
        dz = self.workspace.array("dz", self.z.shape)
        kernels.fill(dz, 0)
        kernels.gaussian_kl_backward(self.mu, self.lv, dmu, dlv, weight * (1 - self.alpha), 0.0)
        kernels.mmd_backward(self.z, dz, weight * (self.alpha + self.scale - 1))
        self.add_through_z(dz, dmu, dlv)
