"""Optimizers on flat arrays, with the exact update rules of Keras 3.

All arrays are one-dimensional and of one length. Parameters and running averages are updated in
place.
"""
import numpy as np

from ..operation import operation


@operation("parameters+=P gradients=P velocity+=P", learning_rate=(0.1,), momentum=(0.9, 0.0))
def sgd_update(parameters, gradients, velocity, learning_rate, momentum):
    """velocity = momentum * velocity - learning_rate * g;  w += velocity."""
    velocity *= momentum
    velocity -= learning_rate * gradients
    flush_denormals(velocity)
    parameters += velocity


@operation("parameters+=P gradients=P v+=P:positive", learning_rate=(0.1,), rho=(0.9,),
           epsilon=(1e-7,))
def rmsprop_update(parameters, gradients, v, learning_rate, rho, epsilon):
    """v = rho v + (1 - rho) g^2;  w -= learning_rate * g / sqrt(v + epsilon).

    Tieleman & Hinton 2012.
    """
    v *= rho
    v += (1 - rho) * np.square(gradients)
    flush_denormals(v)
    parameters -= learning_rate * gradients / np.sqrt(v + epsilon)


@operation("parameters+=P gradients=P m+=P v+=P:positive", learning_rate=(0.1,), beta_1=(0.8,),
           beta_2=(0.97,), epsilon=(1e-7,), step=(3, 1))
def adam_update(parameters, gradients, m, v, learning_rate, beta_1, beta_2, epsilon, step):
    """Adam (Kingma & Ba 2015, section 2, the form of the last paragraph). step counts from 1.

    m += (1 - beta_1) (g - m);  v += (1 - beta_2) (g^2 - v);  w -= alpha m / (sqrt(v) + epsilon),
    alpha = learning_rate sqrt(1 - beta_2^step) / (1 - beta_1^step).
    """
    m += (1 - beta_1) * (gradients - m)
    v += (1 - beta_2) * (np.square(gradients) - v)
    flush_denormals(m)
    flush_denormals(v)
    alpha = learning_rate * (1 - beta_2 ** step) ** 0.5 / (1 - beta_1 ** step)
    parameters -= alpha * m / (np.sqrt(v) + epsilon)


def clip_by_global_norm_scratch(P, dtype):
    """Return the work space for the norm: NumPy needs none."""
    return None


@operation("gradients+=P", clipnorm=(0.5, 1e6))
def clip_by_global_norm(gradients, clipnorm, scratch):
    """g *= clipnorm / |g| if the norm |g| of all gradients together exceeds clipnorm.

    Pascanu et al. 2013.
    """
    norm = np.sqrt(np.square(gradients, dtype=np.float64).sum())
    if norm > clipnorm:
        gradients *= clipnorm / norm


def flush_denormals(average):
    """Set to zero what decayed below the normal range: processors are slow on such numbers."""
    average[np.abs(average) < np.finfo(average.dtype).tiny] = 0
