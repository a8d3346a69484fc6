"""How parameters start, with Keras's names and formulas.

Each function takes a shape and a NumPy generator and returns an array of float64.
"""
import numpy as np
from threadpoolctl import threadpool_limits

from ..errors import ScratchVAEError


def zeros(shape, rng):
    """Return zeros."""
    return np.zeros(shape)


def ones(shape, rng):
    """Return ones."""
    return np.ones(shape)


def random_uniform(shape, rng):
    """Return numbers from U(-0.05, 0.05), Keras's choice for embeddings."""
    return rng.uniform(-0.05, 0.05, shape)


def glorot_uniform(shape, rng):
    """Return numbers from U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out)).

    The fans are the last two axes, times the sizes of the axes before them (the window of a
    convolution). Glorot & Bengio 2010.
    """
    window = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape)


def orthogonal(shape, rng):
    """Return orthonormal rows or columns: Q of a normal matrix, with the signs of R's diagonal.

    Saxe et al. 2014.
    """
    rows = int(np.prod(shape[:-1]))
    columns = shape[-1]
    normal = rng.standard_normal((max(rows, columns), min(rows, columns)))
    with threadpool_limits(1):              # more threads only wait for each other here
        q, r = np.linalg.qr(normal)
    q *= np.sign(np.diag(r))
    return (q.T if rows < columns else q).reshape(shape)


INITIALIZERS = {function.__name__: function
                for function in (glorot_uniform, ones, orthogonal, random_uniform, zeros)}


def get(name):
    """Return the initializer of that name."""
    if name not in INITIALIZERS:
        raise ScratchVAEError(f"unknown initializer {name!r}; "
                              f"allowed: {', '.join(INITIALIZERS)}")
    return INITIALIZERS[name]


def checked(name):
    """Return the name, if there is an initializer of that name."""
    get(name)
    return name
