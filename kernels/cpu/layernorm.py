"""Layer normalisation in Numba. See reference/layernorm.py for the mathematics.

Threads share out the rows. dgamma and dbeta are sums over rows: they are taken in PARTS parts, for
any number of threads, and the parts are added in order. Sums are kept in float64.
"""
import numpy as np
from numba import prange

from ..operation import implements
from ..reference import layernorm as reference
from .jit import inner, parallel

PARTS = 16


def layernorm_scratch(N, C, dtype):
    """Return the work space for rows of C numbers: each part's sums for dgamma and dbeta."""
    return np.empty((PARTS, 2, C))


@implements(reference.layernorm_forward)
def layernorm_forward(x, gamma, beta, y, mean, variance, epsilon, scratch):
    _forward(x, gamma, beta, y, mean, variance, epsilon)


@implements(reference.layernorm_backward)
def layernorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, scratch):
    _backward(dout, x, gamma, mean, variance, dx, epsilon, scratch)
    _add_parts(scratch, dgamma, dbeta)


@parallel
def _forward(x, gamma, beta, y, mean, variance, epsilon):
    for n in prange(x.shape[0]):
        find_moments(x, n, mean, variance)
        normalize_row(x[n], gamma, beta, mean[n], scale(variance[n], epsilon), y[n])


@inner
def find_moments(x, n, mean, variance):
    """Write the mean and the variance of row n."""
    C = x.shape[1]
    total = 0.0
    for c in range(C):
        total += x[n, c]
    centre = total / C
    squares = 0.0
    for c in range(C):
        squares += (x[n, c] - centre) ** 2
    mean[n] = centre
    variance[n] = squares / C


@inner
def scale(variance, epsilon):
    """Return s, in the type of the variance."""
    return type(variance)(1 / np.sqrt(variance + epsilon))


@inner
def normalize_row(x, gamma, beta, mean, s, y):
    """y = gamma x^ + beta."""
    for c in range(y.size):
        y[c] = gamma[c] * ((x[c] - mean) * s) + beta[c]


@parallel
def _backward(dout, x, gamma, mean, variance, dx, epsilon, parts):
    N, C = x.shape
    part_rows = (N + PARTS - 1) // PARTS
    for part in prange(PARTS):
        parts[part] = 0
        for n in range(part * part_rows, min(N, (part + 1) * part_rows)):
            s = scale(variance[n], epsilon)
            add_row(dout[n], x[n], mean[n], s, parts[part, 0], parts[part, 1])
            differentiate_row(dout[n], x[n], gamma, mean[n], s, dx[n])


@inner
def add_row(dout, x, mean, s, dgamma, dbeta):
    """Add a row's part of dgamma and dbeta."""
    for c in range(x.size):
        dgamma[c] += dout[c] * ((x[c] - mean) * s)
        dbeta[c] += dout[c]


@inner
def differentiate_row(dout, x, gamma, mean, s, dx):
    """dx = s (dx^ - x^ mean of (dx^ x^) - mean of dx^), dx^ = gamma dout."""
    C = x.size
    total = 0.0
    products = 0.0
    for c in range(C):
        dx_hat = gamma[c] * dout[c]
        total += dx_hat
        products += dx_hat * ((x[c] - mean) * s)
    through_mean = type(s)(total / C)
    through_variance = type(s)(products / C)
    for c in range(C):
        dx[c] = s * (gamma[c] * dout[c] - (x[c] - mean) * s * through_variance - through_mean)


@parallel
def _add_parts(parts, dgamma, dbeta):
    for c in prange(dgamma.size):
        gamma_total = 0.0
        beta_total = 0.0
        for part in range(PARTS):
            gamma_total += parts[part, 0, c]
            beta_total += parts[part, 1, c]
        dgamma[c] = gamma_total
        dbeta[c] = beta_total
