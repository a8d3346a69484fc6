"""The lab sheet `fashion-conv` from top to bottom: garments through a plane, by a VAE and by a
plain autoencoder beside it.

    python examples/fashion_conv.py             as the sheet has it: 30 epochs, some 25 minutes on two cores for each of the two
    python examples/fashion_conv.py --epochs 1  a quick look

The same lab from the command line: scratchvae train fashion-autoencoder, then scratchvae train
fashion-conv
"""

from pathlib import Path

import click
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_fashion_mnist
from scratchvae.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from scratchvae.models import VAE, Autoencoder
from scratchvae.optimizers import Adam


def encoder():
    """32 x 32 -> 16 x 16 x 32 -> 8 x 8 x 64 -> 4 x 4 x 128."""
    return [
        Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        Conv2D(64, 3, strides=2, padding="same", activation="relu"),
        Conv2D(128, 3, strides=2, padding="same", activation="relu"),
        Flatten(),
    ]


def decoder():
    """2 -> 4 x 4 x 128 -> 8 x 8 x 128 -> 16 x 16 x 64 -> 32 x 32 x 32 -> 32 x 32."""
    return [
        Dense(4 * 4 * 128),
        Reshape((4, 4, 128)),
        Conv2DTranspose(128, 3, strides=2, padding="same", activation="relu"),
        Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
        Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
        Conv2D(1, 3, padding="same", activation="sigmoid"),
    ]


def make_autoencoder():
    """An image becomes a point of the plane, and the point an image."""
    return Autoencoder(
        encoder=[*encoder(), Dense(2)], decoder=decoder(), reconstruction="binary_crossentropy"
    )


def make_vae():
    """An image becomes a distribution over the plane;

    the sheet's loss is 500 x the mean cross-entropy, plus the KL divergence.
    """
    return VAE(
        encoder=encoder(),
        latent_dim=2,
        decoder=decoder(),
        reconstruction="binary_crossentropy",
        reconstruction_scale=500.0,
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
    "--out", default="fashion_conv_figures", show_default=True, type=click.Path(path_type=Path)
)
def main(epochs, limit, data_dir, out):
    """Train both models and draw them side by side."""
    # The data: images in [0, 1], padded to 32 x 32 pixels.
    data = load_fashion_mnist(data_dir)
    print(data.description)
    x_train = pad(data.x_train[:limit])
    x_test = pad(data.x_test[:limit])
    labels = data.y_test[:limit]

    # The plain autoencoder first: what does it lack?
    autoencoder = make_autoencoder()
    history = autoencoder.fit(
        x_train, epochs=epochs, batch_size=10, optimizer=Adam(), validation_data=x_test, seed=0
    )
    print(autoencoder.summary())
    print(
        plots.loss_curves(
            history,
            out / "loss_curves_autoencoder.png",
            "fashion-autoencoder",
            data.description,
            ylabel="mean cross-entropy of a pixel, nats",
        )
    )

    # The VAE.  The sheet's validation figures are those of the last batch alone; these are means over the whole test set.
    vae = make_vae()
    history = vae.fit(
        x_train, epochs=epochs, batch_size=10, optimizer=Adam(), validation_data=x_test, seed=0
    )
    print(vae.summary())
    print(
        plots.loss_curves(
            history,
            out / "loss_curves.png",
            "fashion-conv",
            data.description,
            ylabel="500 x mean nats a pixel, + KL",
        )
    )

    # Where the two encoders put the garments they have never seen: scattered far, and gathered
    # round the origin.
    embeddings = {"autoencoder": autoencoder.encode(x_test), "VAE": vae.encode(x_test)[0]}
    print(
        plots.latent_scatters(
            embeddings,
            labels,
            data.classes,
            out / "latent_scatters.png",
            "Test garments in two latent spaces",
            data.description,
        )
    )

    # What the two decoders make of the plane, from afar and nearer: with holes, and without.
    grids = [grid(-8, 8, 1.5), grid(-5, 5, 1.0), grid(-3, 3, 0.8)]
    print(
        plots.decoded_grids(
            autoencoder.decode,
            grids,
            out / "grids_autoencoder.png",
            "The autoencoder's plane",
            data.description,
        )
    )
    grids = [grid(-4, 4, 0.5), grid(-2, 1.5, 0.3), grid(-1.5, 0.7, 0.15)]
    print(
        plots.decoded_grids(
            vae.decode, grids, out / "grids.png", "The VAE's plane", data.description
        )
    )

    # The VAE's plane once more, in equal steps of probability.
    print(
        plots.manifold(vae.decode, out / "manifold.png", "The decoder's manifold", data.description)
    )

    # What is left of a garment after it has been squeezed through two numbers.
    print(
        plots.reconstructions(
            x_test[:10],
            vae.reconstruct(x_test[:10]),
            out / "reconstructions.png",
            "Originals and reconstructions",
            data.description,
        )
    )

    # New garments: decoded from points drawn from the prior.
    print(plots.samples(vae.sample(30, seed=1), out / "samples.png", "Samples", data.description))


if __name__ == "__main__":
    main()
