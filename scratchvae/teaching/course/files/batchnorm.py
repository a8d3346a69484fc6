"""Batch normalisation (Ioffe & Szegedy 2015): each channel gets mean beta and standard deviation
gamma.

x has N rows and C columns: a column is a channel. Of images, the layer passes every pixel of every
example as a row. So sums over n run over all that a channel has.

Known
-----
For one channel:

    mean   = sum over n of x_n / N
    v      = sum over n of (x_n - mean)^2 / N                 the variance (divided by N, not N - 1)
    s      = (v + epsilon)^(-1/2)
    x^_n   = (x_n - mean) s                                   normalised: mean 0, variance 1
    y_n    = gamma x^_n + beta

Inference normalises with moving averages instead, which are constants there:

    moving = momentum moving + (1 - momentum) batch           for the mean and for the variance

Sought
------
dgamma, dbeta and dx. This is the first gradient that cannot be read off: every x_n moves the mean
and the variance, and so every y of its channel. Work with one channel, and write x^ for the
normalised numbers, dy_n for dout.

1. beta and gamma occur only in the last line. In how many of the y_n? So which sums are dbeta and
   dgamma?
2. What is dx^_n, the gradient of the normalised numbers? From here on use only dx^_n.
3. Draw the graph of the forward pass: x_n goes to x^_n directly, to v, and to mean; mean goes to v
   and to all x^; v goes to all x^ through s. Through how many ways does x_n reach the loss? The
   chain rule adds one term for each.
4. The variance first. v reaches the loss through s, and s through all x^_n. What is ds/dv, in terms
   of s alone? What is dx^_n/ds? Write dL/dv as a sum over n, and replace x_n - mean by what it is
   in terms of x^_n.
5. Then the mean. It reaches the loss through all x^_n, and through v. What is dv/dmean, and what is
   the sum over n of (x_n - mean)? So one of both ways closes: which one, and what is left of
   dL/dmean?
6. Now x_n. Its three ways have the factors dx^_n/dx_n (with v and mean held fixed), dv/dx_n (with
   the mean held fixed) and dmean/dx_n. Find all three.
7. Put them together and simplify. s can be taken out; the two sums become means over n. You know
   both of these sums already, up to gamma: from question 1. So dx needs no loop and few lines.
8. Test your formula. Adding a constant to all x_n of a channel changes no y. So what must the sum
   of dx_n over n be? And (if epsilon is negligible) doubling all x_n changes no y: what must the
   sum of dx_n (x_n - mean) be?
9. Inference: mean and variance do not depend on x. Which of the three ways are left?
"""
import numpy as np


def batchnorm_forward(x, gamma, beta, y, mean, variance, epsilon, scratch):
    """Normalise with the mean and the variance of this batch.

    Inputs
    ------
    x : (N, C)
    gamma : (C,)
    beta : (C,)
    epsilon : float
        Keeps s finite where the variance is 0.

    Outputs
    -------
    y : (N, C)
    mean : (C,)
        Of the batch, without momentum.
    variance : (C,)
        Of the batch, divided by N. epsilon is not part of it.
    """
    raise NotImplementedError


def batchnorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, scratch):
    """Compute all gradients of batchnorm_forward.

    Inputs
    ------
    dout : (N, C)
        dL/dy.
    x : (N, C)
    gamma : (C,)
    mean : (C,)
        Written by the forward pass.
    variance : (C,)
        Likewise.
    epsilon : float

    Outputs
    -------
    dx : (N, C)
    dgamma : (C,)
    dbeta : (C,)
    """
    raise NotImplementedError


def batchnorm_update(mean, variance, moving_mean, moving_variance, momentum):
    """Take the batch's mean and variance into the moving averages.

    Inputs
    ------
    mean : (C,)
        Of the batch.
    variance : (C,)
        Of the batch.
    momentum : float
        How much of the old average stays.

    Updated in place
    ----------------
    moving_mean : (C,)
    moving_variance : (C,)
    """
    raise NotImplementedError


def batchnorm_inference(x, gamma, beta, mean, variance, y, epsilon, scratch):
    """Normalise with a given mean and variance: the moving averages.

    Inputs
    ------
    x : (N, C)
    gamma : (C,)
    beta : (C,)
    mean : (C,)
    variance : (C,)
    epsilon : float

    Outputs
    -------
    y : (N, C)
    """
    raise NotImplementedError


def batchnorm_inference_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon,
                                 scratch):
    """Compute all gradients of batchnorm_inference, where mean and variance are constants.

    Inputs
    ------
    dout : (N, C)
        dL/dy.
    x : (N, C)
    gamma : (C,)
    mean : (C,)
    variance : (C,)
    epsilon : float

    Outputs
    -------
    dx : (N, C)
    dgamma : (C,)
    dbeta : (C,)
    """
    raise NotImplementedError
