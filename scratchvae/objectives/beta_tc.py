"""A code of independent dimensions (Chen et al. 2018, "Isolating sources of disentanglement in
variational autoencoders").
"""
from .. import checks
from ..layers.formulas import Formula
from .elbo import ELBO
from .objective import Objective


class BetaTC(Objective):
    """cost(x) = KL + (beta - 1) TC: the paper's equation 4 with alpha = gamma = 1.

    The KL divergence contains the total correlation TC once; beta weighs this part alone, where a
    kl_weight would also press out what z knows about x. TC is estimated from the batch, see
    kernels/reference/total_correlation.py; larger batches estimate it better.

    Parameters
    ----------
    beta : float
        1 gives the ELBO.
    """
    name = "beta_tc"
    arguments = ("beta",)
    formulas = ELBO.formulas | {"total_correlation": Formula(
        "TC = log q(z) - sum_j log q(z_j),  q(z) = 1/N sum_m q(z|x_m)",
        "dl_nmj = (beta - 1) weight (w_nm - v_nmj) / N")}

    def __init__(self, beta=6.0):
        self.beta = checks.number("objective", "beta", beta)

    def forward(self, mu, lv, eps, z):
        """Return KL + (beta - 1) TC of each example (N,)."""
        self.keep(mu, lv, eps, z)
        kernels = self.kernels
        tc = self.workspace.array("tc", self.kl.shape)
        self.log_qz = self.workspace.array("log_qz", self.kl.shape)
        self.log_qz_j = self.workspace.array("log_qz_j", z.shape)
        kernels.total_correlation_forward(z, mu, lv, self.log_qz, self.log_qz_j, tc)
        return self.as_cost(kernels.to_host(self.kl) + (self.beta - 1) * kernels.to_host(tc))

    def backward(self, dmu, dlv, weight):
        """Add the gradients of KL and of TC, which has mu and lv in it, and z."""
        kernels = self.kernels
        dz = self.workspace.array("dz", self.z.shape)
        kernels.fill(dz, 0)
        kernels.gaussian_kl_backward(self.mu, self.lv, dmu, dlv, weight, 0.0)
        kernels.total_correlation_backward(self.z, self.mu, self.lv, self.log_qz, self.log_qz_j,
                                           dz, dmu, dlv, weight * (self.beta - 1))
        self.add_through_z(dz, dmu, dlv)
