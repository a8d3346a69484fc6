"""Layer normalisation (Ba, Kiros & Hinton 2016): each row gets mean 0 and variance 1; then each
column c is scaled by gamma_c and shifted by beta_c.

A free exercise: no lab uses it, but every transformer does.

Known
-----
For one row x_1 ... x_C:

    mean = sum over c of x_c / C
    v    = sum over c of (x_c - mean)^2 / C                  the variance
    s    = (v + epsilon)^(-1/2)
    x^_c = (x_c - mean) s
    y_c  = gamma_c x^_c + beta_c

No example depends on another one, so training and inference are the same. (Batch normalisation
takes its mean over the other axis, over the batch.)

Sought
------
dgamma, dbeta and dx.

1. gamma and beta belong to columns, mean and variance to rows. Over which index do the sums for
   dgamma and dbeta run?
2. What is dx^_c? Mind that gamma differs from element to element of a row.
3. x_c reaches the loss in the same three ways as in batch normalisation: directly, through the
   variance, and through the mean. Repeat that derivation with sums over c. It goes through up to
   the line with two means.
4. There, the last step of batch normalisation took gamma out of the means, and dgamma and dbeta
   came in. Why is that not possible here?
5. Test: the sum of dx_c over a row must be 0. Why?
"""
import numpy as np


def layernorm_forward(x, gamma, beta, y, mean, variance, epsilon, scratch):
    """Normalise each row; scale and shift each column.

    Inputs
    ------
    x : (N, C)
    gamma : (C,)
    beta : (C,)
    epsilon : float

    Outputs
    -------
    y : (N, C)
    mean : (N,)
        Of each row.
    variance : (N,)
        Of each row, divided by C. epsilon is not part of it.
    """
    raise NotImplementedError


def layernorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, scratch):
    """Compute all gradients of layernorm_forward.

    Inputs
    ------
    dout : (N, C)
        dL/dy.
    x : (N, C)
    gamma : (C,)
    mean : (N,)
        Written by the forward pass.
    variance : (N,)
        Likewise.
    epsilon : float

    Outputs
    -------
    dx : (N, C)
    dgamma : (C,)
    dbeta : (C,)
    """
    raise NotImplementedError
