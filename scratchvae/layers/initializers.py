"""How parameters start, with Keras's names and formulas.  Each takes a shape and a NumPy generator and returns float64."""
import numpy as np
from threadpoolctl import threadpool_limits

from ..errors import ScratchVAEError


def zeros(shape, rng):
    """All 0."""
    return np.zeros(shape)


def ones(shape, rng):
    """All 1."""
    return np.ones(shape)


def random_uniform(shape, rng):
    """U(-0.05, 0.05), Keras's choice for embeddings."""
    return rng.uniform(-0.05, 0.05, shape)


def glorot_uniform(shape, rng):
    """U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out))   (Glorot & Bengio 2010).

    The fans are the last two axes, times the size of the axes before them (a convolution's window).
    """
    window = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape)


def orthogonal(shape, rng):
    """Orthonormal rows or columns, from the QR decomposition of a normal matrix with its signs fixed (Saxe et al. 2014)."""
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    with threadpool_limits(1):              # more threads only wait for each other in it, some for seconds
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return (q.T if rows < columns else q).reshape(shape)


INITIALIZERS = {function.__name__: function for function in (glorot_uniform, ones, orthogonal, random_uniform, zeros)}


def get(name):
    """The initializer of that name."""
    if name not in INITIALIZERS:
        raise ScratchVAEError(f"unknown initializer {name!r}; there are: {', '.join(INITIALIZERS)}")
    return INITIALIZERS[name]
