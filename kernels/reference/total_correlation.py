"""The total correlation of a code (Chen et al. 2018, "Isolating sources of disentanglement in
variational autoencoders").

The KL divergence of a VAE, averaged over the data, is the sum of three: how much z tells about
which example it belongs to, how much its dimensions depend on each other, and how far each is from
the prior (section 3). The second, the total correlation, is what a code with one dimension for each
property of the data must not have:

    TC = E_q(z) [log q(z) - sum_j log q(z_j)],    q(z) = mean over examples of q(z|x).

A batch of N examples estimates both densities at each of its points z_n (section 4.1, minibatch
weighted sampling, without the size of the data set: it changes TC by a constant). With l_nmj, the
log density of z_nj in the normal distribution of example m,

    l_nmj       = -1/2 (log 2 pi + lv_mj + (z_nj - mu_mj)^2 exp(-lv_mj))
    log q(z_n)  = log 1/N sum_m exp(sum_j l_nmj)
    log q(z_nj) = log 1/N sum_m exp(l_nmj)
    tc_n        = log q(z_n) - sum_j log q(z_nj).

Backward: the logarithm of a sum of exponentials hands its gradient out in their shares,

    dtc_n/dl_nmj = w_nm - v_nmj,    w_nm  = exp(sum_j l_nmj - log q(z_n)) / N,
                                    v_nmj = exp(l_nmj - log q(z_nj)) / N,

and each l has the derivatives of a normal density: with d = (z - mu) exp(-lv), they are -d for z,
d for mu, and ((z - mu) d - 1) / 2 for lv.
"""
import numpy as np

from ..operation import operation


@operation("z=NJ z_mean=NJ z_log_var=NJ -> log_qz=N log_qz_j=NJ tc=N")
def total_correlation_forward(z, z_mean, z_log_var, log_qz, log_qz_j, tc):
    """tc_n = log q(z_n) - sum_j log q(z_nj), and both logarithms."""
    density, _ = log_densities(z, z_mean, z_log_var)
    log_qz[...] = log_mean_exp(density.sum(axis=2))
    log_qz_j[...] = log_mean_exp(density)
    tc[...] = log_qz - log_qz_j.sum(axis=1)


@operation("z=NJ z_mean=NJ z_log_var=NJ log_qz=N log_qz_j=NJ -> dz+=NJ dz_mean+=NJ dz_log_var+=NJ",
           weight=(0.7,))
def total_correlation_backward(z, z_mean, z_log_var, log_qz, log_qz_j, dz, dz_mean, dz_log_var,
                               weight):
    """Add the gradient of weight * tc, averaged over the batch, to dz, dz_mean and dz_log_var."""
    N = len(z)
    density, d = log_densities(z, z_mean, z_log_var)
    w = np.exp(density.sum(axis=2) - log_qz[:, np.newaxis]) / N         # (N, M)
    v = np.exp(density - log_qz_j[:, np.newaxis]) / N                   # (N, M, J)
    dl = weight / N * (w[:, :, np.newaxis] - v)
    dz -= (dl * d).sum(axis=1)
    dz_mean += (dl * d).sum(axis=0)
    difference = z[:, np.newaxis] - z_mean
    dz_log_var += (dl * (difference * d - 1) / 2).sum(axis=0)


def log_densities(z, z_mean, z_log_var):
    """Return l (N, M, J), the log density of each z in each normal distribution, and d."""
    difference = z[:, np.newaxis] - z_mean
    d = difference * np.exp(-z_log_var)
    return -0.5 * (np.log(2 * np.pi) + z_log_var + difference * d), d


def log_mean_exp(values):
    """Return log of the mean of exp(values) along axis 1, without overflow."""
    highest = values.max(axis=1)
    return highest + np.log(np.exp(values - np.expand_dims(highest, 1)).mean(axis=1))
