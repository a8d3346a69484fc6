"""Precision and recall of generated images, on the features of a classifier."""
from typing import NamedTuple

import numpy as np

from .. import checks
from .frechet import feature_pair

ROWS = 1000                     # examples whose distances to all others are computed at a time


class Neighbours:
    """How two sets of features lie in each other, from the distances to nearest neighbours.

    The ball of an example reaches to its k-th nearest other example of its set. All balls of a set
    are its manifold.

    precision   the part of the generated examples in the manifold of the real ones: low if images
                look like nothing real
    recall      the part of the real examples in the manifold of the generated ones: low if
                something real is never generated
    density     in how many balls of real examples a generated one lies, divided by k: about 1 if
                both come from one distribution
    coverage    the part of the real examples whose ball holds a generated one

    An outlier has a huge ball. Bad images that are all alike and lie in a few of these have a high
    precision, and can have a high density, but no coverage. All depend on the number of examples:
    compare equal numbers.

    Parameters
    ----------
    real, generated : arrays of shape (N, F) and (M, F)
        More than k examples each.
    k : int, default 3

    Attributes
    ----------
    precision, recall, density, coverage : float

    Source: Kynkäänniemi et al. 2019, equations 1 and 2; Naeem et al. 2020, equations 3 and 4, for
    density and coverage.
    """

    def __init__(self, real, generated, k=3):
        k = checks.integer("Neighbours", "k", k)
        real, generated = feature_pair("Neighbours", real, generated, k + 1)
        of_real = _balls_around(generated, real, _radii(real, k))
        of_generated = _balls_around(real, generated, _radii(generated, k))
        self.precision = float(np.mean(of_real.by_point > 0))
        self.recall = float(np.mean(of_generated.by_point > 0))
        self.density = float(np.mean(of_real.by_point) / k)
        self.coverage = float(np.mean(of_real.by_ball > 0))


class Counts(NamedTuple):
    """In how many balls each point lies, and how many points each ball holds."""
    by_point: np.ndarray
    by_ball: np.ndarray


def _radii(points, k):
    """Return the squared distance of each point to its k-th nearest other one."""
    radii = []
    for start in range(0, len(points), ROWS):
        distances = _distances(points[start:start + ROWS], points)
        rows = np.arange(len(distances))
        distances[rows, start + rows] = -1                      # itself comes first
        radii.append(np.partition(distances, k, axis=1)[:, k])
    return np.concatenate(radii)


def _balls_around(points, centres, radii):
    """Return the Counts of points in balls with these centres and squared radii."""
    by_point = []
    by_ball = np.zeros(len(centres), np.int64)
    for start in range(0, len(points), ROWS):
        inside = _distances(points[start:start + ROWS], centres) <= radii
        by_point.append(inside.sum(axis=1))
        by_ball += inside.sum(axis=0)
    return Counts(np.concatenate(by_point), by_ball)


def _distances(a, b):
    """Return the squared distances |a - b|^2 = |a|^2 - 2 a b + |b|^2 of all pairs."""
    distances = -2 * a @ b.T
    distances += np.square(a).sum(axis=1)[:, np.newaxis]
    distances += np.square(b).sum(axis=1)
    return distances.clip(min=0, out=distances)
