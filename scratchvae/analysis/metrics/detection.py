"""Measures of scores that tell two kinds of examples apart."""
import numpy as np

from ...errors import ScratchVAEError


def roc_curve(scores, positive):
    """Return the ROC curve of scores that should be higher for positive examples.

    Parameters
    ----------
    scores : array of shape (N,)
    positive : bool array of shape (N,)

    Returns
    -------
    (array, array)
        The parts of the negative and of the positive examples with a score of at least a
        threshold, from (0, 0) to (1, 1): one point for each distinct score.

    Raises
    ------
    ScratchVAEError
        If the lengths differ, a score is NaN, or all examples are of one kind.
    """
    scores, positive = _two_kinds(scores, positive, "roc_curve")
    values, places = np.unique(-scores, return_inverse=True)
    positives = np.bincount(places, positive, len(values)).cumsum()
    negatives = np.bincount(places, ~positive, len(values)).cumsum()
    return (np.append(0, negatives) / negatives[-1], np.append(0, positives) / positives[-1])


def roc_area(scores, positive):
    """Return the area under the ROC curve, by Mann and Whitney's U.

    It is the probability that a positive example has a higher score than a negative one, where
    equal scores count half: with P positive and M negative examples,

        area = U / (P M),   U = sum of the ranks of the positive examples - P (P + 1) / 2.

    Equal scores share the mean of their ranks. 0.5 is chance; below it, negative examples have the
    higher scores.

    Parameters
    ----------
    scores : array of shape (N,)
    positive : bool array of shape (N,)

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ScratchVAEError
        If the lengths differ, a score is NaN, or all examples are of one kind.

    Source: Mann & Whitney 1947; Hanley & McNeil 1982.
    """
    scores, positive = _two_kinds(scores, positive, "roc_area")
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = counts.cumsum()                              # the highest rank of each distinct score
    ranks = (last - (counts - 1) / 2)[places]
    P = positive.sum()
    U = ranks[positive].sum() - P * (P + 1) / 2
    return float(U / (P * (len(scores) - P)))


def _two_kinds(scores, positive, name):
    """Return both as arrays; raise an error unless there are examples of both kinds."""
    scores = np.asarray(scores, dtype=np.float64)
    positive = np.asarray(positive, dtype=bool)
    if scores.ndim != 1 or scores.shape != positive.shape:
        raise ScratchVAEError(f"{name}: scores and positive must have the same shape (N,), "
                              f"got {scores.shape} and {positive.shape}")
    if np.isnan(scores).any():
        raise ScratchVAEError(f"{name}: scores must not be NaN, but {np.isnan(scores).sum():,} of "
                              f"{len(scores):,} are")
    if positive.all() or not positive.any():
        raise ScratchVAEError(f"{name}: needs positive and negative examples, got "
                              f"{positive.sum():,} positive ones of {len(positive):,}")
    return scores, positive
