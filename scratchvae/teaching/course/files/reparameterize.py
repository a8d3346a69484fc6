"""The latent variable of a VAE: sampling with a gradient, and the KL divergence.

For N examples and J latent dimensions, the encoder gives the mean mu (`z_mean`) and the logarithm
of the variance, lv = log(sigma^2) (`z_log_var`), of a normal distribution for each z_nj. The
logarithm may be any real number, and sigma = exp(lv / 2) is positive for all of them.

Known
-----
Sampling (Kingma & Welling 2014, section 2.4), with noise eps drawn from N(0, 1) beforehand:

    z = mu + sigma eps

KL divergence from the prior N(0, 1) (appendix B), one number for each example:

    KL_n = -1/2 sum over j of (1 + lv_nj - mu_nj^2 - sigma_nj^2)

The loss that training minimises contains weight times the mean of KL_n over the batch.

Free bits (Kingma et al. 2016): take the KL of one dimension j alone, averaged over the batch. If it
is below free_bits (in nats), this dimension is not penalised: its KL gradient is 0, for all
examples. Otherwise its gradient is the usual one. This keeps a decoder from learning to ignore z.

Sought
------
1. Why is z written with eps? `rng.normal(mu, sigma)` draws z from the same distribution. Is its
   result a function of mu that you could differentiate? What is random in z = mu + sigma eps, and
   is it still random when the backward pass comes?
2. dz_nj/dmu_nj = ? Then what is dL/dmu, given dL/dz?
3. Write sigma as a function of lv. What is dz/dlv? Write it with sigma and eps.
4. KL_n for one dimension, as a function of mu: what is its derivative? At which mu is it 0?
5. The same for lv. Mind that sigma^2 = exp(lv). At which sigma is it 0? Together, questions 4 and 5
   say where the KL term pulls each code.
6. mu reaches the loss in two ways: through z and the decoder, and through the KL term. What does
   the chain rule do with two ways? (That is why gaussian_kl_backward adds to its outputs.)
7. Where does the mean over the batch enter?
"""
import numpy as np


def reparameterize_forward(z_mean, z_log_var, eps, z):
    """Compute the samples z = mu + sigma eps.

    Inputs
    ------
    z_mean : (N, J)
        mu.
    z_log_var : (N, J)
        lv, the logarithm of the variance.
    eps : (N, J)
        The noise.

    Outputs
    -------
    z : (N, J)
    """
    raise NotImplementedError


def reparameterize_backward(dz, z_log_var, eps, dz_mean, dz_log_var):
    """Compute the gradients that reach mu and lv through z.

    Inputs
    ------
    dz : (N, J)
        dL/dz, from the decoder.
    z_log_var : (N, J)
    eps : (N, J)
        The noise of the forward pass.

    Outputs
    -------
    dz_mean : (N, J)
        dL/dmu.
    dz_log_var : (N, J)
        dL/dlv.
    """
    raise NotImplementedError


def gaussian_kl_forward(z_mean, z_log_var, kl):
    """Compute the KL divergence of each example.

    Inputs
    ------
    z_mean : (N, J)
    z_log_var : (N, J)

    Outputs
    -------
    kl : (N,)
        KL_n, without weight and without free bits.
    """
    raise NotImplementedError


def gaussian_kl_backward(z_mean, z_log_var, dz_mean, dz_log_var, weight, free_bits):
    """Add the gradient of weight * (mean of KL_n over the batch) to dz_mean and dz_log_var.

    Inputs
    ------
    z_mean : (N, J)
    z_log_var : (N, J)
    weight : float
        The factor of the KL term.
    free_bits : float
        Dimensions whose KL, averaged over the batch, is below it add nothing. With 0 all count.

    Outputs, added to with +=
    -------------------------
    dz_mean : (N, J)
        Holds the gradient through z already.
    dz_log_var : (N, J)
        Likewise.
    """
    raise NotImplementedError
