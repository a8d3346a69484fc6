"""The Frechet distance between two sets of images, on the features of a classifier."""
import numpy as np

from ..errors import ScratchVAEError


def frechet_distance(first, second):
    """Return the squared Frechet distance of normal distributions fitted to two sets of features.

        d^2 = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))

    with means m and covariances C. (C1 C2)^(1/2) has the trace of (S C2 S)^(1/2), S = C1^(1/2),
    which is symmetric, so all its eigenvalues are real.

    0 is best. Finite sets have a positive distance even if both come from one distribution, and it
    falls with the number of examples: compare equal numbers, with the same classifier.

    Parameters
    ----------
    first, second : arrays of shape (N, F) and (M, F)
        At least 2 examples each.

    Returns
    -------
    float

    Source: Dowson & Landau 1982; Heusel et al. 2017, equation 6.
    """
    first, second = feature_pair("frechet_distance", first, second, 2)
    m1 = first.mean(axis=0)
    m2 = second.mean(axis=0)
    C1 = np.atleast_2d(np.cov(first, rowvar=False))
    C2 = np.atleast_2d(np.cov(second, rowvar=False))
    values, vectors = np.linalg.eigh(C1)
    S = vectors * np.sqrt(values.clip(min=0)) @ vectors.T
    root_trace = np.sqrt(np.linalg.eigvalsh(S @ C2 @ S).clip(min=0)).sum()
    return float(np.sum((m1 - m2) ** 2) + np.trace(C1) + np.trace(C2) - 2 * root_trace)


def feature_pair(name, first, second, least):
    """Return two sets of features as float64 (N, F), (M, F); refuse fewer examples than `least`."""
    first, second = (np.asarray(features, np.float64) for features in (first, second))
    if first.ndim != 2 or second.ndim != 2 or first.shape[1:] != second.shape[1:]:
        raise ScratchVAEError(f"{name}: features must have the shapes (N, F) and (M, F), got "
                              f"{first.shape} and {second.shape}")
    if min(len(first), len(second)) < least:
        raise ScratchVAEError(f"{name}: needs at least {least} examples of each kind, got "
                              f"{len(first)} and {len(second)}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ScratchVAEError(f"{name}: features must be finite")
    return first, second
