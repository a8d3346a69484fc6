"""Optimizers on flat arrays on the device, a thread for each parameter. See
reference/optimizers.py for the update rules.
"""
import math

import numpy as np
from numba import cuda

from ..reference import optimizers as reference
from .arrays import empty
from .device import blocks, implements, launch, launch_each
from .reduction import block_sum

PARTS = 64                      # at most, of the gradients: a block sums up one of them
ENOUGH = 8192                   # gradients that are worth a block


def _tiny(array):
    """Return the smallest number of the normal range."""
    return float(np.finfo(array.dtype).tiny)


@cuda.jit(device=True)
def _flush(average, tiny):
    """Return zero for what has decayed below the normal range, as in the other backends."""
    return average - average if abs(average) < tiny else average


@implements(reference.sgd_update)
def sgd_update(parameters, gradients, velocity, learning_rate, momentum):
    launch_each(_sgd, parameters.size, parameters, gradients, velocity, learning_rate, momentum,
                _tiny(parameters))


@cuda.jit
def _sgd(parameters, gradients, velocity, learning_rate, momentum, tiny):
    i = cuda.grid(1)
    if i < parameters.size:
        real = parameters.dtype.type
        moved = real(momentum) * velocity[i] - real(learning_rate) * gradients[i]
        velocity[i] = _flush(moved, tiny)
        parameters[i] += velocity[i]


@implements(reference.rmsprop_update)
def rmsprop_update(parameters, gradients, v, learning_rate, rho, epsilon):
    launch_each(_rmsprop, parameters.size, parameters, gradients, v, learning_rate, rho, epsilon,
                _tiny(parameters))


@cuda.jit
def _rmsprop(parameters, gradients, v, learning_rate, rho, epsilon, tiny):
    i = cuda.grid(1)
    if i < parameters.size:
        real = parameters.dtype.type
        g = gradients[i]
        v[i] = _flush(real(rho) * v[i] + real(1 - rho) * g * g, tiny)
        parameters[i] -= real(learning_rate) * g / math.sqrt(v[i] + real(epsilon))


@implements(reference.adam_update)
def adam_update(parameters, gradients, m, v, learning_rate, beta_1, beta_2, epsilon, step):
    alpha = learning_rate * (1 - beta_2 ** step) ** 0.5 / (1 - beta_1 ** step)
    launch_each(_adam, parameters.size, parameters, gradients, m, v, alpha, 1 - beta_1, 1 - beta_2,
                epsilon, _tiny(parameters))


@cuda.jit
def _adam(parameters, gradients, m, v, alpha, one_minus_beta_1, one_minus_beta_2, epsilon, tiny):
    i = cuda.grid(1)
    if i < parameters.size:
        real = parameters.dtype.type
        g = gradients[i]
        m[i] = _flush(m[i] + real(one_minus_beta_1) * (g - m[i]), tiny)
        v[i] = _flush(v[i] + real(one_minus_beta_2) * (g * g - v[i]), tiny)
        parameters[i] -= real(alpha) * m[i] / (math.sqrt(v[i]) + real(epsilon))


@implements(reference.decay_weights)
def decay_weights(parameters, rate):
    launch_each(_decay, parameters.size, parameters, rate)


@cuda.jit
def _decay(parameters, rate):
    i = cuda.grid(1)
    if i < parameters.size:
        parameters[i] -= parameters.dtype.type(rate) * parameters[i]


def clip_by_global_norm_scratch(P, dtype):
    """Return the work space for the norm: a sum for each part."""
    return empty(PARTS, "float64")


@implements(reference.clip_by_global_norm)
def clip_by_global_norm(gradients, clipnorm, scratch):
    parts = min(PARTS, blocks(gradients.size, ENOUGH))
    launch(_sum_squares, parts, gradients, scratch)
    launch_each(_clip, gradients.size, gradients, scratch, parts, clipnorm)


@cuda.jit
def _sum_squares(gradients, sums):
    """A block for each part: the number of parts, and so the order of the sums, follows from the
    number of gradients."""
    total = 0.0
    for i in range(cuda.grid(1), gradients.size, cuda.gridsize(1)):
        total += float(gradients[i]) * float(gradients[i])      # a square may overflow in float32
    total = block_sum(total)
    if cuda.threadIdx.x == 0:
        sums[cuda.blockIdx.x] = total


@cuda.jit
def _clip(gradients, sums, parts, clipnorm):
    """Every thread adds up the few parts itself, which saves a launch."""
    total = 0.0
    for part in range(parts):
        total += sums[part]
    norm = math.sqrt(total)
    i = cuda.grid(1)
    if i < gradients.size and norm > clipnorm:
        gradients[i] *= gradients.dtype.type(clipnorm / norm)
