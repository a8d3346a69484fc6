"""The maximum mean discrepancy between codes and the prior (Gretton et al. 2012; in VAEs: Zhao et
al. 2017, "InfoVAE").

Two distributions are the same if a kernel k cannot tell them apart on average. With the normal
kernel k(a, b) = exp(-|a - b|^2 / 2 s), s = J,

    MMD^2 = E k(z, z') - 2 E k(z, p) + E k(p, p'),    z, z' ~ q(z),    p, p' ~ N(0, 1).

Zhao et al. draw p. Two of the three expectations are integrals over normal distributions, so they
have a closed form (Rustamov 2021, "Closed-form expressions for maximum mean discrepancy with
applications to Wasserstein auto-encoders") without that noise:

    e(z)     = E_p k(z, p)  = (s / (s + 1))^(J/2) exp(-|z|^2 / 2 (s + 1))
    E k(p, p')              = (s / (s + 2))^(J/2)
    mmd_n    = 1/N sum_m k(z_n, z_m) - 2 e(z_n) + E k(p, p'),

with the mean MMD^2 over the batch. Backward, where z_n occurs in its own term and in all others:

    dMMD^2/dz_n = 2/N [-1/N sum_m k(z_n, z_m) (z_n - z_m) / s + e(z_n) z_n / (s + 1)].
"""
import numpy as np

from ..operation import operation


@operation("z=NJ -> mmd=N")
def mmd_forward(z, mmd):
    """mmd_n, whose mean over the batch is MMD^2, at least 0."""
    s = z.shape[1]
    mmd[...] = kernel_matrix(z).mean(axis=1) - 2 * kernel_to_prior(z) + (s / (s + 2)) ** (s / 2)


@operation("z=NJ -> dz+=NJ", weight=(0.7,))
def mmd_backward(z, dz, weight):
    """Add the gradient of weight * MMD^2 to dz."""
    N, s = z.shape
    k = kernel_matrix(z)
    pull = (k.sum(axis=1, keepdims=True) * z - k @ z) / (N * s)
    dz += 2 * weight / N * (kernel_to_prior(z)[:, np.newaxis] * z / (s + 1) - pull)


def kernel_matrix(z):
    """Return k(z_n, z_m) (N, N)."""
    s = z.shape[1]
    return np.exp(-np.square(z[:, np.newaxis] - z).sum(axis=2) / (2 * s))


def kernel_to_prior(z):
    """Return e(z_n) (N,)."""
    s = z.shape[1]
    return (s / (s + 1)) ** (s / 2) * np.exp(-np.square(z).sum(axis=1) / (2 * (s + 1)))
