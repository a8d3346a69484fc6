"""mnist-conv: a VAE of handwritten digits, made of convolutions, with a latent plane."""
import math

from ..layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from ..optimizers import Adam
from .figures import embedding, loss_curves, manifolds, reconstructions, samples
from .image_lab import ImageLab
from .lab import Reference
from .objective import KL_SETTINGS, make_vae
from .sizes import crop, image_shape, sizes_after

SIDE = 28


def make_model(settings, backend="cpu"):
    """Return a VAE 28 x 28 -> 14 x 14 x 32 -> 7 x 7 x 64 -> 16 -> 2, and the same up again.

    The sheet's loss is the sum of the cross-entropies of the pixels, plus the KL divergence.
    """
    filters = settings["filters"]
    shape = image_shape(settings, SIDE)
    fine, middle, coarse = sizes_after(shape[:2], (2, 2))
    return make_vae(
        settings,
        encoder=[
            Conv2D(filters, 3, strides=2, padding="same", activation="relu"),
            Conv2D(2 * filters, 3, strides=2, padding="same", activation="relu"),
            Flatten(),
            Dense(16, activation="relu"),
        ],
        latent_dim=settings["latent_dim"],
        decoder=[
            Dense(math.prod(coarse) * 2 * filters, activation="relu"),
            Reshape((*coarse, 2 * filters)),
            Conv2DTranspose(2 * filters, 3, strides=2, padding="same", activation="relu"),
            *crop(coarse, 2, middle),
            Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu"),
            *crop(middle, 2, fine),
            Conv2DTranspose(shape[2], 3, padding="same", activation="sigmoid"),
        ],
        reconstruction="binary_crossentropy",
        reconstruction_scale=float(math.prod(shape)),
        backend=backend,
    )


LAB = ImageLab(
    number=4,
    name="mnist-conv",
    title="Handwritten digits through a plane, with convolutions",
    data="mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=10,
    batch_size=128,
    optimizer=Adam,
    settings={"filters": 32, "latent_dim": 2, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"filters": 2, "side": 8},
    make_model=make_model,
    parameters=134_165,
    references=(
        Reference("Keras 3 (TensorFlow), seed 0", 1, 218.7, 193.6),
        Reference("Keras 3 (TensorFlow), seed 0", 5, 164.2, 162.9),
        Reference("Keras 3 (TensorFlow), seed 0", 10, 158.2, 157.8),
    ),
    figures=(loss_curves, embedding, manifolds, reconstructions, samples),
)
