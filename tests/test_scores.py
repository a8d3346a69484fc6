"""A score for every example: log p(x), the error of a plain autoencoder, and the ROC area."""
import numpy as np
import pytest
from helpers import HOSTS, same_on_any_number_of_threads, small_vae
from scipy.stats import bernoulli, multivariate_normal

from scratchvae.analysis import metrics
from scratchvae.batches import Images
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import BatchNormalization, Dense
from scratchvae.models import VAE, Autoencoder, TextVAE

D = 6
J = 2


def linear_vae(rng, variance, backend="cpu"):
    """Return probabilistic PCA with its exact posterior as the encoder, and its log p.

    x ~ N(W z + b, v I), so x ~ N(b, W W' + v I), and the posterior of z is
    N(M^-1 W' (x - b), v M^-1), M = W' W + v I (Tipping & Bishop 1999). The columns of W are
    orthogonal, so that M is diagonal.
    """
    W = np.linalg.qr(rng.standard_normal((D, J)))[0] * (2.0, 0.5)
    b = rng.standard_normal(D)
    precision = np.diag(W.T @ W) + variance                     # M
    vae = VAE([Dense(D)], J, [Dense(D)], "squared_error", dtype="float64", backend=backend,
              reconstruction_scale=D / (2 * variance))
    vae.build((D,))
    vae.set_weights([np.eye(D), -b, W / precision, np.zeros(J), np.zeros((D, J)),
                     np.log(variance / precision), W.T, b])
    return vae, multivariate_normal(b, W @ W.T + variance * np.eye(D)).logpdf


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("variance", [1.0, 0.1, 7.0])
def test_the_score_of_probabilistic_pca_is_its_likelihood(variance, backend, rng):
    """With the exact posterior all weights are p(x), however few they are."""
    vae, log_p = linear_vae(rng, variance, backend)
    x = 2 * rng.standard_normal((130, D))
    for samples in (1, 3):
        np.testing.assert_allclose(vae.score_samples(x, samples), log_p(x), rtol=1e-10)
    weights = vae.log_weights(x, 2)
    np.testing.assert_allclose(metrics.importance_weighted(weights), log_p(x), rtol=1e-10)


def test_the_score_rises_to_the_likelihood_with_the_samples(rng):
    """With a posterior that is too wide and in the wrong place."""
    vae, log_p = linear_vae(rng, 1.0)
    weights = vae.get_weights()
    weights[3] += 0.5
    weights[5] += 1.0
    vae.set_weights(weights)
    x = rng.standard_normal((20, D))
    means = [np.mean([vae.score_samples(x, samples, seed).mean() for seed in range(8)])
             for samples in (1, 10, 1000)]
    assert means[0] < means[1] < means[2] == pytest.approx(log_p(x).mean(), abs=0.02)


def test_the_likelihood_is_not_that_of_the_scaled_loss(x):
    """A cross-entropy of any scale is that of the same Bernoulli elements."""
    models = [VAE([Dense(7, "relu")], 3, [Dense(12, "sigmoid")], reconstruction_scale=scale)
              for scale in (None, 1.0, 500.0)]
    for model in models:
        model.build((12,))
    scores = [model.score_samples(x, 5) for model in models]
    np.testing.assert_allclose(scores[1:], [scores[0]] * 2, rtol=1e-5)
    binary = (x > 0.5).astype(np.float32)
    reconstruction, _ = models[1].forward(binary)
    expected = bernoulli.logpmf(binary, models[1].loss.output).sum(axis=1)
    np.testing.assert_allclose(models[1].log_likelihood(reconstruction), expected, rtol=1e-4)


@pytest.mark.parametrize("backend", HOSTS)
def test_a_score_does_not_depend_on_the_other_examples(backend, rng):
    x = rng.random((230, 12)).astype(np.float32)
    vae = VAE([Dense(33, "relu"), BatchNormalization()], 3,
              [Dense(40, "relu"), Dense(12, "sigmoid")], backend=backend)
    vae.build((12,))
    scores = vae.score_samples(x, 4, seed=7)
    assert scores.shape == (230,)
    assert scores.dtype == np.float64
    order = rng.permutation(230)
    parts = [vae.score_samples(part, 4, seed=7) for part in np.split(x, (1, 3, 120))]
    if backend == "cpu":                # NumPy's products of other sizes have other roundings
        np.testing.assert_array_equal(np.concatenate(parts), scores)
        np.testing.assert_array_equal(vae.score_samples(x[order], 4, seed=7), scores[order])
    else:
        np.testing.assert_allclose(np.concatenate(parts), scores, rtol=1e-5)
    assert (vae.score_samples(x, 4, seed=8) != scores).any()


def test_scores_have_the_same_bits_on_any_number_of_threads(rng):
    x = rng.random((150, 12)).astype(np.float32)
    vae = small_vae()
    vae.build((12,))
    same_on_any_number_of_threads(lambda: vae.score_samples(x, 3).tobytes())


def test_scoring_does_not_touch_the_model(x):
    vae = small_vae()
    vae.fit(x, progress=False)
    noise = vae.noise
    before = vae.evaluate(x, seed=3)
    with pytest.raises(ScratchVAEError):
        vae.score_samples(x, seed=-1)
    vae.score_samples(x, 2)
    assert vae.noise is noise
    assert vae.evaluate(x, seed=3) == before


def test_images_have_the_scores_of_their_numbers(rng):
    pixels = rng.integers(0, 256, (30, 12), np.uint8)
    vae = small_vae()
    vae.build((12,))
    np.testing.assert_array_equal(vae.score_samples(Images(pixels), 2),
                                  vae.score_samples(np.float32(pixels) / np.float32(255), 2))


def test_lines_of_text_have_scores():
    """Those of log_weights: a line costs the same alone and among others."""
    vae = TextVAE(9, 5, 3, embedding_dim=4, units=6, dtype="float64")
    vae.build((5,))
    lines = np.array([[3, 4, 2, 0, 0], [5, 6, 7, 8, 2]])
    scores = vae.score_samples(lines, 3)
    alone = [metrics.importance_weighted(vae.log_weights(line[None], 3)) for line in lines]
    np.testing.assert_allclose(scores, np.concatenate(alone), rtol=1e-12)


def test_the_score_of_an_autoencoder_is_minus_its_loss(x):
    model = Autoencoder([Dense(3)], [Dense(12, "sigmoid")])
    model.build((12,))
    scores = model.score_samples(x)
    assert scores.shape == (50,)
    assert -scores.mean() == pytest.approx(model.evaluate(x)["reconstruction"])


def zero_scale():
    """Return a model whose loss says nothing."""
    vae = VAE([Dense(3)], 2, [Dense(12, "sigmoid")], reconstruction_scale=0)
    vae.build((12,))
    return vae


@pytest.mark.parametrize("call, message", [
    (lambda x: small_vae().score_samples(x), "this VAE is not built"),
    (lambda x: zero_scale().score_samples(x, 0), "score_samples: samples must be a positive "
                                                 "integer, got 0"),
    (lambda x: zero_scale().score_samples(x + 1), r"binary_crossentropy: x must lie in \[0, 1\]"),
    (lambda x: zero_scale().score_samples(x, seed=-1), "score_samples: seed must be"),
    (lambda x: zero_scale().score_samples(x), r"^binary_crossentropy: log p\(x\|z\) is unknown "
                                              "with reconstruction_scale 0; allowed: numbers "),
])
def test_wrong_use_gets_one_line(call, message, x):
    with pytest.raises(ScratchVAEError, match=message):
        call(x)
