"""Separated attribute predictability (Kumar et al. 2018, "Variational inference of disentangled
latent concepts from unlabeled observations", section 3).

S_jk says how well dimension j alone tells factor k. SAP is the mean over the factors of the largest
S_jk minus the second largest:

    of a quantity, S_jk is the squared correlation, the R^2 of a line;
    of a class, S_jk is the balanced accuracy of the best thresholds, an interval for each class.
"""
from itertools import permutations

import numpy as np

from ... import checks
from ...errors import ScratchVAEError
from .codes import check

MOST_CLASSES = 6                # their orders along a dimension are all tried


def sap(codes, factors, categorical):
    """Return SAP, the mean over the factors.

    Parameters
    ----------
    codes : array (N, J)
    factors : int array (N, K)
        Values counted from 0.
    categorical : sequence of K bool
        Which factors are classes; the others are quantities.

    Returns
    -------
    float
        From 0, near which a code that knows nothing is, to 1. A class counts at most
        1 - 1/classes, as chance has the accuracy 1/classes.
    """
    scores = predictability(codes, factors, categorical)
    # A dimension that knows nothing stands for the next one of a single dimension.
    nothing = [1 / (factor.max() + 1) if is_class else 0
               for factor, is_class in zip(np.asarray(factors).T, categorical)]
    *_, second, first = np.sort(np.vstack((nothing, scores)), axis=0)
    return float(np.mean(first - second))


def predictability(codes, factors, categorical):
    """Return S (J, K): how well each dimension alone tells each factor; see sap."""
    codes, factors = check(codes, factors)
    if len(categorical) != factors.shape[1]:
        raise ScratchVAEError(f"sap: categorical must have {factors.shape[1]} values, one for each "
                              f"factor, got {len(categorical)}")
    columns = [[balanced_accuracy(code, factor) for code in codes.T] if is_class
               else [squared_correlation(code, factor) for code in codes.T]
               for factor, is_class in zip(factors.T, categorical)]
    return np.array(columns).T


def squared_correlation(code, factor):
    """Return Cov(code, factor)^2 / Var(code) Var(factor); 0 of a code that is constant."""
    code = code - code.mean()
    factor = factor - factor.mean()
    spread = np.sum(code ** 2) * np.sum(factor ** 2)
    return np.sum(code * factor) ** 2 / spread if spread else 0.0


def balanced_accuracy(code, factor):
    """Return the mean over C classes of the part that the best C - 1 thresholds put right.

    In some order of the classes, class c has the codes from threshold t_(c-1) to t_c. With F_c(t)
    the part of class c at or below t, the sum of the parts that are right,
    F_1(t_1) + (F_2(t_2) - F_2(t_1)) + ..., is 1 plus a term for each threshold,
    F_c(t_c) - F_(c+1)(t_c). The best thresholds up to each place follow from those before them.
    """
    classes = checks.integer("sap", "classes", factor.max() + 1)
    if classes > MOST_CLASSES:
        raise ScratchVAEError(f"sap: a class may have at most {MOST_CLASSES} values, got {classes}")
    order = np.argsort(code, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(code[order])), len(code) - 1)   # not between equals
    right = factor[order, np.newaxis] == np.arange(classes)
    below = np.cumsum(right, axis=0)[ends] / np.maximum(right.sum(axis=0), 1)     # F_c(t)
    below = np.vstack((np.zeros(classes), below))
    best = 0.0
    for ordered in permutations(range(classes)):
        reached = np.zeros(len(below))
        for c, following in zip(ordered, ordered[1:]):
            reached = np.maximum.accumulate(reached + below[:, c] - below[:, following])
        best = max(best, 1 + reached[-1])
    return best / classes
