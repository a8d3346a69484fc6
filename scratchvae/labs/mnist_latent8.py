"""mnist-latent8: handwritten digits through eight dimensions, with convolutions, leaky ReLU and dropout."""
import numpy as np

from ..errors import ScratchVAEError
from ..layers import Conv2D, Conv2DTranspose, Dense, Dropout, Flatten, Reshape
from ..models import VAE
from ..optimizers import Adam
from . import figures
from .lab import KL_SETTINGS, Lab, Reference, kl_schedule

SIDE = 28
LEAKY = "leaky_relu(0.3)"
ACTIVATIONS = {"none": ("linear", "linear"), "deepobs": (LEAKY, "relu")}        # of the encoder's and the decoder's convolutions


def make_model(settings, backend="cpu"):
    """28 x 28 -> 7 x 7 x 64 -> 8, and up again; the loss is the sum of squared differences + KL.

    The sheet's second head is sd = Dense / 2, the logarithm of the standard deviation, so Dense is the logarithm of the variance.
    """
    if settings["activations"] not in ACTIVATIONS:
        raise ScratchVAEError(f"setting activations: {settings['activations']!r}; allowed: {', '.join(ACTIVATIONS)}")
    encode, decode = ACTIVATIONS[settings["activations"]]
    f, side, rate = settings["filters"], settings.get("side", SIDE), 1 - settings["keep_prob"]
    return VAE(encoder=[Conv2D(f, 4, strides=2, padding="same", activation=encode), Dropout(rate),
                        Conv2D(f, 4, strides=2, padding="same", activation=encode), Dropout(rate),
                        Conv2D(f, 4, strides=1, padding="same", activation=encode), Dropout(rate),
                        Flatten()],
               latent_dim=settings["latent_dim"],
               decoder=[Dense(24, activation=LEAKY),
                        Dense((side // 4) ** 2, activation=LEAKY),
                        Reshape((side // 4, side // 4, 1)),
                        Conv2DTranspose(f, 4, strides=2, padding="same", activation=decode), Dropout(rate),
                        Conv2DTranspose(f, 4, strides=1, padding="same", activation=decode), Dropout(rate),
                        Conv2DTranspose(f, 4, strides=1, padding="same", activation=decode),
                        Flatten(),
                        Dense(side * side, activation="sigmoid"),
                        Reshape((side, side, 1))],
               reconstruction="squared_error", reconstruction_scale=float(side * side), kl_weight=kl_schedule(settings),
               backend=backend)


def make_optimizer(settings):
    """Adam with TensorFlow's epsilon."""
    return Adam(learning_rate=settings["learning_rate"], epsilon=1e-8)


def peculiarities(settings):
    """What is peculiar about the print."""
    lines = []
    if settings["activations"] == "none":
        lines.append("the sheet's convolutions are linear: three in a row are no more than one; --set activations=deepobs gives them "
                     "the activations that the DeepOBS benchmark's same network has")
    if settings["keep_prob"] == 1:
        lines.append("the sheet's dropout keeps everything (keep_prob 1.0); --set keep_prob=0.8 makes it drop")
    return lines


def draw(run):
    """Loss by step, input beside output every 200 steps, ten samples, a histogram of one z, and what one coordinate does."""
    from ..analysis import plots
    record, code, paths = run.record, run.codes(), [figures.loss_curves(run)]
    title, note, latent_dim = figures.title(run), run.note, run.model.latent_dim
    if record and record.recorded:
        paths += [plots.step_curve(record.steps, record.losses, run.figures / "loss_by_step.png", f"Loss of each batch ({title})", note,
                                   run.lab.unit),
                  plots.progress_pairs(record.recorded, np.array(record.inputs), np.array(record.outputs), run.figures / "progress.png",
                                       f"Inputs and outputs during training ({title})", note)]
    paths += [plots.samples(run.model.sample(10), run.figures / "samples.png", f"Decoded from random points of the prior ({title})", note,
                            titles=f"n_latent={latent_dim}"),
              plots.latent_histogram(code[:, 0], run.figures / "histogram.png", f"$\\mu_1$ of the test set ({title})", note)]
    paths += plots.traversal(run.model.decode, code[0], 0, -2.4 + 0.1 * np.arange(50), run.figures, f"One coordinate moved ({title})", note)
    return [*paths, *figures.embedding(run), run.draw_reconstructions(10)]


LAB = Lab(
    name="mnist-latent8",
    title="Handwritten digits through eight dimensions, with leaky ReLU and dropout",
    data="mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=32,                  # of 938 steps: the sheet's 30,000, and 16 more
    batch_size=64,
    settings={"filters": 64, "latent_dim": 8, "activations": "none", "keep_prob": 1.0, "learning_rate": 0.0005, **KL_SETTINGS},
    small_settings={"filters": 2, "side": 8, "keep_prob": 0.8, "activations": "deepobs"},
    parameters=10_151_489,
    references=(Reference("DeepOBS, the same network with activations, Adam 4e-4 to 6e-4", 32, "27.31 to 27.54", "28.05 to 28.30"),),
    make_model=make_model,
    make_optimizer=make_optimizer,
    draw=draw,
    peculiarities=peculiarities,
    unit="squared error + KL, an image",
    record_every=200,
)
