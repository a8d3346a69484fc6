"""A prior after training: a mixture of normal distributions fitted to the codes.

A VAE is trained so that its codes are close to N(0, 1), but not equal: some places of the prior
hold no code, and the decoder has never seen them ("holes"). Samples from a density that is fitted
to the codes afterwards avoid them. A plain autoencoder, whose codes follow no known distribution,
can be sampled in the same way.

Source: Ghosh et al. 2020, "From variational to deterministic autoencoders", section 4.
"""
import warnings

import numpy as np

from .. import checks
from ..errors import ScratchVAEError

COMPONENTS = 10                 # as many as in the paper
EXAMPLES = 10_000               # whose codes the mixture is fitted to


class MixturePrior:
    """A Gaussian mixture with full covariances, fitted by scikit-learn.

    Parameters
    ----------
    z : array of shape (N, J)
        Codes of training examples: see codes_of.
    components : int, default 10
        At most N.
    seed : int, default 0
        Of the fit's start.

    Raises
    ------
    ScratchVAEError
        If scikit-learn is not installed, or if the codes are too few or not finite.
    """

    def __init__(self, z, components=COMPONENTS, seed=0):
        z = np.asarray(z, np.float64)
        components = checks.integer("MixturePrior", "components", components)
        if z.ndim != 2 or len(z) < components:
            raise ScratchVAEError("MixturePrior: codes must have shape (N, J) with at least "
                                  f"{components} examples, got {z.shape}")
        checks.finite("z", z)
        self.mixture = _gaussian_mixture()(components, random_state=checks.seed("MixturePrior",
                                                                               seed) % 2 ** 32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # that 100 steps were not enough: a good fit, too
            self.mixture.fit(z)

    def sample(self, count, seed=0):
        """Return `count` codes, float64 (count, J).

        z = m_k + L_k eps with the mean m_k and the covariance L_k L_k' of a component k that is
        drawn by its weight, and eps ~ N(0, 1).
        """
        count = checks.integer("MixturePrior", "count", count)
        rng = np.random.default_rng(checks.seed("MixturePrior", seed))
        weights = self.mixture.weights_ / self.mixture.weights_.sum()
        drawn = rng.choice(len(weights), count, p=weights)
        roots = np.linalg.cholesky(self.mixture.covariances_)[drawn]       # (count, J, J)
        eps = rng.standard_normal((count, roots.shape[1]))
        return self.mixture.means_[drawn] + np.einsum("nij,nj->ni", roots, eps)


def codes_of(model, x, seed=0):
    """Return a code of each example: z ~ q(z|x) of a VAE, z of an autoencoder; (N, J)."""
    code = model.encode(x)
    if not isinstance(code, tuple):
        return code
    z_mean, z_log_var = code
    eps = np.random.default_rng(seed).standard_normal(z_mean.shape)
    return z_mean + np.exp(z_log_var / 2) * eps


def fit_mixture(model, x, seed=0):
    """Return a MixturePrior of the codes of examples x: of 10,000 drawn at random, if more."""
    if len(x) > EXAMPLES:
        x = x[np.sort(np.random.default_rng(seed).permutation(len(x))[:EXAMPLES])]
    return MixturePrior(codes_of(model, x, seed), min(COMPONENTS, len(x)), seed)


def _gaussian_mixture():
    """Return the class of scikit-learn."""
    try:
        from sklearn.mixture import GaussianMixture
    except ImportError:
        raise ScratchVAEError("a mixture as prior needs scikit-learn: "
                              "pip install 'scratchvae[sklearn]'") from None
    return GaussianMixture
