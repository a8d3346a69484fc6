"""A VAE as a transformer of scikit-learn: for Pipeline, GridSearchCV, clone and joblib.

Needs scikit-learn: pip install 'scratchvae[sklearn]'.
"""
import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from . import checks
from .layers import Dense
from .models import VAE
from .optimizers import Adam

DTYPES = (np.float64, np.float32)
ACTIVATIONS = {"squared_error": "linear", "binary_crossentropy": "sigmoid"}


class VAETransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Maps examples to the means of their latent codes, and back.

    The networks are made of dense layers and trained by Adam in float32.

    Parameters
    ----------
    latent_dim : int, default 2
    hidden : tuple of int, default (256,)
        Units of the encoder's hidden layers; the decoder has the same in reverse.
    epochs : int, default 20
    batch_size : int, default 100
    learning_rate : float, default 0.001
    reconstruction : str, default "squared_error"
        "squared_error", or "binary_crossentropy" for numbers in [0, 1].
    noise_variance : float, default 0.1
        The variance of a feature around its reconstruction, of "squared_error" alone. The default
        suits features of variance 1, as StandardScaler makes them.
    kl_weight : float, default 1.0
    samples : int, default 100
        Points z for each example in score_samples and score.
    random_state : int, RandomState or None, default 0
        What parameters, order and noise are drawn from. None gives another model in each fit.

    Attributes
    ----------
    vae_ : VAE
        The trained model.
    history_ : History
        The losses by epoch.
    n_features_in_ : int
    feature_names_in_ : array of str
        The columns of a DataFrame, if X was one.

    Source: Kingma & Welling 2014.
    """

    def __init__(self, latent_dim=2, hidden=(256,), epochs=20, batch_size=100, learning_rate=0.001,
                 reconstruction="squared_error", noise_variance=0.1, kl_weight=1.0, samples=100,
                 random_state=0):
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.reconstruction = reconstruction
        self.noise_variance = noise_variance
        self.kl_weight = kl_weight
        self.samples = samples
        self.random_state = random_state

    def fit(self, X, y=None):
        """Train a new model on X and return this transformer.

        Parameters
        ----------
        X : array_like (N, features)
        y : None
            Not used.
        """
        X = validate_data(self, X, dtype=DTYPES)
        seed = int(check_random_state(self.random_state).randint(2 ** 31 - 1))
        vae = self._make_model(X.shape[1])
        self.history_ = vae.fit(X, self.epochs, self.batch_size, Adam(self.learning_rate),
                                seed=seed, progress=False)
        self.vae_ = vae
        return self

    def _make_model(self, features):
        """Return the VAE of the parameters, not built."""
        owner = type(self).__name__
        name = checks.choice(owner, "reconstruction", self.reconstruction, ACTIVATIONS)
        scale = None                    # the sum of the cross-entropies
        if name == "squared_error":
            variance = checks.number(owner, "noise_variance", self.noise_variance, 1e-12)
            scale = features / (2 * variance)
        encoder = [Dense(units, "relu") for units in self.hidden]
        decoder = [Dense(units, "relu") for units in reversed(self.hidden)]
        return VAE(encoder, self.latent_dim, [*decoder, Dense(features, ACTIVATIONS[name])], name,
                   scale, self.kl_weight)

    def transform(self, X):
        """Return the means of the latent codes of X, (N, latent_dim)."""
        X = self._examples(X)
        z_mean, _ = self.vae_.encode(X)
        return z_mean.astype(X.dtype, copy=False)

    def inverse_transform(self, Z):
        """Return the reconstructions (N, features) of latent codes Z (N, latent_dim)."""
        check_is_fitted(self)
        Z = check_array(Z, dtype=DTYPES)
        return self.vae_.decode(Z).astype(Z.dtype, copy=False)

    def score_samples(self, X):
        """Return log p(x) in nats of each example, (N,); see VAE.score_samples."""
        return self.vae_.score_samples(self._examples(X), self.samples)

    def score(self, X, y=None):
        """Return the mean of score_samples(X): higher is better, so GridSearchCV can use it.

        Parameters
        ----------
        X : array_like (N, features)
        y : None
            Not used.
        """
        return float(self.score_samples(X).mean())

    def _examples(self, X):
        """Return X as the numbers of examples like those of fit."""
        check_is_fitted(self)
        return validate_data(self, X, dtype=DTYPES, reset=False)

    @property
    def _n_features_out(self):
        """The number of outputs, for the names that get_feature_names_out makes."""
        return self.vae_.latent_dim

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
