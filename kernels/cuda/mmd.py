"""The maximum mean discrepancy on the device, a thread for each code. See reference/mmd.py for the
mathematics.
"""
import math

from numba import cuda

from ..reference import mmd as reference
from .device import implements, launch_each


@implements(reference.mmd_forward)
def mmd_forward(z, mmd):
    J = z.shape[1]
    launch_each(_forward, len(mmd), z, mmd, (J / (J + 2)) ** (J / 2))


@cuda.jit
def _forward(z, mmd, constant):
    n = cuda.grid(1)
    if n < z.shape[0]:
        N = z.shape[0]
        total = 0.0
        for m in range(N):
            total += kernel(z, n, m)
        mmd[n] = total / N - 2 * kernel_to_prior(z, n) + constant


@cuda.jit(device=True)
def kernel(z, n, m):
    """Return k(z_n, z_m)."""
    J = z.shape[1]
    total = 0.0
    for j in range(J):
        difference = z[n, j] - z[m, j]
        total += difference * difference
    return math.exp(-total / (2 * J))


@cuda.jit(device=True)
def kernel_to_prior(z, n):
    """Return e(z_n)."""
    J = z.shape[1]
    total = 0.0
    for j in range(J):
        total += z[n, j] * z[n, j]
    return (J / (J + 1)) ** (J / 2) * math.exp(-total / (2 * (J + 1)))


@implements(reference.mmd_backward)
def mmd_backward(z, dz, weight):
    launch_each(_backward, len(z), z, dz, weight)


@cuda.jit
def _backward(z, dz, weight):
    n = cuda.grid(1)
    if n < z.shape[0]:
        N, J = z.shape
        e = kernel_to_prior(z, n)
        for j in range(J):
            dz[n, j] += 2 * weight * e * z[n, j] / (N * (J + 1))
        for m in range(N):
            k = kernel(z, n, m)
            for j in range(J):
                dz[n, j] -= 2 * weight * k * (z[n, j] - z[m, j]) / (N * N * J)
