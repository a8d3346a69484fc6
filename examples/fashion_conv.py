"""The lab sheet `fashion-conv`: a VAE of garments, beside the plain autoencoder.

    python examples/fashion_conv.py             as the sheet has it: 30 epochs, some 25 minutes on
                                                two cores for each of the two models
    python examples/fashion_conv.py --epochs 1  a quick look

The models are in scratchvae/labs/fashion_autoencoder.py and fashion_conv.py. The same lab from the
command line: scratchvae train fashion-autoencoder, then scratchvae train fashion-conv
"""
from pathlib import Path

import click
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_fashion_mnist
from scratchvae.labs import fashion_autoencoder, fashion_conv
from scratchvae.optimizers import Adam


def grid(low, high, step):
    """Return a part of the plane: z_1 from low to high down the rows, z_2 in steps along them."""
    title = f"$z_1$ from {low} to {high}, $z_2$ in steps of {step}"
    return title, np.linspace(low, high, 11), step * np.arange(-5, 6)


@click.command()
@click.option("--epochs", default=30, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option("--out", default="fashion_conv_figures", show_default=True,
              type=click.Path(path_type=Path))
def main(epochs, limit, data_dir, out):
    """Train both models and draw them side by side."""
    # The data: images in [0, 1], with a black border that makes them 32 x 32 pixels.
    data = load_fashion_mnist(data_dir)
    note = data.description
    print(note)
    x_train = fashion_conv.LAB.prepare(data.x_train[:limit])
    x_test = fashion_conv.LAB.prepare(data.x_test[:limit])
    labels = data.y_test[:limit]

    # The plain autoencoder first: an image becomes a point of the plane, and the point an image.
    autoencoder = fashion_autoencoder.make_model(fashion_autoencoder.LAB.settings)
    history = autoencoder.fit(x_train, epochs=epochs, batch_size=10, optimizer=Adam(),
                              validation_data=x_test, seed=0)
    print(autoencoder.summary())
    print(plots.loss_curves(history, out / "loss_curves_autoencoder.png", "fashion-autoencoder",
                            note, ylabel=fashion_autoencoder.LAB.unit))

    # The VAE: an image becomes a distribution over the plane. The sheet's validation figures are
    # those of the last batch alone; these are means over the whole test set.
    vae = fashion_conv.make_model(fashion_conv.LAB.settings)
    history = vae.fit(x_train, epochs=epochs, batch_size=10, optimizer=Adam(),
                      validation_data=x_test, seed=0)
    print(vae.summary())
    print(plots.loss_curves(history, out / "loss_curves.png", "fashion-conv", note,
                            ylabel=fashion_conv.LAB.unit))

    # Where the two encoders put garments of the test set: scattered far, and around the origin.
    embeddings = {"autoencoder": autoencoder.encode(x_test), "VAE": vae.encode(x_test)[0]}
    print(plots.latent_scatters(embeddings, labels, data.classes, out / "latent_scatters.png",
                                "Test garments in two latent spaces", note))

    # The two decoders' images of the plane, from afar and nearer: with holes, and without.
    grids = [grid(-8, 8, 1.5), grid(-5, 5, 1.0), grid(-3, 3, 0.8)]
    print(plots.decoded_grids(autoencoder.decode, grids, out / "grids_autoencoder.png",
                              "The autoencoder's plane", note))
    grids = [grid(-4, 4, 0.5), grid(-2, 1.5, 0.3), grid(-1.5, 0.7, 0.15)]
    print(plots.decoded_grids(vae.decode, grids, out / "grids.png", "The VAE's plane", note))

    # The VAE's plane once more, in equal steps of the prior's probability.
    print(plots.manifold(vae.decode, out / "manifold.png", "The decoder's manifold", note))

    # Garments, and what two numbers keep of them.
    print(plots.reconstructions(x_test[:10], vae.reconstruct(x_test[:10]),
                                out / "reconstructions.png", "Originals and reconstructions", note))

    # New garments: decoded from points drawn from the prior.
    print(plots.samples(vae.sample(30, seed=1), out / "samples.png", "Samples", note))


if __name__ == "__main__":
    main()
