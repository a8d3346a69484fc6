"""The lab sheet `mnist-dense`: a VAE of handwritten digits, with a latent plane to look at.

    python examples/mnist_dense.py                  as the sheet has it: 50 epochs, a minute or two
    python examples/mnist_dense.py --epochs 5       a quick look

The model is in scratchvae/labs/mnist_dense.py. The same lab from the command line:
scratchvae train mnist-dense
"""
from pathlib import Path

import click

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs.mnist_dense import LAB, PIXELS, make_model
from scratchvae.optimizers import RMSprop


@click.command()
@click.option("--epochs", default=50, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option("--out", default="mnist_dense_figures", show_default=True,
              type=click.Path(path_type=Path))
def main(epochs, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: images in [0, 1], one row of 784 numbers each.
    data = load_mnist(data_dir)
    note = data.description
    print(note)
    x_train = data.x_train[:limit].reshape(-1, PIXELS)
    x_test = data.x_test[:limit].reshape(-1, PIXELS)
    labels = data.y_test[:limit]

    # The model, and training: the test set is the validation set, as on the sheet.
    vae = make_model(LAB.settings)
    history = vae.fit(x_train, epochs=epochs, batch_size=100, optimizer=RMSprop(),
                      validation_data=x_test, seed=0)
    print(vae.summary())

    # The losses by epoch.
    print(plots.loss_curves(history, out / "loss_curves.png", "mnist-dense", note))

    # Where the encoder puts digits of the test set: each is a normal distribution with this mean.
    z_mean, z_log_var = vae.encode(x_test)
    print(plots.latent_scatter(z_mean, labels, data.classes, out / "latent_scatter.png",
                               "Test digits in latent space", note))

    # The decoder's images of the whole plane, in equal steps of the prior's probability.
    print(plots.manifold(vae.decode, out / "manifold.png", "The decoder's manifold", note))

    # Digits, and what two numbers keep of them.
    print(plots.reconstructions(x_test[:10], vae.reconstruct(x_test[:10]),
                                out / "reconstructions.png", "Originals and reconstructions", note))

    # New digits: decoded from points drawn from the prior.
    print(plots.samples(vae.sample(30, seed=1), out / "samples.png", "Samples", note))


if __name__ == "__main__":
    main()
