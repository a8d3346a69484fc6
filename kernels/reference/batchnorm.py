"""Batch normalisation (Ioffe & Szegedy 2015): each of C channels is brought to mean beta and standard deviation gamma.

    mean = sum_n x_n / N      variance = sum_n (x_n - mean)^2 / N      x^_n = (x_n - mean) / sqrt(variance + epsilon)
    y_n  = gamma x^_n + beta

N counts all there is of a channel: examples, and positions of an image.  Inference uses moving averages of the batches' mean and
variance instead, moving = momentum moving + (1 - momentum) batch, the variance biased as in Keras.

Derivation.  With s = 1 / sqrt(variance + epsilon), dx^ = gamma dy, and for one channel:

    dgamma = sum_n dy_n x^_n          dbeta = sum_n dy_n
    dx_n   = s (dx^_n  -  mean over n of dx^  -  x^_n * mean over n of (dx^ x^))
           = gamma s (dy_n - dbeta / N - x^_n dgamma / N)

The last two terms are the ways by which x_n moves the mean and the variance; in inference, where both are constants, they are absent.
"""
import numpy as np

from ..contract import operation


def batchnorm_scratch(channels, dtype):
    """Work space for that many channels: NumPy needs none."""
    return None


@operation
def batchnorm_forward(x, gamma, beta, moving_mean, moving_variance, y, mean, variance, momentum, epsilon, scratch):
    """y = gamma x^ + beta, with the batch's mean and variance, which are returned, and taken into the moving averages.

    x, y (N, C); gamma, beta, moving_mean, moving_variance, mean, variance (C,).
    """
    np.mean(x, axis=0, out=mean)
    np.var(x, axis=0, out=variance)
    moving_mean[...] = momentum * moving_mean + (1 - momentum) * mean
    moving_variance[...] = momentum * moving_variance + (1 - momentum) * variance
    batchnorm_inference(x, gamma, beta, mean, variance, y, epsilon, scratch)


@operation
def batchnorm_inference(x, gamma, beta, moving_mean, moving_variance, y, epsilon, scratch):
    """y = gamma x^ + beta, with the given mean and variance."""
    y[...] = gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon) + beta


@operation
def batchnorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, training, scratch):
    """dgamma, dbeta and dx from dout (N, C), and the mean and variance by which the forward pass normalised.

    training=False: these were constants.
    """
    s = 1 / np.sqrt(variance + epsilon)
    x_hat = (x - mean) * s
    np.sum(dout * x_hat, axis=0, out=dgamma)
    np.sum(dout, axis=0, out=dbeta)
    dx[...] = gamma * s * (dout - (dbeta + x_hat * dgamma) / len(x) if training else dout)
