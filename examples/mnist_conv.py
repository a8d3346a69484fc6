"""The lab sheet `mnist-conv` from top to bottom: handwritten digits through a plane, with
convolutions.

    python examples/mnist_conv.py                   as the sheet has it: 10 epochs, some 4 minutes on two cores
    python examples/mnist_conv.py --epochs 1        a quick look

The same lab from the command line: scratchvae train mnist-conv
"""

from pathlib import Path

import click

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from scratchvae.models import VAE
from scratchvae.optimizers import Adam

PIXELS = 28 * 28


def make_vae():
    """28 x 28 -> 14 x 14 x 32 -> 7 x 7 x 64 -> 16 -> 2, and up again.

    The sheet's loss is the sum of the cross-entropy over the pixels, that is 784 times their mean,
    plus the KL divergence.
    """
    return VAE(
        encoder=[
            Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            Flatten(),
            Dense(16, activation="relu"),
        ],
        latent_dim=2,
        decoder=[
            Dense(7 * 7 * 64, activation="relu"),
            Reshape((7, 7, 64)),
            Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
        ],
        reconstruction="binary_crossentropy",
        reconstruction_scale=float(PIXELS),
    )


@click.command()
@click.option("--epochs", default=10, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--out", default="mnist_conv_figures", show_default=True, type=click.Path(path_type=Path)
)
def main(epochs, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: images of 28 x 28 pixels and one channel, in [0, 1].
    data = load_mnist(data_dir)
    print(data.description)
    x_train = data.x_train[:limit]
    x_test = data.x_test[:limit]
    labels = data.y_test[:limit]

    # The model, and training: the test set is the validation set.
    vae = make_vae()
    history = vae.fit(
        x_train, epochs=epochs, batch_size=128, optimizer=Adam(), validation_data=x_test, seed=0
    )
    print(vae.summary())

    # What happened.
    print(plots.loss_curves(history, out / "loss_curves.png", "mnist-conv", data.description))

    # Where the encoder puts the digits it has never seen: each is a normal distribution, of which
    # this is the mean.
    z_mean, z_log_var = vae.encode(x_test)
    print(
        plots.latent_scatter(
            z_mean,
            labels,
            data.classes,
            out / "latent_scatter.png",
            "Test digits in latent space",
            data.description,
        )
    )

    # What the decoder makes of every point of the plane, in equal steps of probability.
    print(
        plots.manifold(vae.decode, out / "manifold.png", "The decoder's manifold", data.description)
    )

    # What is left of a digit after it has been squeezed through two numbers.
    print(
        plots.reconstructions(
            x_test[:10],
            vae.reconstruct(x_test[:10]),
            out / "reconstructions.png",
            "Originals and reconstructions",
            data.description,
        )
    )

    # New digits: decoded from points drawn from the prior.
    print(plots.samples(vae.sample(30, seed=1), out / "samples.png", "Samples", data.description))


if __name__ == "__main__":
    main()
