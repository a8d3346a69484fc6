"""The total correlation on the device, a thread for each point or distribution. See
reference/total_correlation.py for the mathematics.
"""
import math

from numba import cuda

from ..reference import total_correlation as reference
from .device import implements, launch_each

LOG_2_PI = math.log(2 * math.pi)


@implements(reference.total_correlation_forward)
def total_correlation_forward(z, z_mean, z_log_var, log_qz, log_qz_j, tc):
    launch_each(_forward, len(tc), z, z_mean, z_log_var, log_qz, log_qz_j, tc)


@cuda.jit
def _forward(z, z_mean, z_log_var, log_qz, log_qz_j, tc):
    n = cuda.grid(1)
    if n < z.shape[0]:
        J = z.shape[1]
        total = z.dtype.type(0)
        for j in range(J):
            log_qz_j[n, j] = log_mean_density(z, z_mean, z_log_var, n, j, j + 1)
            total += log_qz_j[n, j]
        log_qz[n] = log_mean_density(z, z_mean, z_log_var, n, 0, J)
        tc[n] = log_qz[n] - total


@cuda.jit(device=True)
def log_mean_density(z, z_mean, z_log_var, n, first, end):
    """Return log 1/N sum_m exp(sum of l_nmj over j from first to before end)."""
    N = z.shape[0]
    highest = log_density(z, z_mean, z_log_var, n, 0, first, end)
    for m in range(1, N):
        highest = max(highest, log_density(z, z_mean, z_log_var, n, m, first, end))
    total = z.dtype.type(0)
    for m in range(N):
        total += math.exp(log_density(z, z_mean, z_log_var, n, m, first, end) - highest)
    return highest + math.log(total / z.dtype.type(N))


@cuda.jit(device=True)
def log_density(z, z_mean, z_log_var, n, m, first, end):
    """Return the sum of l_nmj over j from first to before end."""
    total = z.dtype.type(0)
    for j in range(first, end):
        difference = z[n, j] - z_mean[m, j]
        total += z_log_var[m, j] + difference * difference * math.exp(-z_log_var[m, j])
    return z.dtype.type(-0.5) * (total + z.dtype.type(LOG_2_PI) * z.dtype.type(end - first))


@implements(reference.total_correlation_backward)
def total_correlation_backward(z, z_mean, z_log_var, log_qz, log_qz_j, dz, dz_mean, dz_log_var,
                               weight):
    factor = weight / len(z) ** 2
    launch_each(_backward_of_z, len(z), z, z_mean, z_log_var, log_qz, log_qz_j, dz, factor)
    launch_each(_backward_of_distributions, len(z), z, z_mean, z_log_var, log_qz, log_qz_j,
                dz_mean, dz_log_var, factor)


@cuda.jit
def _backward_of_z(z, z_mean, z_log_var, log_qz, log_qz_j, dz, factor):
    n = cuda.grid(1)
    if n < z.shape[0]:
        N, J = z.shape
        for m in range(N):
            w = math.exp(log_density(z, z_mean, z_log_var, n, m, 0, J) - log_qz[n])
            for j in range(J):
                v = math.exp(log_density(z, z_mean, z_log_var, n, m, j, j + 1) - log_qz_j[n, j])
                d = (z[n, j] - z_mean[m, j]) * math.exp(-z_log_var[m, j])
                dz[n, j] -= factor * (w - v) * d


@cuda.jit
def _backward_of_distributions(z, z_mean, z_log_var, log_qz, log_qz_j, dz_mean, dz_log_var, factor):
    m = cuda.grid(1)
    if m < z.shape[0]:
        N, J = z.shape
        for n in range(N):
            w = math.exp(log_density(z, z_mean, z_log_var, n, m, 0, J) - log_qz[n])
            for j in range(J):
                v = math.exp(log_density(z, z_mean, z_log_var, n, m, j, j + 1) - log_qz_j[n, j])
                difference = z[n, j] - z_mean[m, j]
                d = difference * math.exp(-z_log_var[m, j])
                dl = factor * (w - v)
                dz_mean[m, j] += dl * d
                dz_log_var[m, j] += dl * (difference * d - 1) / 2
