"""mnist-latent8: a convolutional VAE of digits with eight latent dimensions and dropout."""
import math
from functools import partial

import numpy as np

from .. import checks
from ..errors import ScratchVAEError
from ..layers import Conv2D, Conv2DTranspose, Dense, Dropout, Flatten, Reshape
from ..optimizers import Adam
from .figures import embedding, loss_curves, reconstructions, title
from .image_lab import ImageLab
from .lab import Reference
from .objective import KL_SETTINGS, make_vae
from .sizes import image_shape, sizes_after

SIDE = 28
MOST_WEIGHTS = 400_000_000      # of the last layer: with gradients and Adam's moments 6.4 GB
LEAKY = "leaky_relu(0.3)"
ACTIVATIONS = {                 # of the encoder's and the decoder's convolutions
    "none": ("linear", "linear"),
    "deepobs": (LEAKY, "relu"),
}


def make_model(settings, backend="cpu"):
    """Return a VAE 28 x 28 -> 7 x 7 x 64 -> 8, and the same up again.

    The loss is the sum of squared differences, plus the KL divergence. The sheet's second head is
    the logarithm of the standard deviation, sd = Dense / 2, so Dense is the logarithm of the
    variance.
    """
    name = checks.choice("setting", "activations", settings["activations"], ACTIVATIONS)
    encode, decode = ACTIVATIONS[name]
    filters = settings["filters"]
    rate = 1 - settings["keep_prob"]
    shape = image_shape(settings, SIDE)
    pixels = math.prod(shape)
    *_, coarse = sizes_after(shape[:2], (2, 2))
    check_last_layer(shape, filters)
    return make_vae(
        settings,
        encoder=[
            Conv2D(filters, 4, strides=2, padding="same", activation=encode),
            Dropout(rate),
            Conv2D(filters, 4, strides=2, padding="same", activation=encode),
            Dropout(rate),
            Conv2D(filters, 4, strides=1, padding="same", activation=encode),
            Dropout(rate),
            Flatten(),
        ],
        latent_dim=settings["latent_dim"],
        decoder=[
            Dense(24, activation=LEAKY),
            Dense(math.prod(coarse), activation=LEAKY),
            Reshape((*coarse, 1)),
            Conv2DTranspose(filters, 4, strides=2, padding="same", activation=decode),
            Dropout(rate),
            Conv2DTranspose(filters, 4, strides=1, padding="same", activation=decode),
            Dropout(rate),
            Conv2DTranspose(filters, 4, strides=1, padding="same", activation=decode),
            Flatten(),
            Dense(pixels, activation="sigmoid"),
            Reshape(shape),
        ],
        reconstruction="squared_error",
        reconstruction_scale=float(pixels),
        backend=backend,
    )


def last_weights(shape, filters):
    """Return how many weights the decoder's last layer has: each pixel sees all of the image."""
    *_, coarse = sizes_after(shape[:2], (2, 2))
    return 4 * math.prod(coarse) * filters * math.prod(shape)


def check_last_layer(shape, filters):
    """Refuse images for which the decoder's last layer would be too large."""
    if last_weights(shape, filters) <= MOST_WEIGHTS:
        return
    side = 1
    while last_weights((side + 1, side + 1, shape[2]), filters) <= MOST_WEIGHTS:
        side += 1
    raise ScratchVAEError(
        f"mnist-latent8: for images of {shape[0]} x {shape[1]} x {shape[2]} its last layer would "
        f"have {last_weights(shape, filters):,} weights, at most {MOST_WEIGHTS:,} are allowed; "
        f"--size {side} is possible, or another lab")


def peculiarities(settings):
    """Return what is peculiar about the print of the sheet."""
    lines = []
    if settings["activations"] == "none":
        lines.append("the sheet's convolutions are linear: three in a row do no more than one; "
                     "--set activations=deepobs gives them the activations of the same network "
                     "in the DeepOBS benchmark")
    if settings["keep_prob"] == 1:
        lines.append("the sheet's dropout keeps everything (keep_prob 1.0); --set keep_prob=0.8 "
                     "makes it drop")
    return lines


def steps(run):
    """Draw the loss of each step, and inputs beside their outputs during training."""
    from ..analysis import plots
    record = run.record
    if not (record and record.recorded):
        return []
    return [
        plots.step_curve(record.steps, record.losses, run.figures / "loss_by_step.png",
                         f"Loss of each batch ({title(run)})", run.note, run.lab.unit),
        plots.progress_pairs(record.recorded, run.shown(np.array(record.inputs)),
                             run.shown(np.array(record.outputs)),
                             run.figures / "progress.png",
                             f"Inputs and outputs during training ({title(run)})", run.note),
    ]


def ten_samples(run):
    """Draw ten new images, each with the size of the latent space as its title."""
    from ..analysis import plots
    return [plots.samples(run.shown(run.model.sample(10)), run.figures / "samples.png",
                          f"Decoded from random points of the prior ({title(run)})", run.note,
                          titles=f"n_latent={run.model.latent_dim}")]


def histogram(run):
    """Draw how the test set spreads over the first latent coordinate."""
    from ..analysis import plots
    return [plots.latent_histogram(run.codes()[:, 0], run.figures / "histogram.png",
                                   f"$\\mu_1$ of the test set ({title(run)})", run.note)]


def traversal(run):
    """Draw the first test image, decoded with its first latent coordinate from -2.4 to 2.5."""
    from ..analysis import plots
    code = run.codes(run.x_test[:1])[0]
    return plots.traversal(run.decode, code, 0, -2.4 + 0.1 * np.arange(50), run.figures,
                           f"One coordinate moved ({title(run)})", run.note)


LAB = ImageLab(
    number=5,
    name="mnist-latent8",
    title="Handwritten digits through eight dimensions, with leaky ReLU and dropout",
    data="mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=32,                  # of 938 steps: the sheet's 30,000, and 16 more
    batch_size=64,
    optimizer=partial(Adam, epsilon=1e-8),              # TensorFlow's epsilon
    settings={"filters": 64, "latent_dim": 8, "activations": "none", "keep_prob": 1.0,
              "learning_rate": 0.0005, **KL_SETTINGS},
    small_settings={"filters": 2, "side": 8, "keep_prob": 0.8, "activations": "deepobs"},
    make_model=make_model,
    parameters=10_151_489,
    unit="squared error + KL, an image",
    references=(
        Reference("DeepOBS, the same network with activations, Adam 4e-4 to 6e-4", 32,
                  "27.31 to 27.54", "28.05 to 28.30"),
    ),
    peculiarities=peculiarities,
    figures=(loss_curves, steps, ten_samples, histogram, traversal, embedding, reconstructions),
    record_every=200,
)
