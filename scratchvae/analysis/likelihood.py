"""log p(x) of a VAE: an estimate with its standard error."""
from typing import NamedTuple

import numpy as np

from .. import checks
from . import metrics

MOST = 100                      # examples whose likelihood is estimated with all samples
FEWEST = 20
FLOPS = 1e13                    # of these estimates: half a minute or so
TINY = 1e-6                     # pixel means closer to 0 or 1 have no useful logarithm


class Estimate(NamedTuple):
    """A mean, its standard error, and how many examples had all samples."""
    value: float
    error: float
    examples: int


def log_likelihood(model, x, samples=5000, examples=None, seed=0):
    """Return an Estimate of the mean of log p(x) over the distribution that x come from, in nats.

    Let L_k be the importance-weighted bound with k samples (Burda et al. 2016), which rises to
    log p(x). L_1, the evidence lower bound, is cheap and varies much from example to example; the
    gap L_k - L_1 is costly and varies little. So

        mean of log p(x) = mean over all x of L_1 + mean over a few of (L_k - L_1),

        error^2 = var(L_1) / N + var(L_k - L_1) / n.

    The few are drawn at random. L_1 is a control variate: n examples alone have an error of
    sqrt(var(L_k) / n), which is several times larger.

    Parameters
    ----------
    model : VAE
    x : array, Images or Labelled (N, *input_shape)
        At least 2; of a ConditionalVAE with labels, and the result is log p(x|c).
    samples : int, default 5000
        k: samples of z for each of the few examples.
    examples : int, optional
        n; by default as many as the model's size allows in about half a minute, 20 to 100.
    seed : int, default 0

    Returns
    -------
    Estimate
    """
    samples = checks.integer("log_likelihood", "samples", samples)
    if examples is None:
        affordable = FLOPS / (model.flops(1) * samples)
        examples = int(np.clip(affordable, FEWEST, MOST))
    n = min(checks.integer("log_likelihood", "examples", examples, 2), len(x))
    bounds = model.log_weights(x, samples=1, seed=seed)[0].astype(np.float64)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(x))[:n])
    # The draws of another seed: those of L_1 would be among them.
    weights = model.log_weights(x[chosen], samples=samples, seed=seed + 1)
    gaps = metrics.importance_weighted(weights) - bounds[chosen]
    error = np.sqrt(bounds.var(ddof=1) / len(bounds) + gaps.var(ddof=1) / n)
    return Estimate(float(bounds.mean() + gaps.mean()), float(error), n)


def pixel_means_likelihood(model, x, means):
    """Return the mean log p(x) under independent pixels with these means: a baseline, in nats.

    The likelihood of a pixel is the one that the model's loss stands for.

    Parameters
    ----------
    model : VAE
    x : array of shape (N, *input_shape)
    means : array of shape input_shape
    """
    x = np.asarray(x, np.float64)
    if model.loss.name == "squared_error":
        costs = np.square(x - means)
    else:
        p = means.astype(np.float64).clip(TINY, 1 - TINY)
        costs = -x * np.log(p) - (1 - x) * np.log(1 - p)
    losses = model.loss.scale * costs.reshape(len(x), -1).mean(axis=1)
    return float(model.loss.log_likelihood(losses, model.decoder.output_shape).mean())
