"""The lab sheet `fashion-autoencoder` from top to bottom: garments through a plane, without a
distribution over it.

    python examples/fashion_autoencoder.py              as the sheet has it: 30 epochs, some 25 minutes on two cores
    python examples/fashion_autoencoder.py --epochs 1   a quick look

The same lab from the command line: scratchvae train fashion-autoencoder
"""

from pathlib import Path

import click
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_fashion_mnist
from scratchvae.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from scratchvae.models import Autoencoder
from scratchvae.optimizers import Adam


def make_autoencoder():
    """32 x 32 -> 16 x 16 x 32 -> 8 x 8 x 64 -> 4 x 4 x 128 -> 2, and up again."""
    return Autoencoder(
        encoder=[
            Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            Conv2D(128, 3, strides=2, padding="same", activation="relu"),
            Flatten(),
            Dense(2),
        ],
        decoder=[
            Dense(4 * 4 * 128),
            Reshape((4, 4, 128)),
            Conv2DTranspose(128, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            Conv2D(1, 3, padding="same", activation="sigmoid"),
        ],
        reconstruction="binary_crossentropy",
    )


def pad(images):
    """Images of 28 x 28 with a black border, as 32 x 32: three times they can be halved evenly."""
    return np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))


def grid(low, high, step):
    """A part of the plane for decoded_grids:

    z_1 from low to high down the rows, z_2 in steps along them.
    """
    return (
        f"$z_1$ from {low} to {high}, $z_2$ in steps of {step}",
        np.linspace(low, high, 11),
        step * np.arange(-5, 6),
    )


@click.command()
@click.option("--epochs", default=30, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--out",
    default="fashion_autoencoder_figures",
    show_default=True,
    type=click.Path(path_type=Path),
)
def main(epochs, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: images in [0, 1], padded to 32 x 32 pixels.
    data = load_fashion_mnist(data_dir)
    print(data.description)
    x_train = pad(data.x_train[:limit])
    x_test = pad(data.x_test[:limit])
    labels = data.y_test[:limit]

    # The model, and training: the test set is the validation set, as on the sheet.
    autoencoder = make_autoencoder()
    history = autoencoder.fit(
        x_train, epochs=epochs, batch_size=10, optimizer=Adam(), validation_data=x_test, seed=0
    )
    print(autoencoder.summary())

    # What happened.
    print(
        plots.loss_curves(
            history,
            out / "loss_curves.png",
            "fashion-autoencoder",
            data.description,
            ylabel="mean cross-entropy of a pixel, nats",
        )
    )

    # Where the encoder puts the garments it has never seen: each is one point.
    z = autoencoder.encode(x_test)
    print(
        plots.latent_scatter(
            z,
            labels,
            data.classes,
            out / "latent_scatter.png",
            "Test garments in latent space",
            data.description,
        )
    )

    # What the decoder makes of the plane, from afar and nearer: between the points of the embedding
    # there are holes.
    grids = [grid(-8, 8, 1.5), grid(-5, 5, 1.0), grid(-3, 3, 0.8)]
    print(
        plots.decoded_grids(
            autoencoder.decode,
            grids,
            out / "grids.png",
            "The decoded latent plane",
            data.description,
        )
    )

    # What is left of a garment after it has been squeezed through two numbers.
    print(
        plots.reconstructions(
            x_test[:10],
            autoencoder.reconstruct(x_test[:10]),
            out / "reconstructions.png",
            "Originals and reconstructions",
            data.description,
        )
    )


if __name__ == "__main__":
    main()
