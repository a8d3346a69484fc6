"""Networks of image layers in one model: odd sizes on the way back, and upsampling instead of
transposed convolutions.
"""
import numpy as np
import pytest
from helpers import HOSTS

from scratchvae.gradcheck import check_model
from scratchvae.layers import (
    AveragePooling2D,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    Dense,
    Flatten,
    LayerNormalization,
    MaxPooling2D,
    Reshape,
    UpSampling2D,
    ZeroPadding2D,
)
from scratchvae.models import VAE, Model
from scratchvae.optimizers import Adam


def start(side, filters):
    """Return layers from a latent code to images of side x side."""
    return [Dense(side * side * filters, "tanh"), Reshape((side, side, filters))]


def halvings(side):
    """Return the sides of the images behind convolutions of stride 2: 25 -> 13, 7, 4."""
    sides = []
    while side > 4:
        side = (side + 1) // 2
        sides.append(side)
    return sides


def strided_encoder(filters, side):
    """Return convolutions of stride 2, down to 4 x 4."""
    down = [Conv2D(filters, 3, 2, "same", "tanh") for _ in halvings(side)]
    return [*down, Flatten(), Dense(6, "tanh")]


def output_padding_network(filters, side):
    """Return an encoder and a decoder with odd sizes by output_padding: 4 -> 7 -> 13 -> 25."""
    decoder = start(4, filters)
    for _ in halvings(side):
        decoder.append(Conv2DTranspose(filters, 3, 2, "same", "tanh", output_padding=0))
    decoder.append(Conv2D(1, 3, 1, "same", "sigmoid"))
    return strided_encoder(filters, side), decoder


def cropping_network(filters, side):
    """Return an encoder and a decoder with odd sizes by cropping: 4 -> 8 -> 7 -> 14 -> 13 ..."""
    decoder = start(4, filters)
    for _ in halvings(side)[1:]:
        decoder.append(Conv2DTranspose(filters, 3, 2, "same", "tanh"))
        decoder.append(Cropping2D(((0, 1), (0, 1))))
    decoder.append(Conv2DTranspose(1, 3, 2, "same", "sigmoid"))
    decoder.append(Cropping2D(((0, 1), (0, 1))))
    return strided_encoder(filters, side), decoder


def upsampling_network(filters, side):
    """Return an encoder that pools, and a decoder that upsamples and then convolves."""
    encoder = [ZeroPadding2D(1), Conv2D(filters, 3, activation="tanh"), MaxPooling2D(),
               Conv2D(filters, 3, padding="same", activation="tanh"), AveragePooling2D(),
               Flatten(), LayerNormalization(), Dense(6, "tanh")]
    decoder = [*start(side // 4, filters), UpSampling2D(),
               Conv2D(filters, 3, padding="same", activation="tanh"), LayerNormalization(),
               UpSampling2D(), Conv2D(1, 3, padding="same", activation="sigmoid")]
    return encoder, decoder


def make_model(network, filters, side, backend="cpu"):
    """Return a built VAE of one of the networks above."""
    encoder, decoder = network(filters, side)
    vae = VAE(encoder, 2, decoder, reconstruction_scale=float(side * side), kl_weight=0.5,
              backend=backend)
    vae.build((side, side, 1))
    return vae


NETWORKS = [(output_padding_network, 25), (cropping_network, 25), (upsampling_network, 16)]


@pytest.mark.parametrize("network, side", NETWORKS)
@pytest.mark.parametrize("backend", HOSTS)
def test_network_trains(network, side, backend, rng):
    x = rng.integers(0, 2, (12, side, side, 1)).astype(np.float32)
    vae = make_model(network, 3, side, backend)
    history = vae.fit(x, epochs=25, batch_size=6, optimizer=Adam(0.02), progress=False)
    losses = [row["loss"] for row in history.rows]
    assert losses[-1] < losses[0] - 1
    reconstructions = vae.reconstruct(x)
    assert reconstructions.shape == x.shape
    assert 0 <= reconstructions.min() <= reconstructions.max() <= 1


@pytest.mark.parametrize("network, side", [(output_padding_network, 13), (cropping_network, 13),
                                           (upsampling_network, 8)])
def test_gradients_of_the_whole_model(network, side, rng):
    report = check_model(make_model(network, 2, side), rng.random((1, side, side, 1)))
    assert report.passed, report


@pytest.mark.parametrize("network, side", NETWORKS)
def test_saved_network_computes_the_same(network, side, rng, tmp_path):
    x = rng.random((3, side, side, 1)).astype(np.float32)
    vae = make_model(network, 2, side)
    vae.save(tmp_path / "vae.npz")
    again = Model.load(tmp_path / "vae.npz")
    np.testing.assert_array_equal(again.reconstruct(x), vae.reconstruct(x))
