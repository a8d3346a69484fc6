"""fashion-conv: a convolutional VAE of garments, with a latent plane."""
from functools import partial

from ..optimizers import Adam
from .fashion_autoencoder import SIDE, decoder_layers, encoder_layers
from .figures import embedding, grids, loss_curves, manifolds, reconstructions, samples
from .image_lab import ImageLab
from .lab import Reference
from .objective import KL_SETTINGS, make_vae


def make_model(settings, backend="cpu"):
    """Return the network of fashion-autoencoder with a distribution in place of the code.

    The sheet's loss is 500 times the mean cross-entropy, plus the KL divergence.
    """
    return make_vae(
        settings,
        encoder=encoder_layers(settings),
        latent_dim=settings["latent_dim"],
        decoder=decoder_layers(settings),
        reconstruction="binary_crossentropy",
        reconstruction_scale=settings["reconstruction_scale"],
        backend=backend,
    )


LAB = ImageLab(
    number=3,
    name="fashion-conv",
    title="Garments through a plane, by a convolutional VAE",
    data="fashion-mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=30,
    batch_size=10,
    optimizer=Adam,
    settings={"filters": 32, "latent_dim": 2, "reconstruction_scale": 500.0,
              "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"filters": 2, "side": 8},
    make_model=make_model,
    parameters=347_141,
    unit="500 x mean nats a pixel, + KL",
    references=(
        Reference("Keras 3 (TensorFlow), seed 0", 1, 138.47, 134.68),
        Reference("Keras 3 (TensorFlow), seed 0", 3, 132.17, 132.02),
        Reference("the sheet (123.03 + KL 5.67)", 30, 128.71),
    ),
    peculiarities=lambda settings: (
        "the sheet's validation figures are those of the last batch alone; here they are means "
        "over the whole test set",),
    figures=(
        loss_curves,
        embedding,
        partial(grids, ranges=((-4, 4, 0.5), (-2, 1.5, 0.3), (-1.5, 0.7, 0.15))),
        manifolds,
        reconstructions,
        samples,
    ),
    beside="fashion-autoencoder",
    bench_batch_sizes=(10, 128),
)
