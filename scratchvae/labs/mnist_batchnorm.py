"""mnist-batchnorm: a small convolutional VAE of digits, batch-normalised throughout."""
import math

from ..layers import BatchNormalization, Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from ..optimizers import Adam
from .figures import embedding, loss_curves, manifolds, reconstructions, samples
from .image_lab import ImageLab
from .lab import Reference
from .objective import KL_SETTINGS, make_vae
from .sizes import crop, image_shape, sizes_after

SIDE = 28
STAGES = ((8, 2), (16, 2))      # filters and strides of the encoder's convolutions


def make_network(stages, settings, backend):
    """Return a VAE whose layers are followed by batch normalisation.

    Parameters
    ----------
    stages : sequence of (filters, strides)
        The encoder's convolutions; the decoder has the same from last to first. Between them lie
        20 units and the latent plane.
    settings : dict
        The lab's settings. In a small model "divide" divides the numbers of filters.
    backend : str

    Returns
    -------
    VAE
    """
    divide = settings.get("divide", 1)
    stages = [(max(1, filters // divide), strides) for filters, strides in stages]
    shape = image_shape(settings, SIDE)
    sizes = sizes_after(shape[:2], [strides for _, strides in stages])
    encoder = []
    for filters, strides in stages:
        encoder += [
            Conv2D(filters, 3, strides=strides, padding="same", activation="relu"),
            BatchNormalization(),
        ]
    encoder += [Flatten(), Dense(20, activation="relu"), BatchNormalization()]

    last_filters = stages[-1][0]
    decoder = [
        Dense(math.prod(sizes[-1]) * last_filters, activation="relu"),
        BatchNormalization(),
        Reshape((*sizes[-1], last_filters)),
    ]
    for (filters, strides), coarse, fine in zip(stages[::-1], sizes[::-1], sizes[-2::-1]):
        decoder += [
            Conv2DTranspose(filters, 3, strides=strides, padding="same", activation="relu"),
            *crop(coarse, strides, fine),
            BatchNormalization(),
        ]
    decoder += [Conv2DTranspose(shape[2], 3, padding="same", activation="sigmoid")]

    return make_vae(
        settings,
        encoder=encoder,
        latent_dim=settings["latent_dim"],
        decoder=decoder,
        reconstruction="binary_crossentropy",
        reconstruction_scale=settings["reconstruction_scale"],
        backend=backend,
    )


def make_model(settings, backend="cpu"):
    """Return the VAE 28 x 28 -> 14 x 14 x 8 -> 7 x 7 x 16 -> 20 -> 2, and the same up again."""
    return make_network(STAGES, settings, backend)


def peculiarities(settings):
    """Return what the print of the sheet leaves out."""
    if settings["kl_weight"]:
        return ()
    pixels = math.prod(image_shape(settings, SIDE))
    return ("the loss that the sheet compiles has no KL term: the latent codes need not resemble "
            "the prior, and samples from it suffer; --set kl_weight=0.001 mends it (losses are "
            f"means over {pixels} pixels, 1/{pixels} = {1 / pixels:.2g} is the weight of an ELBO)",)


LAB = ImageLab(
    number=6,
    name="mnist-batchnorm",
    title="Handwritten digits through a plane, batch-normalised: 26 thousand parameters",
    data="mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=50,
    batch_size=128,
    validation_split=0.2,
    optimizer=Adam,
    settings={"latent_dim": 2, "reconstruction_scale": 1.0, "learning_rate": 0.001,
              **KL_SETTINGS, "kl_weight": 0.0},
    small_settings={"divide": 4, "side": 8},
    make_model=make_model,
    parameters=26_345,
    unit="mean cross-entropy of a pixel, nats",
    references=(
        Reference("Keras 3 (TensorFlow)", 1, 0.3531, 0.2734),
        Reference("Keras 3 (TensorFlow)", 5, 0.2000, 0.1964),
    ),
    peculiarities=peculiarities,
    figures=(loss_curves, embedding, manifolds, reconstructions, samples),
    beside="mnist-batchnorm-deep",
)
