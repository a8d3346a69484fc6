"""The lab sheet `mnist-dense` from top to bottom: a variational autoencoder of handwritten digits,
with a latent plane to look at.

    python examples/mnist_dense.py                  as the sheet has it: 50 epochs, a minute or two
    python examples/mnist_dense.py --epochs 5       a quick look

The same lab from the command line: scratchvae train mnist-dense
"""

from pathlib import Path

import click

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.layers import Dense
from scratchvae.models import VAE
from scratchvae.optimizers import RMSprop

PIXELS = 28 * 28


def make_vae():
    """Encoder 784 -> 256 -> 2, decoder 2 -> 256 -> 784.

    The sheet's loss is 784 times Keras's mean cross-entropy, that is the sum over the pixels, plus
    the KL divergence.
    """
    return VAE(
        encoder=[Dense(256, activation="relu")],
        latent_dim=2,
        decoder=[Dense(256, activation="relu"), Dense(PIXELS, activation="sigmoid")],
        reconstruction="binary_crossentropy",
        reconstruction_scale=float(PIXELS),
    )


@click.command()
@click.option("--epochs", default=50, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--out", default="mnist_dense_figures", show_default=True, type=click.Path(path_type=Path)
)
def main(epochs, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: images in [0, 1], one row of 784 numbers each.
    data = load_mnist(data_dir)
    print(data.description)
    x_train, x_test = (images[:limit].reshape(-1, PIXELS) for images in (data.x_train, data.x_test))
    labels = data.y_test[:limit]

    # The model, and training: the test set is the validation set, as on the sheet.
    vae = make_vae()
    history = vae.fit(
        x_train, epochs=epochs, batch_size=100, optimizer=RMSprop(), validation_data=x_test, seed=0
    )
    print(vae.summary())

    # What happened.
    print(plots.loss_curves(history, out / "loss_curves.png", "mnist-dense", data.description))

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
