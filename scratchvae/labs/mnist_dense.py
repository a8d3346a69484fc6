"""mnist-dense: a VAE of handwritten digits, made of dense layers, with a latent plane."""
import math

from ..layers import Dense, Flatten, Reshape
from ..optimizers import RMSprop
from .figures import embedding, loss_curves, manifolds, reconstructions, samples
from .image_lab import ImageLab
from .lab import Reference
from .objective import KL_SETTINGS, make_vae

PIXELS = 28 * 28


def make_model(settings, backend="cpu"):
    """Return a VAE 784 -> 256 -> 2 -> 256 -> 784.

    The sheet's loss is 784 times Keras's mean cross-entropy, that is the sum over the pixels, plus
    the KL divergence. The sheet's images are flat; others keep their shape.
    """
    shape = settings.get("shape")
    pixels = math.prod(shape) if shape else PIXELS
    return make_vae(
        settings,
        encoder=[
            *([Flatten()] if shape else []),
            Dense(settings["intermediate_dim"], activation="relu"),
        ],
        latent_dim=settings["latent_dim"],
        decoder=[
            Dense(settings["intermediate_dim"], activation="relu"),
            Dense(pixels, activation="sigmoid"),
            *([Reshape(shape)] if shape else []),
        ],
        reconstruction="binary_crossentropy",
        reconstruction_scale=float(pixels),
        backend=backend,
    )


LAB = ImageLab(
    number=1,
    name="mnist-dense",
    title="Handwritten digits through a plane, with dense layers",
    data="mnist",
    example_shape=(PIXELS,),
    epochs=50,
    batch_size=100,
    optimizer=RMSprop,
    settings={"intermediate_dim": 256, "latent_dim": 2, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"intermediate_dim": 5},
    make_model=make_model,
    parameters=404_244,
    references=(
        Reference("Keras 3 (JAX), seed 0", 1, 190.3, 172.2),
        Reference("Keras 3 (JAX), seed 0", 10, 157.5, 157.6),
        Reference("Keras 3 (JAX), seed 0", 50, 148.85, 151.32),
    ),
    figures=(loss_curves, embedding, manifolds, reconstructions, samples),
)
