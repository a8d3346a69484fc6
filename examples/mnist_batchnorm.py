"""The lab sheet `mnist-batchnorm`: a small convolutional VAE, batch-normalised throughout.

    python examples/mnist_batchnorm.py              as the sheet has it: 50 epochs, some 3 minutes
                                                    on two cores
    python examples/mnist_batchnorm.py --epochs 5   a quick look

The model is in scratchvae/labs/mnist_batchnorm.py. The same lab from the command line:
scratchvae train mnist-batchnorm
"""
from pathlib import Path

import click

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs.mnist_batchnorm import LAB, make_model
from scratchvae.optimizers import Adam


@click.command()
@click.option("--epochs", default=50, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(5), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option("--out", default="mnist_batchnorm_figures", show_default=True,
              type=click.Path(path_type=Path))
def main(epochs, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: the last 20 % of the training images validate.
    data = load_mnist(data_dir)
    note = data.description
    print(note)
    x = data.x_train[:limit]
    x_test = data.x_test[:limit]
    labels = data.y_test[:limit]
    kept = len(x) - len(x) // 5
    x_train = x[:kept]
    x_validation = x[kept:]

    # The model normalises by the mean and variance of each batch in training, and by their moving
    # averages afterwards. The loss that the sheet compiles has no KL term: the lab's kl_weight is
    # 0, and 1 / 784 would make it an ELBO.
    vae = make_model(LAB.settings)
    history = vae.fit(x_train, epochs=epochs, batch_size=128, optimizer=Adam(),
                      validation_data=x_validation, seed=0)
    print(vae.summary())

    # The losses by epoch.
    print(plots.loss_curves(history, out / "loss_curves.png", "mnist-batchnorm", note,
                            ylabel=LAB.unit))

    # Where the encoder puts digits of the test set; nothing keeps them near the prior.
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
