"""The Inception Score: whether each image shows one class, and all images all classes."""
import numpy as np

from .. import checks
from ..errors import ScratchVAEError

TINY = 1e-10                    # keeps logarithms of 0 finite


def inception_score(probabilities, splits=10):
    """Return the mean and the standard deviation over parts of the images of

        IS = exp(mean over x of KL(p(c|x) || p(c))),    p(c) = mean over x of p(c|x).

    From 1, all images alike or undecided, to the number of classes: each image certainly of one
    class, all classes equally often. It knows nothing of real images, and it does not fall if each
    class is one image. It grows a little with the number of images in a part.

    Parameters
    ----------
    probabilities : array of shape (N, classes)
        Rows that add up to 1.
    splits : int, default 10
        How many equal parts; the first examples are the first part.

    Returns
    -------
    (float, float)
        The deviation divides by splits - 1; it is 0 of a single part.

    Source: Salimans et al. 2016, section 4.
    """
    probabilities = np.asarray(probabilities, np.float64)
    splits = checks.integer("inception_score", "splits", splits)
    if probabilities.ndim != 2 or len(probabilities) < splits:
        raise ScratchVAEError("inception_score: probabilities must have shape (N, classes) with "
                              f"N >= {splits} splits, got {probabilities.shape}")
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3) or probabilities.min() < 0:
        raise ScratchVAEError("inception_score: probabilities must not be negative, and must add "
                              "up to 1 in each row")
    scores = [_score(part) for part in np.array_split(probabilities, splits)]
    return float(np.mean(scores)), float(np.std(scores, ddof=1)) if splits > 1 else 0.0


def _score(p):
    marginal = p.mean(axis=0)
    kl = np.sum(p * (np.log(p + TINY) - np.log(marginal + TINY)), axis=1)
    return np.exp(kl.mean())
