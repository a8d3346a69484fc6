"""fashion-autoencoder: garments through a plane, without a distribution over it."""
from ..layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from ..models import Autoencoder
from .figures import embedding, grids, loss_curves, reconstructions
from .lab import Lab, Reference

SIDE = 32                       # the sheet pads the images of 28 x 28, so that halving goes evenly


def encoder_layers(settings):
    """32 x 32 x 1 -> 16 x 16 x 32 -> 8 x 8 x 64 -> 4 x 4 x 128."""
    f = settings["filters"]
    return [Conv2D(f, 3, strides=2, padding="same", activation="relu"),
            Conv2D(2 * f, 3, strides=2, padding="same", activation="relu"),
            Conv2D(4 * f, 3, strides=2, padding="same", activation="relu"),
            Flatten()]


def decoder_layers(settings):
    """z -> 4 x 4 x 128 -> 8 x 8 x 128 -> 16 x 16 x 64 -> 32 x 32 x 32 -> 32 x 32 x 1."""
    f = settings["filters"]
    side = settings.get("side", SIDE) // 8
    return [Dense(side * side * 4 * f),
            Reshape((side, side, 4 * f)),
            Conv2DTranspose(4 * f, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(2 * f, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(f, 3, strides=2, padding="same", activation="relu"),
            Conv2D(1, 3, padding="same", activation="sigmoid")]


def make_model(settings, backend="cpu"):
    """Three convolutions down to two numbers, and back; the loss is the mean cross-entropy."""
    return Autoencoder(
        encoder=[*encoder_layers(settings), Dense(settings["latent_dim"])],
        decoder=decoder_layers(settings),
        reconstruction="binary_crossentropy",
        backend=backend)


LAB = Lab(
    order=2,
    name="fashion-autoencoder",
    title="Garments through a plane, by a plain convolutional autoencoder",
    data="fashion-mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=30,
    batch_size=10,
    settings={"filters": 32, "latent_dim": 2, "learning_rate": 0.001},
    small_settings={"filters": 2, "side": 8},
    parameters=343_043,
    references=(Reference("the sheet", 30, 0.2420, 0.2448),),
    make_model=make_model,
    figures=(loss_curves, embedding, grids((-8, 8, 1.5), (-5, 5, 1.0), (-3, 3, 0.8)),
             reconstructions),
    unit="mean cross-entropy of a pixel, nats",
    beside="fashion-conv",
)
