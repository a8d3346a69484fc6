"""The lab sheet `mnist-latent8`: handwritten digits through eight dimensions, step by step.

    python examples/mnist_latent8.py                as the sheet has it: 32 epochs, some 35 minutes
                                                    on two cores
    python examples/mnist_latent8.py --epochs 1     a quick look

The model is in scratchvae/labs/mnist_latent8.py. The same lab from the command line:
scratchvae train mnist-latent8
"""
from pathlib import Path

import click
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs.mnist_latent8 import LAB, make_model
from scratchvae.optimizers import Adam
from scratchvae.runs.record import Record


@click.command()
@click.option("--epochs", default=32, show_default=True, type=click.IntRange(1),
              help="Of 938 steps: the sheet has 30,000.")
@click.option("--every", default=200, show_default=True, type=click.IntRange(1),
              help="Keep an input and its output every N steps.")
@click.option("--limit", type=click.IntRange(1), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option("--out", default="mnist_latent8_figures", show_default=True,
              type=click.Path(path_type=Path))
def main(epochs, every, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: images of 28 x 28 pixels and one channel, in [0, 1].
    data = load_mnist(data_dir)
    note = data.description
    print(note)
    x_train = data.x_train[:limit]
    x_test = data.x_test[:limit]
    labels = data.y_test[:limit]

    # The model, and training. The callback records the loss of every step. The settings are those
    # of the sheet: convolutions without activations, and dropout that keeps everything.
    vae = make_model(LAB.settings)
    record = Record(vae, every)
    history = vae.fit(x_train, epochs=epochs, batch_size=64, optimizer=Adam(0.0005, epsilon=1e-8),
                      validation_data=x_test, seed=0, callbacks=[record])
    print(vae.summary())

    # The losses by epoch and by step.
    print(plots.loss_curves(history, out / "loss_curves.png", "mnist-latent8", note,
                            ylabel=LAB.unit))
    print(plots.step_curve(record.steps, record.losses, out / "loss_by_step.png",
                           "Loss of each batch", note, LAB.unit))

    # Inputs, and the network's outputs as it learns.
    if record.recorded:
        print(plots.progress_pairs(record.recorded, np.array(record.inputs),
                                   np.array(record.outputs), out / "progress.png",
                                   "Inputs and outputs during training", note))

    # New digits: decoded from points drawn from the prior.
    print(plots.samples(vae.sample(10), out / "samples.png", "Samples", note,
                        titles=f"n_latent={vae.latent_dim}"))

    # How test digits spread over one of the eight coordinates; all together should resemble the
    # prior.
    z_mean, z_log_var = vae.encode(x_test)
    print(plots.latent_histogram(z_mean[:, 0], out / "histogram.png",
                                 "The first coordinate of the test digits", note))

    # What that coordinate means: the first test digit, decoded with it at -2.4, -2.3, ... 2.5.
    values = -2.4 + 0.1 * np.arange(50)
    for path in plots.traversal(vae.decode, z_mean[0], 0, values, out, "One coordinate moved",
                                note):
        print(path)

    # Two of the eight coordinates; digits, and what eight numbers keep of them.
    print(plots.latent_scatter(z_mean, labels, data.classes, out / "latent_scatter.png",
                               "Test digits in latent space", note))
    print(plots.reconstructions(x_test[:10], vae.reconstruct(x_test[:10]),
                                out / "reconstructions.png", "Originals and reconstructions", note))


if __name__ == "__main__":
    main()
