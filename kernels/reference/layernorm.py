"""Layer normalisation (Ba, Kiros & Hinton 2016): each row of C numbers gets mean 0 and variance 1;
then each column c is scaled by gamma_c and shifted by beta_c.

For a row x_1 ... x_C:

    mean = sum_c x_c / C                              v = variance = sum_c (x_c - mean)^2 / C
    x^_c = (x_c - mean) s,  s = (v + epsilon)^(-1/2)  y_c = gamma_c x^_c + beta_c

Batch normalisation takes its mean and variance along the other axis, over the batch. Here no
example depends on another one, and training and inference are the same.

Derivation. dgamma_c and dbeta_c are the sums over all rows of dy_c x^_c and dy_c. With
dx^_c = gamma_c dy_c, x_c reaches the loss in three ways: directly, through the variance, and
through the mean:

    dv    = sum_c dx^_c (x_c - mean) ds/dv,  ds/dv = -s^3 / 2
          = -(s^2 / 2) sum_c dx^_c x^_c
    dmean = -s sum_c dx^_c + dv dv/dmean,    dv/dmean = -2/C sum_c (x_c - mean) = 0
          = -s sum_c dx^_c
    dx_c  = s dx^_c + dv dv/dx_c + dmean dmean/dx_c
            with dv/dx_c = 2 (x_c - mean) / C = 2 x^_c / (C s)  and  dmean/dx_c = 1 / C
          = s (dx^_c - x^_c mean over c of (dx^ x^) - mean over c of dx^)

gamma differs within a row, so it stays inside the means.
"""
import numpy as np

from ..operation import operation


def layernorm_scratch(N, C, dtype):
    """Return the work space for rows of C numbers: NumPy needs none."""
    return None


@operation("x=NC gamma=C beta=C -> y=NC mean=N variance=N", epsilon=(1e-3,))
def layernorm_forward(x, gamma, beta, y, mean, variance, epsilon, scratch):
    """y = gamma x^ + beta. Writes each row's mean and variance, too."""
    np.mean(x, axis=1, out=mean)
    np.var(x, axis=1, out=variance)
    y[...] = gamma * normalized(x, mean, variance, epsilon) + beta


@operation("dout=NC x=NC gamma=C mean=N variance=N:positive -> dx=NC dgamma=C dbeta=C",
           epsilon=(1e-3,))
def layernorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, scratch):
    """Write dgamma, dbeta and dx, from dout and the mean and variance of the forward pass."""
    x_hat = normalized(x, mean, variance, epsilon)
    np.sum(dout * x_hat, axis=0, out=dgamma)
    np.sum(dout, axis=0, out=dbeta)
    dx_hat = gamma * dout
    through_variance = x_hat * (dx_hat * x_hat).mean(axis=1, keepdims=True)
    through_mean = dx_hat.mean(axis=1, keepdims=True)
    s = 1 / np.sqrt(variance + epsilon)
    dx[...] = s[:, np.newaxis] * (dx_hat - through_variance - through_mean)


def normalized(x, mean, variance, epsilon):
    """Return x^."""
    return (x - mean[:, np.newaxis]) / np.sqrt(variance + epsilon)[:, np.newaxis]
