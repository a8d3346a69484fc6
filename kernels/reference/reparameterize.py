"""The latent variable of a VAE (Kingma & Welling 2014): sampling with a gradient, and its KL
divergence.

q(z|x) is a normal distribution with mean mu = z_mean and variance sigma^2 = exp(z_log_var),
independent in each dimension.

Reparameterization (section 2.4): z = mu + sigma * eps with eps ~ N(0, 1) moves the randomness into
an input, so that, with lv = log(sigma^2),

    dz/dmu = 1,    dz/dlv = d/dlv exp(lv / 2) eps = sigma eps / 2.

KL divergence from the prior N(0, 1) (appendix B), one number for each example:

    KL = -1/2 sum_j (1 + log sigma_j^2 - mu_j^2 - sigma_j^2),
    dKL/dmu = mu,    dKL/dlv = (sigma^2 - 1) / 2.

Free bits (Kingma et al. 2016, appendix C.8): a dimension whose KL, averaged over the batch, is
below so many nats is not penalised and has no KL gradient. This keeps the decoder from learning to
ignore z before z carries information.
"""
import numpy as np

from ..operation import operation


@operation("z_mean=NJ z_log_var=NJ eps=NJ -> z=NJ")
def reparameterize_forward(z_mean, z_log_var, eps, z):
    """z = z_mean + exp(z_log_var / 2) * eps."""
    z[...] = z_mean + np.exp(z_log_var / 2) * eps


@operation("dz=NJ z_log_var=NJ eps=NJ -> dz_mean=NJ dz_log_var=NJ")
def reparameterize_backward(dz, z_log_var, eps, dz_mean, dz_log_var):
    """dz_mean = dz;  dz_log_var = dz * exp(z_log_var / 2) * eps / 2."""
    dz_mean[...] = dz
    dz_log_var[...] = dz * np.exp(z_log_var / 2) * eps / 2


@operation("z_mean=NJ z_log_var=NJ -> kl=N")
def gaussian_kl_forward(z_mean, z_log_var, kl):
    """kl_n = -1/2 sum_j (1 + z_log_var - z_mean^2 - exp(z_log_var))."""
    kl[...] = -0.5 * (1 + z_log_var - np.square(z_mean) - np.exp(z_log_var)).sum(axis=1)


@operation("z_mean=NJ z_log_var=NJ -> dz_mean+=NJ dz_log_var+=NJ", weight=(0.7,),
           free_bits=(0.0, 0.5))
def gaussian_kl_backward(z_mean, z_log_var, dz_mean, dz_log_var, weight, free_bits):
    """Add the gradient of weight * KL, averaged over the batch, to dz_mean and dz_log_var.

    They hold the rest of the loss's gradient already. Dimensions with a mean KL below free_bits
    (nats) add nothing.
    """
    kl = -0.5 * (1 + z_log_var - np.square(z_mean) - np.exp(z_log_var)).mean(axis=0)
    factor = np.where(kl < free_bits, 0, weight / len(z_mean))
    dz_mean += factor * z_mean
    dz_log_var += factor * 0.5 * (np.exp(z_log_var) - 1)
