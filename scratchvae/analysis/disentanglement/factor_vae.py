"""The score of Kim & Mnih 2018, "Disentangling by factorising", section 4.

A factor is drawn, and L examples that share one value of it. Each dimension of their codes is
divided by its standard deviation over all examples; the one that varies least should be that of the
factor. Each such vote is (dimension, factor), and the classifier says for a dimension the factor
that most votes have.
"""
import numpy as np

from .codes import Alike, check

ALIKE = 64                      # L
VOTES = 800                     # that make the classifier, and as many others that test it
LEAST_VARIANCE = 0.05           # of a dimension that takes part, as in Locatello et al. 2019


def factor_vae_score(codes, factors, seed=0):
    """Return the accuracy of the majority vote on votes that did not make it.

    Parameters
    ----------
    codes : array (N, J)
        In the units of the prior N(0, 1): dimensions with a variance below 0.05 are not used by the
        model, and take no part.
    factors : int array (N, K)
        Values counted from 0.
    seed : int, default 0

    Returns
    -------
    float
        From about 1/K, chance, to 1: each factor has a dimension that depends on nothing else.
    """
    codes, factors = check(codes, factors)
    K = factors.shape[1]
    variance = codes.var(axis=0)
    used = variance >= LEAST_VARIANCE
    if not used.any():
        return 1 / K
    codes = codes[:, used] / np.sqrt(variance[used])
    rng = np.random.default_rng(seed)
    fixed = rng.integers(0, K, 2 * VOTES)
    steadiest = np.empty(len(fixed), np.int64)
    for k in range(K):
        chosen = fixed == k
        first = rng.integers(0, len(codes), (chosen.sum(), 1))
        group = Alike(factors[:, k]).draw(np.repeat(first, ALIKE, axis=1), rng)
        steadiest[chosen] = np.argmin(codes[group].var(axis=1), axis=1)
    votes = np.zeros((codes.shape[1], K), np.int64)
    np.add.at(votes, (steadiest[:VOTES], fixed[:VOTES]), 1)
    answers = np.argmax(votes, axis=1)[steadiest[VOTES:]]
    return float(np.mean(answers == fixed[VOTES:]))
