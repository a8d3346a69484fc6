"""The mutual information gap (Chen et al. 2018, "Isolating sources of disentanglement", section 4).

A factor v is well kept if one latent dimension knows much about it, and no other knows any of it:

    MIG = 1/K sum_k (I(z_j; v_k) - max over the other dimensions i of I(z_i; v_k)) / H(v_k),
    j the dimension with the largest I(z_j; v_k).
"""
import numpy as np

from ... import checks
from .codes import check

BINS = 20


def mig(codes, factors, bins=BINS):
    """Return the mutual information gap, the mean over the factors.

    The paper draws z from its posterior; here z is its mean, in bins of equal width from the
    smallest to the largest code of each dimension, as Locatello et al. 2019 have it. A dimension
    can then tell at most log(bins) nats, so a factor with more values than bins counts less than 1.

    Parameters
    ----------
    codes : array (N, J)
    factors : int array (N, K)
        Values counted from 0.
    bins : int, default 20

    Returns
    -------
    float
        From 0 to 1. A code that knows nothing has nearly 0, and so has a factor that is spread over
        several dimensions.
    """
    information, entropy = factor_information(codes, factors, bins)
    alone = np.zeros((1, information.shape[1]))         # a single dimension has no next one
    *_, second, first = np.sort(np.concatenate((alone, information)), axis=0)
    return float(np.mean((first - second) / entropy))


def factor_information(codes, factors, bins=BINS):
    """Return the mutual information of each dimension and factor, and the factors' entropies.

    Parameters
    ----------
    codes : array (N, J)
    factors : int array (N, K)
    bins : int, default 20

    Returns
    -------
    float array (J, K), float array (K,)
        In nats: I(z_j; v_k) from the relative frequencies, and H(v_k). Chance gives some
        (bins - 1) (values - 1) / 2N nats too many.
    """
    codes, factors = check(codes, factors)
    bins = checks.integer("mig", "bins", bins, 2)
    binned = [discretised(code, bins) for code in codes.T]
    information = [[shared(code, factor) for factor in factors.T] for code in binned]
    return np.array(information), np.array([shared(factor, factor) for factor in factors.T])


def discretised(code, bins):
    """Return the bin of each number of an array (N,), int; one that is constant has one bin."""
    low = code.min()
    width = (code.max() - low) or 1
    return np.minimum((code - low) / width * bins, bins - 1).astype(np.int64)


def shared(a, b):
    """Return I(a; b) = sum p(a, b) log p(a, b) / p(a) p(b) in nats, of whole numbers (N,)."""
    counts = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(counts, (a, b), 1)
    joint = counts / len(a)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    there = joint > 0
    return np.sum(joint[there] * np.log(joint[there] / apart[there]))
