"""fashion-autoencoder: a plain convolutional autoencoder of garments, with a latent plane."""
import math
from functools import partial

from ..layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from ..models import Autoencoder
from ..optimizers import Adam
from .figures import embedding, grids, loss_curves, reconstructions
from .image_lab import ImageLab
from .lab import Reference
from .sizes import crop, image_shape, sizes_after

SIDE = 32                       # the sheet pads the images of 28 x 28: 32 can be halved three times


def encoder_layers(settings):
    """Return the layers 32 x 32 x 1 -> 16 x 16 x 32 -> 8 x 8 x 64 -> 4 x 4 x 128."""
    filters = settings["filters"]
    return [
        Conv2D(filters, 3, strides=2, padding="same", activation="relu"),
        Conv2D(2 * filters, 3, strides=2, padding="same", activation="relu"),
        Conv2D(4 * filters, 3, strides=2, padding="same", activation="relu"),
        Flatten(),
    ]


def decoder_layers(settings):
    """Return the layers 2 -> 4 x 4 x 128 -> 8 x 8 x 128 -> 16 x 16 x 64 -> 32 x 32 x 1."""
    filters = settings["filters"]
    shape = image_shape(settings, SIDE)
    sizes = sizes_after(shape[:2], (2, 2, 2))
    return [
        Dense(math.prod(sizes[3]) * 4 * filters),
        Reshape((*sizes[3], 4 * filters)),
        Conv2DTranspose(4 * filters, 3, strides=2, padding="same", activation="relu"),
        *crop(sizes[3], 2, sizes[2]),
        Conv2DTranspose(2 * filters, 3, strides=2, padding="same", activation="relu"),
        *crop(sizes[2], 2, sizes[1]),
        Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu"),
        *crop(sizes[1], 2, sizes[0]),
        Conv2D(shape[2], 3, padding="same", activation="sigmoid"),
    ]


def make_model(settings, backend="cpu"):
    """Return an autoencoder: three convolutions down to two numbers, and up again."""
    return Autoencoder(
        encoder=[*encoder_layers(settings), Dense(settings["latent_dim"])],
        decoder=decoder_layers(settings),
        reconstruction="binary_crossentropy",
        backend=backend,
    )


LAB = ImageLab(
    number=2,
    name="fashion-autoencoder",
    title="Garments through a plane, by a plain convolutional autoencoder",
    data="fashion-mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=30,
    batch_size=10,
    optimizer=Adam,
    settings={"filters": 32, "latent_dim": 2, "learning_rate": 0.001},
    small_settings={"filters": 2, "side": 8},
    takes_labels=False,
    make_model=make_model,
    parameters=343_043,
    unit="mean cross-entropy of a pixel, nats",
    references=(Reference("the sheet", 30, 0.2420, 0.2448),),
    figures=(
        loss_curves,
        embedding,
        partial(grids, ranges=((-8, 8, 1.5), (-5, 5, 1.0), (-3, 3, 0.8))),
        reconstructions,
    ),
    beside="fashion-conv",
)
