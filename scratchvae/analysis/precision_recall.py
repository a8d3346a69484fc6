"""Precision and recall of generated images, on the features of a classifier."""
import numpy as np

from .. import checks
from .frechet import feature_pair

ROWS = 1000                     # examples whose distances to all others are computed at a time


def precision_recall(real, generated, k=3):
    """Return which part of the generated images looks real, and which of the real is generated.

    The manifold of a set is the union of balls around its examples, each up to the k-th nearest
    other example of the set. Precision is the part of the generated examples in the manifold of the
    real ones: low if images look like nothing real. Recall is the part of the real examples in the
    manifold of the generated ones: low if something real is never generated.

    Both depend on the number of examples: compare equal numbers.

    Parameters
    ----------
    real, generated : arrays of shape (N, F) and (M, F)
        More than k examples each.
    k : int, default 3

    Returns
    -------
    (float, float)
        From 0 to 1.

    Source: Kynkäänniemi et al. 2019, equations 1 and 2.
    """
    k = checks.integer("precision_recall", "k", k)
    real, generated = feature_pair("precision_recall", real, generated, k + 1)
    return _covered(generated, real, _radii(real, k)), _covered(real, generated,
                                                                _radii(generated, k))


def _radii(points, k):
    """Return the squared distance of each point to its k-th nearest other one."""
    radii = []
    for start in range(0, len(points), ROWS):
        distances = _distances(points[start:start + ROWS], points)
        rows = np.arange(len(distances))
        distances[rows, start + rows] = -1                      # itself comes first
        radii.append(np.partition(distances, k, axis=1)[:, k])
    return np.concatenate(radii)


def _covered(points, centres, radii):
    """Return the part of the points that lie in at least one ball."""
    inside = [(_distances(points[start:start + ROWS], centres) <= radii).any(axis=1)
              for start in range(0, len(points), ROWS)]
    return float(np.concatenate(inside).mean())


def _distances(a, b):
    """Return the squared distances |a - b|^2 = |a|^2 - 2 a b + |b|^2 of all pairs."""
    distances = -2 * a @ b.T
    distances += np.square(a).sum(axis=1)[:, np.newaxis]
    distances += np.square(b).sum(axis=1)
    return distances.clip(min=0, out=distances)
