"""The lab sheet `mnist-latent8` from top to bottom: handwritten digits through eight dimensions,
watched while they are learnt.

    python examples/mnist_latent8.py                as the sheet has it: 32 epochs, some 35 minutes on two cores
    python examples/mnist_latent8.py --epochs 1     a quick look

The same lab from the command line: scratchvae train mnist-latent8
"""

from pathlib import Path

import click
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.layers import Conv2D, Conv2DTranspose, Dense, Dropout, Flatten, Reshape
from scratchvae.models import VAE
from scratchvae.optimizers import Adam
from scratchvae.runs.record import Record

PIXELS = 28 * 28
DROPPED = 0.0  # the sheet's keep_prob is 1.0: its dropout keeps everything
LEAKY = "leaky_relu(0.3)"
UNIT = "squared error + KL, an image"


def make_vae():
    """28 x 28 -> 7 x 7 x 64 -> 8, and up again; the loss is the sum of the squared differences,
    plus the KL divergence.

    The sheet's sd = Dense / 2 is the logarithm of the standard deviation, so its Dense is the
    logarithm of the variance.
    """
    # The sheet gives its convolutions no activation: three in a row are linear, and no more than
    # one.
    return VAE(
        encoder=[
            Conv2D(64, 4, strides=2, padding="same"),
            Dropout(DROPPED),
            Conv2D(64, 4, strides=2, padding="same"),
            Dropout(DROPPED),
            Conv2D(64, 4, strides=1, padding="same"),
            Dropout(DROPPED),
            Flatten(),
        ],
        latent_dim=8,
        decoder=[
            Dense(24, activation=LEAKY),
            Dense(7 * 7, activation=LEAKY),
            Reshape((7, 7, 1)),
            Conv2DTranspose(64, 4, strides=2, padding="same"),
            Dropout(DROPPED),
            Conv2DTranspose(64, 4, strides=1, padding="same"),
            Dropout(DROPPED),
            Conv2DTranspose(64, 4, strides=1, padding="same"),
            Flatten(),
            Dense(PIXELS, activation="sigmoid"),
            Reshape((28, 28, 1)),
        ],
        reconstruction="squared_error",
        reconstruction_scale=float(PIXELS),
    )


@click.command()
@click.option(
    "--epochs",
    default=32,
    show_default=True,
    type=click.IntRange(1),
    help="Of 938 steps: the sheet has 30,000.",
)
@click.option(
    "--every",
    default=200,
    show_default=True,
    type=click.IntRange(1),
    help="Keep an input and its output every N steps.",
)
@click.option("--limit", type=click.IntRange(1), help="Use only the first N images.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--out", default="mnist_latent8_figures", show_default=True, type=click.Path(path_type=Path)
)
def main(epochs, every, limit, data_dir, out):
    """Train the lab's model and draw its figures."""
    # The data: images of 28 x 28 pixels and one channel, in [0, 1].
    data = load_mnist(data_dir)
    print(data.description)
    x_train = data.x_train[:limit]
    x_test = data.x_test[:limit]
    labels = data.y_test[:limit]

    # The model, and training, with a look at it after every step.
    vae = make_vae()
    record = Record(vae, every)
    history = vae.fit(
        x_train,
        epochs=epochs,
        batch_size=64,
        optimizer=Adam(0.0005, epsilon=1e-8),
        validation_data=x_test,
        seed=0,
        callbacks=[record],
    )
    print(vae.summary())

    # What happened, by epoch and by step.
    print(
        plots.loss_curves(
            history, out / "loss_curves.png", "mnist-latent8", data.description, ylabel=UNIT
        )
    )
    print(
        plots.step_curve(
            record.steps,
            record.losses,
            out / "loss_by_step.png",
            "Loss of each batch",
            data.description,
            UNIT,
        )
    )

    # What came out of the network as it learnt, beside what went in.
    if record.recorded:
        print(
            plots.progress_pairs(
                record.recorded,
                np.array(record.inputs),
                np.array(record.outputs),
                out / "progress.png",
                "Inputs and outputs during training",
                data.description,
            )
        )

    # New digits: decoded from points drawn from the prior.
    print(
        plots.samples(
            vae.sample(10),
            out / "samples.png",
            "Samples",
            data.description,
            titles=f"n_latent={vae.latent_dim}",
        )
    )

    # How the test digits spread over one of the eight coordinates; together they should resemble
    # the prior.
    z_mean, z_log_var = vae.encode(x_test)
    print(
        plots.latent_histogram(
            z_mean[:, 0],
            out / "histogram.png",
            "The first coordinate of the test digits",
            data.description,
        )
    )

    # What that coordinate means: the first test digit, decoded with it at -2.4, -2.3, ... 2.5.
    for path in plots.traversal(
        vae.decode,
        z_mean[0],
        0,
        -2.4 + 0.1 * np.arange(50),
        out,
        "One coordinate moved",
        data.description,
    ):
        print(path)

    # Two of the eight coordinates, and what is left of a digit after it has been squeezed through
    # all of them.
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
    print(
        plots.reconstructions(
            x_test[:10],
            vae.reconstruct(x_test[:10]),
            out / "reconstructions.png",
            "Originals and reconstructions",
            data.description,
        )
    )


if __name__ == "__main__":
    main()
