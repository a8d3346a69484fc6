"""mnist-conv: handwritten digits through a plane, with convolutions."""
from ..layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from ..models import VAE
from .figures import PLANE
from .lab import KL_SETTINGS, Lab, Reference, kl_schedule

SIDE = 28


def make_model(settings, backend="cpu"):
    """28 x 28 -> 14 x 14 x 32 -> 7 x 7 x 64 -> 16 -> 2, and back.

    The loss is the sum over the pixels, plus the KL divergence.
    """
    f = settings["filters"]
    side = settings.get("side", SIDE)
    coarse = side // 4
    return VAE(
        encoder=[Conv2D(f, 3, strides=2, padding="same", activation="relu"),
                 Conv2D(2 * f, 3, strides=2, padding="same", activation="relu"),
                 Flatten(),
                 Dense(16, activation="relu")],
        latent_dim=settings["latent_dim"],
        decoder=[Dense(coarse * coarse * 2 * f, activation="relu"),
                 Reshape((coarse, coarse, 2 * f)),
                 Conv2DTranspose(2 * f, 3, strides=2, padding="same", activation="relu"),
                 Conv2DTranspose(f, 3, strides=2, padding="same", activation="relu"),
                 Conv2DTranspose(1, 3, padding="same", activation="sigmoid")],
        reconstruction="binary_crossentropy",
        reconstruction_scale=float(side * side),
        kl_weight=kl_schedule(settings),
        backend=backend)


LAB = Lab(
    order=4,
    name="mnist-conv",
    title="Handwritten digits through a plane, with convolutions",
    data="mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=10,
    batch_size=128,
    settings={"filters": 32, "latent_dim": 2, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"filters": 2, "side": 8},
    parameters=134_165,
    references=(Reference("Keras 3 (TensorFlow), seed 0", 1, 218.7, 193.6),
                Reference("Keras 3 (TensorFlow), seed 0", 5, 164.2, 162.9),
                Reference("Keras 3 (TensorFlow), seed 0", 10, 158.2, 157.8)),
    make_model=make_model,
    figures=PLANE,
)
