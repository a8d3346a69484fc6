"""The lab sheet `mnist-batchnorm-deep` from top to bottom: 23 million parameters, beside the 26
thousand of its baseline.

    python examples/mnist_batchnorm_deep.py             as the sheet has it: 5 epochs, some 15 minutes each on two cores
    python examples/mnist_batchnorm_deep.py --epochs 1  a look that takes a quarter of an hour

The same lab from the command line: scratchvae train mnist-batchnorm-deep
"""

from pathlib import Path

import click

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.layers import BatchNormalization, Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from scratchvae.models import VAE
from scratchvae.optimizers import Adam

# Filters and strides of the encoder's convolutions, from 28 x 28 to 7 x 7; the decoder has the same
# from last to first.
BASELINE = ((8, 2), (16, 2))
DEEP = ((128, 2), (256, 2), (512, 1), (1024, 1))


def make_vae(stages):
    """Convolutions, then 20 numbers, then 2, and up again, every layer followed by batch
    normalisation.
    """
    encoder = []
    for filters, strides in stages:
        encoder += [
            Conv2D(filters, 3, strides=strides, padding="same", activation="relu"),
            BatchNormalization(),
        ]
    encoder += [Flatten(), Dense(20, activation="relu"), BatchNormalization()]

    decoder = [
        Dense(7 * 7 * filters, activation="relu"),
        BatchNormalization(),
        Reshape((7, 7, filters)),
    ]
    for filters, strides in reversed(stages):
        decoder += [
            Conv2DTranspose(filters, 3, strides=strides, padding="same", activation="relu"),
            BatchNormalization(),
        ]
    decoder += [Conv2DTranspose(1, 3, padding="same", activation="sigmoid")]

    # The loss that the sheet compiles has no KL term; kl_weight = 1 / 784 would make it an ELBO.
    return VAE(
        encoder, latent_dim=2, decoder=decoder, reconstruction="binary_crossentropy", kl_weight=0.0
    )


def train(name, stages, epochs, x, out, note):
    """Train a network, the last 20 % of the images validating, and draw its loss curves."""
    print(f"{name}:")
    kept = len(x) - len(x) // 5
    vae = make_vae(stages)
    history = vae.fit(
        x[:kept], epochs=epochs, batch_size=128, optimizer=Adam(), validation_data=x[kept:], seed=0
    )
    print(vae.summary())
    print(
        plots.loss_curves(
            history,
            out / f"loss_curves_{name}.png",
            f"mnist-batchnorm, {name}",
            note,
            ylabel="mean cross-entropy of a pixel, nats",
        )
    )
    return vae


@click.command()
@click.option("--epochs", default=5, show_default=True, type=click.IntRange(1))
@click.option(
    "--baseline-epochs",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="Of the small network.",
)
@click.option("--limit", type=click.IntRange(5), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--out",
    default="mnist_batchnorm_deep_figures",
    show_default=True,
    type=click.Path(path_type=Path),
)
def main(epochs, baseline_epochs, limit, data_dir, out):
    """Train the baseline and the deep network, and draw them side by side."""
    data = load_mnist(data_dir)
    print(data.description)
    x = data.x_train[:limit]
    x_test = data.x_test[:limit]
    labels = data.y_test[:limit]

    # Both networks, trained alike.
    vaes = {
        "baseline": train("baseline", BASELINE, baseline_epochs, x, out, data.description),
        "deep": train("deep", DEEP, epochs, x, out, data.description),
    }

    # Where the two encoders put the digits they have never seen; nothing keeps them near the prior.
    z_means = {name: vae.encode(x_test)[0] for name, vae in vaes.items()}
    print(
        plots.latent_scatters(
            z_means,
            labels,
            data.classes,
            out / "latent_scatters.png",
            "Test digits in two latent spaces",
            data.description,
        )
    )

    # What the two decoders make of every point of the plane, in equal steps of probability of the
    # prior.
    decoders = {name: vae.decode for name, vae in vaes.items()}
    print(
        plots.manifolds(
            decoders, out / "manifolds.png", "Two decoders' manifolds", data.description
        )
    )

    # What the deep network leaves of a digit, and what it makes of points drawn from the prior.
    deep = vaes["deep"]
    print(
        plots.reconstructions(
            x_test[:10],
            deep.reconstruct(x_test[:10]),
            out / "reconstructions.png",
            "Originals and reconstructions",
            data.description,
        )
    )
    print(plots.samples(deep.sample(30, seed=1), out / "samples.png", "Samples", data.description))


if __name__ == "__main__":
    main()
