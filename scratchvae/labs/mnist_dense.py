"""mnist-dense: handwritten digits through a plane, with nothing but dense layers."""
from ..layers import Dense
from ..models import VAE
from ..optimizers import RMSprop
from .figures import PLANE
from .lab import KL_SETTINGS, Lab, Reference, kl_schedule

PIXELS = 784


def make_model(settings, backend="cpu"):
    """784 -> 256 -> 2 -> 256 -> 784.

    The loss is 784 times the mean cross-entropy, that is its sum over the pixels, plus the KL
    divergence.
    """
    units = settings["intermediate_dim"]
    return VAE(
        encoder=[Dense(units, activation="relu")],
        latent_dim=settings["latent_dim"],
        decoder=[Dense(units, activation="relu"), Dense(PIXELS, activation="sigmoid")],
        reconstruction="binary_crossentropy",
        reconstruction_scale=float(PIXELS),
        kl_weight=kl_schedule(settings),
        backend=backend)


LAB = Lab(
    order=1,
    name="mnist-dense",
    title="Handwritten digits through a plane, with dense layers",
    data="mnist",
    example_shape=(PIXELS,),
    epochs=50,
    batch_size=100,
    settings={"intermediate_dim": 256, "latent_dim": 2, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"intermediate_dim": 5},
    parameters=404_244,
    references=(Reference("Keras 3 (JAX), seed 0", 1, 190.3, 172.2),
                Reference("Keras 3 (JAX), seed 0", 10, 157.5, 157.6),
                Reference("Keras 3 (JAX), seed 0", 50, 148.85, 151.32)),
    make_model=make_model,
    optimizer=RMSprop,
    figures=PLANE,
)
