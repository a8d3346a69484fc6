"""The lab sheet `fashion-autoencoder`: a plain autoencoder of garments, with a latent plane.

    python examples/fashion_autoencoder.py              as the sheet has it: 30 epochs, some 25
                                                        minutes on two cores
    python examples/fashion_autoencoder.py --epochs 1   a quick look

The model is in scratchvae/labs/fashion_autoencoder.py. The same lab from the command line:
scratchvae train fashion-autoencoder
"""
from pathlib import Path

import click
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_fashion_mnist
from scratchvae.labs.fashion_autoencoder import LAB, make_model
from scratchvae.optimizers import Adam


def grid(low, high, step):
    """Return a part of the plane: z_1 from low to high down the rows, z_2 in steps along them."""
    title = f"$z_1$ from {low} to {high}, $z_2$ in steps of {step}"
    return title, np.linspace(low, high, 11), step * np.arange(-5, 6)


@click.command()
@click.option("--epochs", default=30, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option("--out", default="fashion_autoencoder_figures", show_default=True,
              type=click.Path(path_type=Path))
def main(epochs, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: images in [0, 1], with a black border that makes them 32 x 32 pixels.
    data = load_fashion_mnist(data_dir)
    note = data.description
    print(note)
    x_train = LAB.prepare(data.x_train[:limit])
    x_test = LAB.prepare(data.x_test[:limit])
    labels = data.y_test[:limit]

    # The model, and training: the test set is the validation set, as on the sheet.
    autoencoder = make_model(LAB.settings)
    history = autoencoder.fit(x_train, epochs=epochs, batch_size=10, optimizer=Adam(),
                              validation_data=x_test, seed=0)
    print(autoencoder.summary())

    # The losses by epoch.
    print(plots.loss_curves(history, out / "loss_curves.png", "fashion-autoencoder", note,
                            ylabel=LAB.unit))

    # Where the encoder puts garments of the test set: each is one point.
    z = autoencoder.encode(x_test)
    print(plots.latent_scatter(z, labels, data.classes, out / "latent_scatter.png",
                               "Test garments in latent space", note))

    # The decoder's images of the plane, from afar and nearer: there are holes between the points.
    grids = [grid(-8, 8, 1.5), grid(-5, 5, 1.0), grid(-3, 3, 0.8)]
    print(plots.decoded_grids(autoencoder.decode, grids, out / "grids.png",
                              "The decoded latent plane", note))

    # Garments, and what two numbers keep of them.
    print(plots.reconstructions(x_test[:10], autoencoder.reconstruct(x_test[:10]),
                                out / "reconstructions.png", "Originals and reconstructions", note))


if __name__ == "__main__":
    main()
