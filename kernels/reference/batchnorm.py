"""Batch normalisation (Ioffe & Szegedy 2015): each of C channels gets mean beta and standard
deviation gamma.

    mean = sum_n x_n / N                              v = variance = sum_n (x_n - mean)^2 / N
    x^_n = (x_n - mean) s,  s = (v + epsilon)^(-1/2)  y_n = gamma x^_n + beta

N counts everything that a channel has: examples, and positions of an image. Inference uses moving
averages of the batches' mean and variance instead,

    moving = momentum moving + (1 - momentum) batch,

with the biased variance, as Keras does.

Derivation, for one channel. dgamma = sum_n dy_n x^_n and dbeta = sum_n dy_n follow from the last
line. With dx^_n = gamma dy_n, x_n reaches the loss in three ways: directly, through the variance,
and through the mean:

    dv    = sum_n dx^_n (x_n - mean) ds/dv,  ds/dv = -s^3 / 2
          = -(s^2 / 2) sum_n dx^_n x^_n
    dmean = -s sum_n dx^_n + dv dv/dmean,    dv/dmean = -2/N sum_n (x_n - mean) = 0
          = -s sum_n dx^_n
    dx_n  = s dx^_n + dv dv/dx_n + dmean dmean/dx_n
            with dv/dx_n = 2 (x_n - mean) / N = 2 x^_n / (N s)  and  dmean/dx_n = 1 / N
          = s (dx^_n - x^_n mean over n of (dx^ x^) - mean over n of dx^)
          = gamma s (dy_n - x^_n dgamma / N - dbeta / N)

In inference mean and variance are constants, and only the first way remains: dx = gamma s dy.
"""
import numpy as np

from ..operation import operation


def batchnorm_scratch(N, C, dtype):
    """Return the work space for C channels: NumPy needs none."""
    return None


@operation("x=NC gamma=C beta=C -> y=NC mean=C variance=C", epsilon=(1e-3,))
def batchnorm_forward(x, gamma, beta, y, mean, variance, epsilon, scratch):
    """y = gamma x^ + beta. Writes the batch's mean and variance, too."""
    np.mean(x, axis=0, out=mean)
    np.var(x, axis=0, out=variance)
    y[...] = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


@operation("dout=NC x=NC gamma=C mean=C variance=C:positive -> dx=NC dgamma=C dbeta=C",
           epsilon=(1e-3,))
def batchnorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, scratch):
    """Write dgamma, dbeta and dx, from dout and the mean and variance of the forward pass."""
    s = 1 / np.sqrt(variance + epsilon)
    x_hat = (x - mean) * s
    np.sum(dout * x_hat, axis=0, out=dgamma)
    np.sum(dout, axis=0, out=dbeta)
    dx[...] = gamma * s * (dout - (dbeta + x_hat * dgamma) / len(x))


@operation("mean=C variance=C:positive -> moving_mean+=C moving_variance+=C:positive",
           momentum=(0.9,))
def batchnorm_update(mean, variance, moving_mean, moving_variance, momentum):
    """Take the batch's mean and variance into the moving averages."""
    moving_mean[...] = momentum * moving_mean + (1 - momentum) * mean
    moving_variance[...] = momentum * moving_variance + (1 - momentum) * variance


@operation("x=NC gamma=C beta=C mean=C variance=C:positive -> y=NC", epsilon=(1e-3,))
def batchnorm_inference(x, gamma, beta, mean, variance, y, epsilon, scratch):
    """y = gamma x^ + beta, with the given mean and variance: the moving averages."""
    y[...] = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


@operation("dout=NC x=NC gamma=C mean=C variance=C:positive -> dx=NC dgamma=C dbeta=C",
           epsilon=(1e-3,))
def batchnorm_inference_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon,
                                 scratch):
    """Write dgamma, dbeta and dx where mean and variance are constants."""
    s = 1 / np.sqrt(variance + epsilon)
    np.sum(dout * (x - mean) * s, axis=0, out=dgamma)
    np.sum(dout, axis=0, out=dbeta)
    dx[...] = gamma * s * dout
