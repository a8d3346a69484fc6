"""The lab sheet `mnist-batchnorm-deep`: 23 million parameters beside a baseline of 26 thousand.

    python examples/mnist_batchnorm_deep.py             as the sheet has it: 5 epochs of the deep
                                                        network, some 15 minutes each on two cores
    python examples/mnist_batchnorm_deep.py --epochs 1  a look that takes a quarter of an hour

The models are in scratchvae/labs/mnist_batchnorm.py and mnist_batchnorm_deep.py. The same lab from
the command line: scratchvae train mnist-batchnorm-deep
"""
from pathlib import Path

import click

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs import mnist_batchnorm, mnist_batchnorm_deep
from scratchvae.optimizers import Adam


def train(name, vae, epochs, x, out, note):
    """Train a network, with the last 20 % of the images for validation, and draw its losses."""
    print(f"{name}:")
    kept = len(x) - len(x) // 5
    history = vae.fit(x[:kept], epochs=epochs, batch_size=128, optimizer=Adam(),
                      validation_data=x[kept:], seed=0)
    print(vae.summary())
    print(plots.loss_curves(history, out / f"loss_curves_{name}.png", f"mnist-batchnorm, {name}",
                            note, ylabel=mnist_batchnorm.LAB.unit))


@click.command()
@click.option("--epochs", default=5, show_default=True, type=click.IntRange(1))
@click.option("--baseline-epochs", default=5, show_default=True, type=click.IntRange(1),
              help="Of the small network.")
@click.option("--limit", type=click.IntRange(5), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option("--out", default="mnist_batchnorm_deep_figures", show_default=True,
              type=click.Path(path_type=Path))
def main(epochs, baseline_epochs, limit, data_dir, out):
    """Train the baseline and the deep network, and draw them side by side."""
    data = load_mnist(data_dir)
    note = data.description
    print(note)
    x = data.x_train[:limit]
    x_test = data.x_test[:limit]
    labels = data.y_test[:limit]

    # Both networks, trained alike. Their losses have no KL term, as on the sheet.
    baseline = mnist_batchnorm.make_model(mnist_batchnorm.LAB.settings)
    train("baseline", baseline, baseline_epochs, x, out, note)
    deep = mnist_batchnorm_deep.make_model(mnist_batchnorm_deep.LAB.settings)
    train("deep", deep, epochs, x, out, note)
    vaes = {"baseline": baseline, "deep": deep}

    # Where the two encoders put digits of the test set; nothing keeps them near the prior.
    z_means = {name: vae.encode(x_test)[0] for name, vae in vaes.items()}
    print(plots.latent_scatters(z_means, labels, data.classes, out / "latent_scatters.png",
                                "Test digits in two latent spaces", note))

    # The two decoders' images of the whole plane, in equal steps of the prior's probability.
    decoders = {name: vae.decode for name, vae in vaes.items()}
    print(plots.manifolds(decoders, out / "manifolds.png", "Two decoders' manifolds", note))

    # What the deep network keeps of digits, and its images of points drawn from the prior.
    print(plots.reconstructions(x_test[:10], deep.reconstruct(x_test[:10]),
                                out / "reconstructions.png", "Originals and reconstructions", note))
    print(plots.samples(deep.sample(30, seed=1), out / "samples.png", "Samples", note))


if __name__ == "__main__":
    main()
