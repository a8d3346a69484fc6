"""Optimizers on flat arrays, in Numba: a thread takes a chunk. See reference/optimizers.py for the
update rules.
"""
import numpy as np
from numba import prange

from ..operation import implements
from ..reference import optimizers as reference
from .jit import CHUNK, chunk_count, inner, parallel

PARTS = 64                      # of the gradients, each summed by one thread: one order of sums


@implements(reference.sgd_update)
def sgd_update(parameters, gradients, velocity, learning_rate, momentum):
    tiny = np.finfo(parameters.dtype).tiny
    _sgd(parameters, gradients, velocity, learning_rate, momentum, tiny)


@parallel
def _sgd(parameters, gradients, velocities, learning_rate, momentum, tiny):
    real = parameters.dtype.type
    learning_rate = real(learning_rate)
    momentum = real(momentum)
    tiny = real(tiny)
    for chunk in prange(chunk_count(parameters.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        w = parameters[here]
        g = gradients[here]
        velocity = velocities[here]
        for i in range(w.size):
            velocity[i] = flush(momentum * velocity[i] - learning_rate * g[i], tiny)
            w[i] += velocity[i]


@implements(reference.rmsprop_update)
def rmsprop_update(parameters, gradients, v, learning_rate, rho, epsilon):
    tiny = np.finfo(parameters.dtype).tiny
    _rmsprop(parameters, gradients, v, learning_rate, rho, epsilon, tiny)


@parallel
def _rmsprop(parameters, gradients, averages, learning_rate, rho, epsilon, tiny):
    real = parameters.dtype.type
    learning_rate = real(learning_rate)
    one_minus_rho = real(1 - rho)
    rho = real(rho)
    epsilon = real(epsilon)
    tiny = real(tiny)
    for chunk in prange(chunk_count(parameters.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        w = parameters[here]
        g = gradients[here]
        v = averages[here]
        for i in range(w.size):
            v[i] = flush(rho * v[i] + one_minus_rho * g[i] * g[i], tiny)
            w[i] -= learning_rate * g[i] / np.sqrt(v[i] + epsilon)


@implements(reference.adam_update)
def adam_update(parameters, gradients, m, v, learning_rate, beta_1, beta_2, epsilon, step):
    alpha = learning_rate * (1 - beta_2 ** step) ** 0.5 / (1 - beta_1 ** step)
    tiny = np.finfo(parameters.dtype).tiny
    _adam(parameters, gradients, m, v, alpha, 1 - beta_1, 1 - beta_2, epsilon, tiny)


@parallel
def _adam(parameters, gradients, first_moments, second_moments, alpha, one_minus_beta_1,
          one_minus_beta_2, epsilon, tiny):
    real = parameters.dtype.type
    alpha = real(alpha)
    one_minus_beta_1 = real(one_minus_beta_1)
    one_minus_beta_2 = real(one_minus_beta_2)
    epsilon = real(epsilon)
    tiny = real(tiny)
    for chunk in prange(chunk_count(parameters.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        w = parameters[here]
        g = gradients[here]
        m = first_moments[here]
        v = second_moments[here]
        for i in range(w.size):
            m[i] = flush(m[i] + one_minus_beta_1 * (g[i] - m[i]), tiny)
            v[i] = flush(v[i] + one_minus_beta_2 * (g[i] * g[i] - v[i]), tiny)
            w[i] -= alpha * m[i] / (np.sqrt(v[i]) + epsilon)


@implements(reference.decay_weights)
def decay_weights(parameters, rate):
    _decay(parameters, rate)


@parallel
def _decay(parameters, rate):
    rate = parameters.dtype.type(rate)
    for chunk in prange(chunk_count(parameters.size)):
        w = parameters[chunk * CHUNK:(chunk + 1) * CHUNK]
        for i in range(w.size):
            w[i] -= rate * w[i]


@inner
def flush(average, tiny):
    """Return zero for an average below the normal range, where processors are far slower."""
    return average - average if abs(average) < tiny else average        # NaN stays NaN


def clip_by_global_norm_scratch(P, dtype):
    """Return the work space for the norm: a sum for each part."""
    return np.empty(PARTS)


@implements(reference.clip_by_global_norm)
def clip_by_global_norm(gradients, clipnorm, scratch):
    _sums_of_squares(gradients, scratch)
    norm = np.sqrt(scratch.sum())
    if norm > clipnorm:
        _scale(gradients, clipnorm / norm)


@parallel
def _sums_of_squares(gradients, sums):
    length = (gradients.size + PARTS - 1) // PARTS
    for part in prange(PARTS):
        sums[part] = 0
        for chunk in range(chunk_count(length)):
            start = part * length + chunk * CHUNK
            total = 0.0
            g = gradients[start:min(start + CHUNK, (part + 1) * length)]
            for i in range(g.size):
                total += np.float64(g[i]) * np.float64(g[i])    # may be too large for float32
            sums[part] += total


@parallel
def _scale(gradients, factor):
    factor = gradients.dtype.type(factor)
    for chunk in prange(chunk_count(gradients.size)):
        g = gradients[chunk * CHUNK:(chunk + 1) * CHUNK]
        for i in range(g.size):
            g[i] *= factor
