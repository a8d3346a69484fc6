"""The total correlation in Numba, N^2 J exponentials. See reference/total_correlation.py for the
mathematics.

A thread takes a point z_n, or a distribution m. Its loops run over all N partners of one dimension
after the other. For this the arrays are turned to (J, N): the numbers of a dimension then lie side
by side, and the loops become vectors. No array of N x N x J numbers is made: log densities are
computed again where they are needed.
"""
import math

import numpy as np
from numba import prange

from ..operation import implements
from ..reference import total_correlation as reference
from .elementary import exp, largest
from .jit import inner, parallel

LOG_2_PI = math.log(2 * math.pi)


@implements(reference.total_correlation_forward)
def total_correlation_forward(z, z_mean, z_log_var, log_qz, log_qz_j, tc):
    _forward(z, turned(z_mean), turned(z_log_var), log_qz, log_qz_j, tc)


def turned(array):
    """Return the rows of an array (N, J) as columns, (J, N), contiguous."""
    return np.ascontiguousarray(array.T)


@parallel
def _forward(z, mean, log_var, log_qz, log_qz_j, tc):
    N, J = z.shape
    precision = np.exp(-log_var)
    for n in prange(N):
        density = np.empty(N, z.dtype)
        joint = np.zeros(N, z.dtype)
        total = z.dtype.type(0)
        for j in range(J):
            for m in range(N):
                density[m] = log_density(z[n, j] - mean[j, m], log_var[j, m], precision[j, m])
                joint[m] += density[m]
            log_qz_j[n, j] = log_mean_exp(density)
            total += log_qz_j[n, j]
        log_qz[n] = log_mean_exp(joint)
        tc[n] = log_qz[n] - total


@inner
def log_density(difference, log_var, precision):
    """Return l = -1/2 (log 2 pi + lv + (z - mu)^2 exp(-lv))."""
    real = type(difference)
    return real(-0.5) * (real(LOG_2_PI) + log_var + difference * difference * precision)


@inner
def log_mean_exp(values):
    """Return log of the mean of exp(values)."""
    highest = largest(values)
    total = values.dtype.type(0)
    for i in range(values.size):
        total += exp(values[i] - highest)
    return highest + values.dtype.type(math.log(total / values.dtype.type(values.size)))


@implements(reference.total_correlation_backward)
def total_correlation_backward(z, z_mean, z_log_var, log_qz, log_qz_j, dz, dz_mean, dz_log_var,
                               weight):
    factor = weight / len(z) ** 2
    _backward_of_z(z, turned(z_mean), turned(z_log_var), log_qz, log_qz_j, dz, factor)
    _backward_of_distributions(turned(z), z_mean, z_log_var, log_qz, turned(log_qz_j),
                               dz_mean, dz_log_var, factor)


@parallel
def _backward_of_z(z, mean, log_var, log_qz, log_qz_j, dz, factor):
    N, J = z.shape
    factor = z.dtype.type(factor)
    precision = np.exp(-log_var)
    for n in prange(N):
        w = np.zeros(N, z.dtype)
        for j in range(J):
            for m in range(N):
                w[m] += log_density(z[n, j] - mean[j, m], log_var[j, m], precision[j, m])
        for m in range(N):
            w[m] = exp(w[m] - log_qz[n])
        for j in range(J):
            total = z.dtype.type(0)
            for m in range(N):
                difference = z[n, j] - mean[j, m]
                density = log_density(difference, log_var[j, m], precision[j, m])
                v = exp(density - log_qz_j[n, j])
                total += (w[m] - v) * difference * precision[j, m]
            dz[n, j] -= factor * total


@parallel
def _backward_of_distributions(z, mean, log_var, log_qz, log_qz_j, dmean, dlog_var, factor):
    N, J = mean.shape
    real = z.dtype.type
    factor = real(factor)
    precision = np.exp(-log_var)
    for m in prange(N):
        w = np.zeros(N, z.dtype)
        for j in range(J):
            for n in range(N):
                w[n] += log_density(z[j, n] - mean[m, j], log_var[m, j], precision[m, j])
        for n in range(N):
            w[n] = exp(w[n] - log_qz[n])
        for j in range(J):
            through_mean = real(0)
            through_log_var = real(0)
            for n in range(N):
                difference = z[j, n] - mean[m, j]
                density = log_density(difference, log_var[m, j], precision[m, j])
                dl = w[n] - exp(density - log_qz_j[j, n])
                d = difference * precision[m, j]
                through_mean += dl * d
                through_log_var += dl * (difference * d - real(1))
            dmean[m, j] += factor * through_mean
            dlog_var[m, j] += factor * real(0.5) * through_log_var
