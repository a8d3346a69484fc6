"""The total correlation in Numba, N^2 J exponentials. See reference/total_correlation.py for the
mathematics.

No array of N x N x J numbers is made: log densities are computed again where they are needed, first
for the largest of them and then for the sum.
"""
import math

from numba import prange

from ..operation import implements
from ..reference import total_correlation as reference
from .elementary import exp
from .jit import inner, parallel

LOG_2_PI = math.log(2 * math.pi)


@implements(reference.total_correlation_forward)
def total_correlation_forward(z, z_mean, z_log_var, log_qz, log_qz_j, tc):
    _forward(z, z_mean, z_log_var, log_qz, log_qz_j, tc)


@parallel
def _forward(z, z_mean, z_log_var, log_qz, log_qz_j, tc):
    N, J = z.shape
    for n in prange(N):
        total = z.dtype.type(0)
        for j in range(J):
            log_qz_j[n, j] = log_mean_density(z, z_mean, z_log_var, n, j, j + 1)
            total += log_qz_j[n, j]
        log_qz[n] = log_mean_density(z, z_mean, z_log_var, n, 0, J)
        tc[n] = log_qz[n] - total


@inner
def log_mean_density(z, z_mean, z_log_var, n, first, end):
    """Return log 1/N sum_m exp(sum of l_nmj over j from first to before end)."""
    N = len(z)
    highest = log_density(z, z_mean, z_log_var, n, 0, first, end)
    for m in range(1, N):
        highest = max(highest, log_density(z, z_mean, z_log_var, n, m, first, end))
    total = z.dtype.type(0)
    for m in range(N):
        total += exp(log_density(z, z_mean, z_log_var, n, m, first, end) - highest)
    return highest + math.log(total / z.dtype.type(N))


@inner
def log_density(z, z_mean, z_log_var, n, m, first, end):
    """Return the sum of l_nmj over j from first to before end."""
    real = z.dtype.type
    total = real(0)
    for j in range(first, end):
        difference = z[n, j] - z_mean[m, j]
        total += z_log_var[m, j] + difference * difference * exp(-z_log_var[m, j])
    return real(-0.5) * (total + real(LOG_2_PI) * real(end - first))


@implements(reference.total_correlation_backward)
def total_correlation_backward(z, z_mean, z_log_var, log_qz, log_qz_j, dz, dz_mean, dz_log_var,
                               weight):
    arrays = (z, z_mean, z_log_var, log_qz, log_qz_j)
    _backward_of_z(arrays, dz, weight)
    _backward_of_distributions(arrays, dz_mean, dz_log_var, weight)


@parallel
def _backward_of_z(arrays, dz, weight):
    z, z_mean, z_log_var, log_qz, log_qz_j = arrays
    N, J = z.shape
    real = z.dtype.type
    factor = real(weight / N / N)
    for n in prange(N):
        for m in range(N):
            w = exp(log_density(z, z_mean, z_log_var, n, m, 0, J) - log_qz[n])
            for j in range(J):
                v = exp(log_density(z, z_mean, z_log_var, n, m, j, j + 1) - log_qz_j[n, j])
                d = (z[n, j] - z_mean[m, j]) * exp(-z_log_var[m, j])
                dz[n, j] -= factor * (w - v) * d


@parallel
def _backward_of_distributions(arrays, dz_mean, dz_log_var, weight):
    z, z_mean, z_log_var, log_qz, log_qz_j = arrays
    N, J = z.shape
    real = z.dtype.type
    half = real(0.5)
    factor = real(weight / N / N)
    for m in prange(N):
        for n in range(N):
            w = exp(log_density(z, z_mean, z_log_var, n, m, 0, J) - log_qz[n])
            for j in range(J):
                v = exp(log_density(z, z_mean, z_log_var, n, m, j, j + 1) - log_qz_j[n, j])
                difference = z[n, j] - z_mean[m, j]
                d = difference * exp(-z_log_var[m, j])
                dl = factor * (w - v)
                dz_mean[m, j] += dl * d
                dz_log_var[m, j] += dl * half * (difference * d - real(1))
