"""The latent variable on the device. See reference/reparameterize.py for the mathematics."""
import math

from numba import cuda

from ..reference import reparameterize as reference
from .device import implements, launch, launch_each
from .reduction import block_sum


@implements(reference.reparameterize_forward)
def reparameterize_forward(z_mean, z_log_var, eps, z):
    launch_each(_reparameterize_forward, z.size, z_mean, z_log_var, eps, z)


@cuda.jit
def _reparameterize_forward(z_mean, z_log_var, eps, z):
    i = cuda.grid(1)
    if i < z.size:
        n = i // z.shape[1]
        j = i % z.shape[1]
        half = z.dtype.type(0.5)
        z[n, j] = z_mean[n, j] + math.exp(half * z_log_var[n, j]) * eps[n, j]


@implements(reference.reparameterize_backward)
def reparameterize_backward(dz, z_log_var, eps, dz_mean, dz_log_var):
    launch_each(_reparameterize_backward, dz.size, dz, z_log_var, eps, dz_mean, dz_log_var)


@cuda.jit
def _reparameterize_backward(dz, z_log_var, eps, dz_mean, dz_log_var):
    i = cuda.grid(1)
    if i < dz.size:
        n = i // dz.shape[1]
        j = i % dz.shape[1]
        half = dz.dtype.type(0.5)
        dz_mean[n, j] = dz[n, j]
        dz_log_var[n, j] = dz[n, j] * math.exp(half * z_log_var[n, j]) * eps[n, j] * half


@implements(reference.gaussian_kl_forward)
def gaussian_kl_forward(z_mean, z_log_var, kl):
    launch_each(_gaussian_kl_forward, kl.size, z_mean, z_log_var, kl)


@cuda.jit
def _gaussian_kl_forward(z_mean, z_log_var, kl):
    n = cuda.grid(1)
    if n < kl.size:
        one = kl.dtype.type(1)
        half = kl.dtype.type(0.5)
        total = kl.dtype.type(0)
        for j in range(z_mean.shape[1]):
            total += one + z_log_var[n, j] - z_mean[n, j] * z_mean[n, j] - math.exp(z_log_var[n, j])
        kl[n] = -half * total


@implements(reference.gaussian_kl_backward)
def gaussian_kl_backward(z_mean, z_log_var, dz_mean, dz_log_var, weight, free_bits):
    launch(_gaussian_kl_backward, z_mean.shape[1], z_mean, z_log_var, dz_mean, dz_log_var, weight,
           free_bits)


@cuda.jit
def _gaussian_kl_backward(z_mean, z_log_var, dz_mean, dz_log_var, weight, free_bits):
    """A block for each dimension."""
    j = cuda.blockIdx.x
    N = z_mean.shape[0]
    one = z_mean.dtype.type(1)
    half = z_mean.dtype.type(0.5)
    factor = z_mean.dtype.type(weight / N)
    total = 0.0
    for n in range(cuda.threadIdx.x, N, cuda.blockDim.x):
        total += math.exp(z_log_var[n, j]) + z_mean[n, j] * z_mean[n, j] - z_log_var[n, j] - one
    kl = block_sum(total) / 2
    if kl >= free_bits * N or free_bits == 0:           # rounding may take a KL of 0 below 0
        for n in range(cuda.threadIdx.x, N, cuda.blockDim.x):
            dz_mean[n, j] += factor * z_mean[n, j]
            dz_log_var[n, j] += factor * half * (math.exp(z_log_var[n, j]) - one)
