"""Batch normalisation in Numba. See reference/batchnorm.py for the mathematics.

Sums over N rows are taken in PARTS parts, whatever the number of threads, and in blocks of rows:
a block's sums in the arrays' own type, added up in float64. Where channels are few, several rows
are read as one long row, so that the inner loops fill whole vectors.
"""
from typing import NamedTuple

import numpy as np
from numba import prange

from ..operation import implements
from ..reference import batchnorm as reference
from .jit import inner, jit, parallel

PARTS = 16
BLOCK = 64                      # rows
LONG_ROW = 256                  # numbers
ABOUT_CENTRE = True             # the two kinds of sums that `_sums` takes
OF_PRODUCTS = False


class BatchnormScratch(NamedTuple):
    """Work space for C channels and any number of examples, with room for a long row."""
    totals: np.ndarray          # (PARTS, 2, width) float64: sums of each part
    block_sums: np.ndarray      # (PARTS, 2, width): sums of a block of rows
    factors: np.ndarray         # (4, width): a, b, m and c of `_combine`


def batchnorm_scratch(N, C, dtype):
    """Return the work space for C channels; it serves any number of examples."""
    width = max(C, LONG_ROW)
    return BatchnormScratch(
        totals=np.empty((PARTS, 2, width)),
        block_sums=np.empty((PARTS, 2, width), dtype),
        factors=np.empty((4, width), dtype))


def long_rows(x):
    """Return (N, C) as (N / 2^i, 2^i C), as long as LONG_ROW allows."""
    rows, width = x.shape
    while rows % 2 == 0 and 2 * width <= LONG_ROW:
        rows //= 2
        width *= 2
    return x.reshape(rows, width)


@implements(reference.batchnorm_forward)
def batchnorm_forward(x, gamma, beta, y, mean, variance, epsilon, scratch):
    rows = long_rows(x)
    _sums(rows, rows, x[0], ABOUT_CENTRE, *scratch)
    _finish_moments(x, rows.shape[1], scratch.totals, mean, variance)
    batchnorm_inference(x, gamma, beta, mean, variance, y, epsilon, scratch)


@parallel
def _sums(u, x, centre, squares, totals, block_sums, factors):
    """totals[part] = sums over its rows of u and of u (x - centre).

    With `squares`, they are of x - centre and of its square. The variance is found from squares
    about a point near the mean, where they lose no digits.
    """
    rows, width = x.shape
    part_rows = (rows + PARTS - 1) // PARTS
    tile_row(centre, factors[0])
    for part in prange(PARTS):
        last = min(rows, (part + 1) * part_rows)
        for kind in range(2):
            for i in range(width):
                totals[part, kind, i] = 0
        for first in range(part * part_rows, last, BLOCK):
            block = slice(first, min(last, first + BLOCK))
            sum_block(u[block], x[block], factors[0, :width], squares,
                      block_sums[part, 0, :width], block_sums[part, 1, :width])
            for kind in range(2):
                for i in range(width):
                    totals[part, kind, i] += block_sums[part, kind, i]


@inner
def tile_row(values, row):
    """Fill a long row with the values of the channels, again and again."""
    for i in range(row.size):
        row[i] = values[i % values.size]


@inner
def sum_block(u, x, centre, squares, sums, product_sums):
    """Take the two sums over a block of rows."""
    for i in range(sums.size):
        sums[i] = product_sums[i] = 0
    for n in range(x.shape[0]):
        u_n = u[n]
        x_n = x[n]
        if squares:
            for i in range(sums.size):
                d = x_n[i] - centre[i]
                sums[i] += d
                product_sums[i] += d * d
        else:
            for i in range(sums.size):
                sums[i] += u_n[i]
                product_sums[i] += u_n[i] * (x_n[i] - centre[i])


@jit
def _finish_moments(x, width, totals, mean, variance):
    """Find mean and variance from the sums about x_0."""
    N, C = x.shape
    for c in range(C):
        d = total(totals, 0, c, C, width) / N
        mean[c] = x[0, c] + d
        variance[c] = max(0.0, total(totals, 1, c, C, width) / N - d * d)


@inner
def total(totals, kind, channel, channels, width):
    """Return a channel's sum over all parts, and over its places in a long row."""
    result = 0.0
    for part in range(PARTS):
        for i in range(channel, width, channels):
            result += totals[part, kind, i]
    return result


@implements(reference.batchnorm_inference)
def batchnorm_inference(x, gamma, beta, mean, variance, y, epsilon, scratch):
    rows = long_rows(x)
    _set_forward_factors(gamma, beta, mean, variance, epsilon, scratch.factors)
    _combine(rows, rows, scratch.factors, long_rows(y))


@jit
def _set_forward_factors(gamma, beta, mean, variance, epsilon, factors):
    """Set the factors of y = gamma s (x - mean) + beta."""
    C = gamma.size
    for i in range(factors.shape[1]):
        c = i % C
        factors[0, i] = 0
        factors[1, i] = gamma[c] / np.sqrt(variance[c] + epsilon)
        factors[2, i] = mean[c]
        factors[3, i] = beta[c]


@parallel
def _combine(u, x, factors, out):
    """out = a u + b (x - m) + c, with factors for each channel."""
    rows, width = x.shape
    for block in prange((rows + BLOCK - 1) // BLOCK):
        for n in range(block * BLOCK, min(rows, (block + 1) * BLOCK)):
            combine_row(u[n], x[n], factors[0, :width], factors[1, :width], factors[2, :width],
                        factors[3, :width], out[n])


@inner
def combine_row(u, x, a, b, m, c, out):
    """out = a u + b (x - m) + c."""
    for i in range(out.size):
        out[i] = a[i] * u[i] + b[i] * (x[i] - m[i]) + c[i]


@implements(reference.batchnorm_backward)
def batchnorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, scratch):
    channels = (gamma, mean, variance, dgamma, dbeta)
    share = 1 / len(x)                              # of each row in the batch's mean and variance
    backward(dout, x, dx, channels, epsilon, share, scratch)


@implements(reference.batchnorm_inference_backward)
def batchnorm_inference_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon,
                                 scratch):
    channels = (gamma, mean, variance, dgamma, dbeta)
    share = 0.0                                     # mean and variance are constants
    backward(dout, x, dx, channels, epsilon, share, scratch)


def backward(dout, x, dx, channels, epsilon, share, scratch):
    """Write dx, dgamma and dbeta; channels = (gamma, mean, variance, dgamma, dbeta)."""
    rows = long_rows(x)
    dout_rows = long_rows(dout)
    mean = channels[1]
    _sums(dout_rows, rows, mean, OF_PRODUCTS, *scratch)
    _finish_gradients(channels, epsilon, share, rows.shape[1], scratch.totals, scratch.factors)
    _combine(dout_rows, rows, scratch.factors, long_rows(dx))


@jit
def _finish_gradients(channels, epsilon, share, width, totals, factors):
    """Find dgamma and dbeta from the sums, and set the factors of

        dx = gamma s (dout - x^ dgamma / N - dbeta / N),    x^ = s (x - mean).
    """
    gamma, mean, variance, dgamma, dbeta = channels
    C = gamma.size
    for c in range(C):
        s = 1 / np.sqrt(variance[c] + epsilon)
        dbeta[c] = total(totals, 0, c, C, width)
        dgamma[c] = total(totals, 1, c, C, width) * s
        for i in range(c, factors.shape[1], C):
            factors[0, i] = gamma[c] * s
            factors[1, i] = -gamma[c] * s * s * dgamma[c] * share
            factors[2, i] = mean[c]
            factors[3, i] = -gamma[c] * s * dbeta[c] * share


@implements(reference.batchnorm_update)
def batchnorm_update(mean, variance, moving_mean, moving_variance, momentum):
    _update(mean, variance, moving_mean, moving_variance, momentum)


@jit
def _update(mean, variance, moving_mean, moving_variance, momentum):
    for c in range(mean.size):
        moving_mean[c] = momentum * moving_mean[c] + (1 - momentum) * mean[c]
        moving_variance[c] = momentum * moving_variance[c] + (1 - momentum) * variance[c]
