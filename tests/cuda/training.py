"""Whole models trained on the device and by the reference have the same numbers.

Run by test_cuda.py, in the simulator or on a device.
"""
import numpy as np
import pytest

from scratchvae.data import Images
from scratchvae.layers import (
    GRU,
    Activation,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    Embedding,
    FillMissing,
    Flatten,
    LearntVariance,
    OneHotDense,
    RepeatVector,
    Reshape,
)
from scratchvae.models import VAE, Autoencoder, TextVAE
from scratchvae.objectives import ELBO
from scratchvae.optimizers import SGD, Adam, RMSprop

pytestmark = pytest.mark.filterwarnings("ignore:overflow")      # unsigned positions wrap below 0
IMAGES = Images(np.random.default_rng(0).integers(0, 256, (3, 4, 4, 1), np.uint8))
WORDS = np.array([[3, 2, 0], [5, 4, 2]])
TABLE = np.array([[0.5, np.nan, 0, 1, 1, 0, 0], [-1, 2, 0, 0, 0, 0, 1], [np.nan, 1, 1, 0, 0, 0, 0]])


def convolutional_vae(backend):
    encoder = [Conv2D(2, 3, 2, "same"), BatchNormalization(), Activation("leaky_relu"),
               Dropout(0.3), Flatten()]
    decoder = [Dense(8), Reshape((2, 2, 2)), Conv2DTranspose(1, 3, 2, "same", activation="sigmoid")]
    return VAE(encoder, 2, decoder, "squared_error", 16.0, backend=backend, dtype="float64")


def words_autoencoder(backend):
    encoder = [Embedding(6, 2, mask_zero=True), Bidirectional(GRU(2, return_sequences=True)),
               GRU(2)]
    decoder = [RepeatVector(3), Dense(6, "softmax")]
    return Autoencoder(encoder, decoder, "sparse_categorical_crossentropy", backend=backend,
                       dtype="float64")


def onehot_vae(backend):
    return VAE([OneHotDense(6, 3, "relu")], 2, [Dense(6, "sigmoid")],
               "onehot_binary_crossentropy", backend=backend, dtype="float64")


def text_vae(backend):
    return TextVAE(6, 3, 2, 2, 2, dropout=0.2, word_dropout=0.3, objective=ELBO(0.01),
                   backend=backend, dtype="float64")


def table_vae(backend):
    """Of two numbers, and two columns of categories; some cells are missing."""
    return VAE([FillMissing(), Dense(3, "tanh")], 2, [Dense(7), LearntVariance(2)], "table(2, 3)",
               backend=backend, dtype="float64")


def numbers_vae(backend):
    """Of numbers alone."""
    return VAE([FillMissing(), Dense(3, "tanh")], 2, [Dense(2), LearntVariance(2)], "table",
               backend=backend, dtype="float64")


@pytest.mark.parametrize("make, x, optimizer", [
    (convolutional_vae, IMAGES, Adam),
    (words_autoencoder, WORDS, lambda: RMSprop(global_clipnorm=0.01)),
    (onehot_vae, WORDS[:, :1], lambda: SGD(momentum=0.9)),
    (text_vae, WORDS, Adam),
    (table_vae, TABLE, Adam),
    (numbers_vae, TABLE[:, :2], Adam),
])
def test_a_device_trains_like_the_reference(make, x, optimizer, tmp_path):
    validated = x is not WORDS                          # the simulator is slow
    models = {backend: make(backend) for backend in ("cuda", "reference")}
    for model in models.values():
        history = model.fit(x, batch_size=3, optimizer=optimizer(),
                            validation_data=x if validated else None, progress=False)
        model.history = history.rows[-1]
    cuda, reference = models.values()
    for name in ("loss", "reconstruction", "kl", *(["val_loss"] if validated else [])):
        assert cuda.history[name] == pytest.approx(reference.history[name], rel=1e-9, abs=1e-12)
    z = np.ones((1, reference.latent_dim))
    np.testing.assert_allclose(cuda.decode(z), reference.decode(z), rtol=1e-9)
    cuda.save(tmp_path / "model.npz")
    loaded = type(cuda).load(tmp_path / "model.npz")    # trained on a device, used without
    for name, expected in reference.weights.items():
        for model in (cuda, loaded):
            weights = model.kernels.to_host(model.weights[name])
            np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-9, err_msg=name)


def dense_vae(backend):
    return VAE([Dense(3, "relu")], 2, [Dense(6, "sigmoid")], backend=backend, dtype="float64")


def dense_autoencoder(backend):
    return Autoencoder([Dense(2)], [Dense(6, "sigmoid")], backend=backend, dtype="float64")


@pytest.mark.parametrize("make, how", [(dense_vae, {"samples": 2}), (dense_autoencoder, {})])
def test_a_device_scores_like_the_reference(make, how):
    x = np.random.default_rng(0).random((3, 6))
    scores = []
    for backend in ("cuda", "reference"):
        model = make(backend)
        model.build((6,))
        scores.append(model.score_samples(x, **how))
    np.testing.assert_allclose(*scores, rtol=1e-9)
