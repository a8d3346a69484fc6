"""The maximum mean discrepancy in Numba, N^2 exponentials. See reference/mmd.py for the
mathematics.
"""
from numba import prange

from ..operation import implements
from ..reference import mmd as reference
from .elementary import exp
from .jit import inner, parallel


@implements(reference.mmd_forward)
def mmd_forward(z, mmd):
    _forward(z, mmd)


@parallel
def _forward(z, mmd):
    N, J = z.shape
    real = z.dtype.type
    constant = real((J / (J + 2)) ** (J / 2))
    for n in prange(N):
        total = real(0)
        for m in range(N):
            total += kernel(z, n, m)
        mmd[n] = total / real(N) - real(2) * kernel_to_prior(z, n) + constant


@inner
def kernel(z, n, m):
    """Return k(z_n, z_m)."""
    J = z.shape[1]
    total = z.dtype.type(0)
    for j in range(J):
        difference = z[n, j] - z[m, j]
        total += difference * difference
    return exp(z.dtype.type(-1 / (2 * J)) * total)


@inner
def kernel_to_prior(z, n):
    """Return e(z_n)."""
    J = z.shape[1]
    total = z.dtype.type(0)
    for j in range(J):
        total += z[n, j] * z[n, j]
    factor = z.dtype.type((J / (J + 1)) ** (J / 2))
    return factor * exp(z.dtype.type(-1 / (2 * (J + 1))) * total)


@implements(reference.mmd_backward)
def mmd_backward(z, dz, weight):
    _backward(z, dz, weight)


@parallel
def _backward(z, dz, weight):
    N, J = z.shape
    real = z.dtype.type
    to_others = real(-2 * weight / (N * N * J))
    to_prior = real(2 * weight / (N * (J + 1)))
    for n in prange(N):
        e = kernel_to_prior(z, n)
        for j in range(J):
            dz[n, j] += to_prior * e * z[n, j]
        for m in range(N):
            k = kernel(z, n, m)
            for j in range(J):
                dz[n, j] += to_others * k * (z[n, j] - z[m, j])
