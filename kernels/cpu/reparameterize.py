"""The latent variable in Numba, on one thread: the arrays are small. See
reference/reparameterize.py for the mathematics.
"""
from ..operation import implements
from ..reference import reparameterize as reference
from .elementary import exp
from .jit import jit


@implements(reference.reparameterize_forward)
def reparameterize_forward(z_mean, z_log_var, eps, z):
    _reparameterize_forward(z_mean, z_log_var, eps, z)


@jit
def _reparameterize_forward(z_mean, z_log_var, eps, z):
    half = z.dtype.type(0.5)
    for n in range(z.shape[0]):
        for j in range(z.shape[1]):
            z[n, j] = z_mean[n, j] + exp(half * z_log_var[n, j]) * eps[n, j]


@implements(reference.reparameterize_backward)
def reparameterize_backward(dz, z_log_var, eps, dz_mean, dz_log_var):
    _reparameterize_backward(dz, z_log_var, eps, dz_mean, dz_log_var)


@jit
def _reparameterize_backward(dz, z_log_var, eps, dz_mean, dz_log_var):
    half = dz.dtype.type(0.5)
    for n in range(dz.shape[0]):
        for j in range(dz.shape[1]):
            dz_mean[n, j] = dz[n, j]
            dz_log_var[n, j] = dz[n, j] * exp(half * z_log_var[n, j]) * eps[n, j] * half


@implements(reference.gaussian_kl_forward)
def gaussian_kl_forward(z_mean, z_log_var, kl):
    _gaussian_kl_forward(z_mean, z_log_var, kl)


@jit
def _gaussian_kl_forward(z_mean, z_log_var, kl):
    one = kl.dtype.type(1)
    half = kl.dtype.type(0.5)
    for n in range(z_mean.shape[0]):
        total = kl.dtype.type(0)
        for j in range(z_mean.shape[1]):
            total += one + z_log_var[n, j] - z_mean[n, j] * z_mean[n, j] - exp(z_log_var[n, j])
        kl[n] = -half * total


@implements(reference.gaussian_kl_backward)
def gaussian_kl_backward(z_mean, z_log_var, dz_mean, dz_log_var, weight, free_bits):
    _gaussian_kl_backward(z_mean, z_log_var, dz_mean, dz_log_var, weight, free_bits)


@jit
def _gaussian_kl_backward(z_mean, z_log_var, dz_mean, dz_log_var, weight, free_bits):
    N, J = z_mean.shape
    real = z_mean.dtype.type
    one = real(1)
    half = real(0.5)
    factor = real(weight / N)
    for j in range(J):
        total = real(0)                     # twice the KL of dimension j, summed over the batch
        for n in range(N if free_bits > 0 else 0):
            total += exp(z_log_var[n, j]) + z_mean[n, j] * z_mean[n, j] - z_log_var[n, j] - one
        if half * total >= free_bits * N:
            for n in range(N):
                dz_mean[n, j] += factor * z_mean[n, j]
                dz_log_var[n, j] += factor * half * (exp(z_log_var[n, j]) - one)
