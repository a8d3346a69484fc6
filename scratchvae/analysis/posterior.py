"""The codes of all examples together, the aggregate posterior, against the prior."""
import numpy as np

from . import metrics


def mean_kl(z_mean, z_log_var):
    """Return the mean of KL(q(z|x) || N(0, 1)) over posteriors (N, J), in nats."""
    z_mean, z_log_var = (np.asarray(code, np.float64) for code in (z_mean, z_log_var))
    kl = np.square(z_mean) + np.exp(z_log_var) - 1 - z_log_var
    return float(kl.sum(axis=1).mean() / 2)


def information_and_gap(z_mean, z_log_var, rng):
    """Return the two parts of the mean KL divergence, in nats:

        mean of KL(q(z|x) || p(z)) = I_q(x; z) + KL(q(z) || p(z)),   q(z) = 1/N sum_n q(z|x_n).

    The first is the information of the code about its image. The second is what lies between the
    codes of all images together and the prior: 0 if both are one distribution. Above 0, samples of
    the prior fall where the decoder has seen no codes.

    The information is estimated, and estimates never exceed log N (see metrics.mutual_information).
    Near log N it is too low, and the second part too high.

    Parameters
    ----------
    z_mean, z_log_var : arrays of shape (N, J)
    rng : numpy.random.Generator

    Returns
    -------
    (float, float)

    Source: Hoffman & Johnson 2016.
    """
    information = metrics.mutual_information(z_mean, z_log_var, rng)
    return information, mean_kl(z_mean, z_log_var) - information
