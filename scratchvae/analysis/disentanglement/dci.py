"""Disentanglement, completeness, informativeness (Eastwood & Williams 2018, "A framework for the
quantitative evaluation of disentangled representations", section 2).

A model predicts each factor k from the whole code, and says how important each dimension j was for
it, R_jk >= 0. With the shares of a row, P_jk = R_jk / sum_k R_jk, and of a column, Q_jk,

    disentanglement  = sum_j w_j (1 - H_K(P_j)),   w_j = sum_k R_jk / sum R
    completeness     = mean_k (1 - H_J(Q_k))

where H_K is the entropy to the base K.
"""
from typing import NamedTuple

import numpy as np

from ...errors import ScratchVAEError
from .codes import check

TREES = 20
LEAF = 5                        # examples in a leaf, at least


class DCI(NamedTuple):
    """The result of dci: three numbers, 1 at best."""

    disentanglement: float
    completeness: float
    informativeness: float


def dci(codes, factors, categorical, seed=0):
    """Return disentanglement, completeness and informativeness, with random forests.

    Importances are the forests' decrease in impurity, as in the paper. Half of the examples, drawn
    at random, train; the others test.

    Parameters
    ----------
    codes : array (N, J)
    factors : int array (N, K)
        Values counted from 0.
    categorical : sequence of K bool
        Which factors are classes; the others are quantities.
    seed : int, default 0

    Returns
    -------
    DCI
        The first two are from 0 to 1. Informativeness is the mean over the factors of R^2 for a
        quantity, at most 1 and about 0 at chance, and of the accuracy for a class. The paper has
        the error in its place: sqrt(1 - R^2).

    Raises
    ------
    ScratchVAEError
        If scikit-learn is not installed.
    """
    codes, factors = check(codes, factors)
    try:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    except ImportError:
        raise ScratchVAEError("dci needs scikit-learn: pip install 'scratchvae[sklearn]'") from None
    order = np.random.default_rng(seed).permutation(len(codes))
    train, test = np.array_split(order, 2)
    importances = []
    told = []
    for factor, is_class in zip(factors.T, categorical, strict=True):
        kind = RandomForestClassifier if is_class else RandomForestRegressor
        # All dimensions compete for each split: otherwise useless ones win some of them.
        forest = kind(TREES, max_features=None, min_samples_leaf=LEAF, random_state=seed)
        forest.fit(codes[train], factor[train])
        importances.append(forest.feature_importances_)
        told.append(forest.score(codes[test], factor[test]))
    return DCI(*from_importances(np.array(importances).T), float(np.mean(told)))


def from_importances(R):
    """Return disentanglement and completeness of importances R (J, K)."""
    weights = R.sum(axis=1) / (R.sum() or 1)
    return float(weights @ concentration(R)), float(np.mean(concentration(R.T)))


def concentration(R):
    """Return 1 - H of the shares of each row, the entropy to the base of their number.

    It is 0 for a row of zeros, and 1 if there is a single share.
    """
    total = R.sum(axis=1, keepdims=True)
    shares = R / np.where(total > 0, total, 1)
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    entropy = -np.sum(shares * logs, axis=1) / (np.log(R.shape[1]) or 1)
    return np.where(total[:, 0] > 0, 1 - entropy, 0)
