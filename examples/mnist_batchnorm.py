"""The lab sheet `mnist-batchnorm` from top to bottom: a small convolutional network, batch-
normalised throughout.

    python examples/mnist_batchnorm.py              as the sheet has it: 50 epochs, some 3 minutes on two cores
    python examples/mnist_batchnorm.py --epochs 5   a quick look

The same lab from the command line: scratchvae train mnist-batchnorm
"""

from pathlib import Path

import click

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.layers import BatchNormalization, Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from scratchvae.models import VAE
from scratchvae.optimizers import Adam


def make_vae():
    """28 x 28 -> 14 x 14 x 8 -> 7 x 7 x 16 -> 20 -> 2, and up again, every layer followed by batch
    normalisation.
    """
    return VAE(
        encoder=[
            Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            BatchNormalization(),
            Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            BatchNormalization(),
            Flatten(),
            Dense(20, activation="relu"),
            BatchNormalization(),
        ],
        latent_dim=2,
        decoder=[
            Dense(7 * 7 * 16, activation="relu"),
            BatchNormalization(),
            Reshape((7, 7, 16)),
            Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
            BatchNormalization(),
            Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
            BatchNormalization(),
            Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
        ],
        reconstruction="binary_crossentropy",
        # the loss that the sheet compiles has no KL term; 1 / 784 would make it an ELBO
        kl_weight=0.0,
    )


@click.command()
@click.option("--epochs", default=50, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(5), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--out", default="mnist_batchnorm_figures", show_default=True, type=click.Path(path_type=Path)
)
def main(epochs, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: the last 20 % of the training images validate.
    data = load_mnist(data_dir)
    print(data.description)
    x = data.x_train[:limit]
    x_test = data.x_test[:limit]
    labels = data.y_test[:limit]
    kept = len(x) - len(x) // 5
    x_train = x[:kept]
    x_validation = x[kept:]

    # The model, and training.  It normalises by each batch's mean and variance, and keeps moving averages of them for later.
    vae = make_vae()
    history = vae.fit(
        x_train,
        epochs=epochs,
        batch_size=128,
        optimizer=Adam(),
        validation_data=x_validation,
        seed=0,
    )
    print(vae.summary())

    # What happened.
    print(
        plots.loss_curves(
            history,
            out / "loss_curves.png",
            "mnist-batchnorm",
            data.description,
            ylabel="mean cross-entropy of a pixel, nats",
        )
    )

    # Where the encoder puts the digits it has never seen; nothing keeps them near the prior.
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

    # What the decoder makes of every point of the plane, in equal steps of probability of the
    # prior.
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
