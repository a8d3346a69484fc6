"""Measures of latent codes: what they say about the examples, in nats."""
import numpy as np

from ...errors import ScratchVAEError

BLOCK = 2**22                   # most elements of an array in mutual_information: 32 MiB


def active_units(z_mean, threshold=0.01):
    """Return the number of latent dimensions in use.

    A dimension is in use if its posterior mean has a variance over the examples above the
    threshold. 0 means posterior collapse; the most is the number of dimensions.

    Parameters
    ----------
    z_mean : array of shape (N, J)
        The posterior means of N examples.
    threshold : float, default 0.01

    Returns
    -------
    int

    Source: Burda et al. 2016, section 5.1.
    """
    (z_mean,) = _codes(z_mean)
    return int((z_mean.var(axis=0) > threshold).sum())


def kl_of_dimensions(z_mean, z_log_var):
    """Return the mean KL(q(z_j|x) || N(0, 1)) of each latent dimension in nats, (J,).

    Parameters
    ----------
    z_mean, z_log_var : arrays of shape (N, J)
        The normal posteriors of N examples.

    Source: Kingma & Welling 2014, appendix B.
    """
    z_mean, z_log_var = _codes(z_mean, z_log_var)
    return np.mean(np.square(z_mean) + np.exp(z_log_var) - z_log_var - 1, axis=0) / 2


def mutual_information(z_mean, z_log_var, rng):
    """Return I_q(x; z) in nats: the information in a code about which example it encodes.

        I_q(x; z) = mean_n KL(q(z|x_n) || p(z)) - KL(q(z) || p(z))
                  = mean_n E_q(z|x_n) [log q(z|x_n) - log q(z)],   q(z) = 1/N sum_m q(z|x_m)

    The expectation is estimated with one z for each example. Both logarithms are of the same z, so
    the prior cancels, equal posteriors give 0, and no estimate exceeds log N. Higher is more
    informative; near log N, there may be more information than N examples can show. Memory is
    bounded; time grows with N^2.

    Parameters
    ----------
    z_mean, z_log_var : arrays of shape (N, J)
        The normal posteriors of N examples.
    rng : numpy.random.Generator
        Draws z.

    Returns
    -------
    float

    Raises
    ------
    ScratchVAEError
        If the shapes differ, or are not (N, J).

    Source: Hoffman & Johnson 2016; one sample for each example as in He et al. 2019.
    """
    z_mean, z_log_var = _codes(z_mean, z_log_var)
    N = len(z_mean)
    z = z_mean + np.exp(z_log_var / 2) * rng.standard_normal(z_mean.shape)
    rows = max(1, BLOCK // N)
    blocks = [_information(z[i:i + rows], z_mean, z_log_var, i) for i in range(0, N, rows)]
    return float(np.concatenate(blocks).mean())


def importance_weighted(log_weights):
    """Return the importance-weighted bound of log p(x) in nats, log 1/K sum_k w_k, float64 (N,).

    log_weights (K, N) are log w_k = log p(x, z_k) - log q(z_k|x) for K codes of each of N examples.
    The bound rises to log p(x) with the number of codes. Source: Burda et al. 2016, equation 8.
    """
    log_weights = np.asarray(log_weights, dtype=np.float64)
    if log_weights.ndim != 2 or not len(log_weights):
        raise ScratchVAEError("importance_weighted: log_weights must have shape (codes, examples), "
                              f"got {log_weights.shape}")
    return _log_mean_exp(log_weights, axis=0)


def _information(z, z_mean, z_log_var, first):
    """Return log q(z|x_n) - log q(z) (R,) of codes z (R, J), those of examples `first` and on."""
    precision = np.exp(-z_log_var)
    # log q(z_r|x_m) = -1/2 sum_j ((z - mean)^2 / variance + log variance) + constant. The square is
    # multiplied out, and the constant cancels in the difference below.
    constant = (np.square(z_mean) * precision + z_log_var).sum(axis=1)
    log_q = z @ (z_mean * precision).T - 0.5 * (np.square(z) @ precision.T + constant)
    return np.diagonal(log_q, first) - _log_mean_exp(log_q, axis=1)


def _log_mean_exp(a, axis):
    """Return log(mean(exp(a))) along an axis."""
    return np.logaddexp.reduce(a, axis=axis) - np.log(a.shape[axis])


def _codes(*arrays):
    """Return arrays as float64; raise an error unless all have one shape (N, J), without zeros."""
    arrays = [np.asarray(array, dtype=np.float64) for array in arrays]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 2 or not arrays[0].size:
        raise ScratchVAEError("latent codes must have shape (examples, dimensions), "
                              f"got {' and '.join(map(str, sorted(shapes)))}")
    return arrays
