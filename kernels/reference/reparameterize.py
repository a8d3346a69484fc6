"""The latent variable of a VAE (Kingma & Welling 2014): sampling that lets gradients through, and its KL divergence.

q(z|x) is a normal distribution with mean mu = z_mean and variance sigma^2 = exp(z_log_var), independent in each dimension.

Reparameterization (section 2.4): z = mu + sigma * eps with eps ~ N(0, 1) moves the randomness into an input, so that

    dz/dmu = 1,    dz/dlog(sigma^2) = d/dlv exp(lv / 2) eps = sigma eps / 2.

KL divergence from the prior N(0, 1) (appendix B), a number for each example:

    KL = -1/2 sum_j (1 + log sigma_j^2 - mu_j^2 - sigma_j^2),
    dKL/dmu = mu,    dKL/dlog(sigma^2) = (sigma^2 - 1) / 2.

Free bits (Kingma et al. 2016, appendix C.8): a dimension whose KL, a mean over the batch, is below so many nats costs nothing and
has no gradient, so that the decoder is not taught to do without z before z is of use.
"""
import numpy as np

from ..contract import operation


@operation
def reparameterize_forward(z_mean, z_log_var, eps, z):
    """z = z_mean + exp(z_log_var / 2) * eps.  All (N, J)."""
    z[...] = z_mean + np.exp(z_log_var / 2) * eps


@operation
def reparameterize_backward(dz, z_log_var, eps, dz_mean, dz_log_var):
    """dz_mean = dz;  dz_log_var = dz * exp(z_log_var / 2) * eps / 2.  All (N, J)."""
    dz_mean[...] = dz
    dz_log_var[...] = dz * np.exp(z_log_var / 2) * eps / 2


@operation
def gaussian_kl_forward(z_mean, z_log_var, kl):
    """kl_n = -1/2 sum_j (1 + z_log_var - z_mean^2 - exp(z_log_var)).  z_mean, z_log_var (N, J); kl (N,)."""
    kl[...] = -0.5 * (1 + z_log_var - np.square(z_mean) - np.exp(z_log_var)).sum(axis=1)


@operation
def gaussian_kl_backward(z_mean, z_log_var, dz_mean, dz_log_var, weight, free_bits):
    """Add the gradient of weight * mean over the batch of KL to dz_mean and dz_log_var, which hold the rest of dL/dz.

    Dimensions with a mean KL below free_bits (nats) add nothing.
    """
    kl = -0.5 * (1 + z_log_var - np.square(z_mean) - np.exp(z_log_var)).mean(axis=0)
    factor = np.where(kl < free_bits, 0, weight / len(z_mean))
    dz_mean += factor * z_mean
    dz_log_var += factor * 0.5 * (np.exp(z_log_var) - 1)
