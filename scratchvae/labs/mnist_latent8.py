"""mnist-latent8: handwritten digits through eight dimensions, with leaky ReLU and dropout."""
import numpy as np

from .. import checks
from ..layers import Conv2D, Conv2DTranspose, Dense, Dropout, Flatten, Reshape
from ..models import VAE
from .figures import embedding, loss_curves, reconstructions, title
from .lab import KL_SETTINGS, Lab, Reference, kl_schedule

SIDE = 28
LEAKY = "leaky_relu(0.3)"
ACTIVATIONS = {                 # of the encoder's and the decoder's convolutions
    "none": ("linear", "linear"),
    "deepobs": (LEAKY, "relu"),
}
SAMPLES = 10
TRAVERSAL = -2.4 + 0.1 * np.arange(50)          # values of the coordinate that is moved


def make_model(settings, backend="cpu"):
    """28 x 28 -> 7 x 7 x 64 -> 8, and back; the loss is the sum of squared differences + KL.

    The sheet's second head is sd = Dense / 2, the logarithm of the standard deviation, so Dense is
    the logarithm of the variance.
    """
    choice = checks.choice("setting", "activations", settings["activations"], ACTIVATIONS)
    encode, decode = ACTIVATIONS[choice]
    f = settings["filters"]
    side = settings.get("side", SIDE)
    coarse = side // 4
    rate = 1 - settings["keep_prob"]
    return VAE(
        encoder=[Conv2D(f, 4, strides=2, padding="same", activation=encode), Dropout(rate),
                 Conv2D(f, 4, strides=2, padding="same", activation=encode), Dropout(rate),
                 Conv2D(f, 4, strides=1, padding="same", activation=encode), Dropout(rate),
                 Flatten()],
        latent_dim=settings["latent_dim"],
        decoder=[Dense(24, activation=LEAKY),
                 Dense(coarse * coarse, activation=LEAKY),
                 Reshape((coarse, coarse, 1)),
                 Conv2DTranspose(f, 4, strides=2, padding="same", activation=decode),
                 Dropout(rate),
                 Conv2DTranspose(f, 4, strides=1, padding="same", activation=decode),
                 Dropout(rate),
                 Conv2DTranspose(f, 4, strides=1, padding="same", activation=decode),
                 Flatten(),
                 Dense(side * side, activation="sigmoid"),
                 Reshape((side, side, 1))],
        reconstruction="squared_error",
        reconstruction_scale=float(side * side),
        kl_weight=kl_schedule(settings),
        backend=backend)


def peculiarities(settings):
    """Return where the sheet is peculiar."""
    lines = []
    if settings["activations"] == "none":
        lines.append("the sheet's convolutions are linear: three in a row compute no more than "
                     "one; --set activations=deepobs gives them the activations that the same "
                     "network of the DeepOBS benchmark has")
    if settings["keep_prob"] == 1:
        lines.append("the sheet's dropout keeps everything (keep_prob 1.0); --set keep_prob=0.8 "
                     "makes it drop")
    return lines


def progress(run):
    """The loss by step, and inputs beside outputs every 200 steps."""
    from ..analysis import plots
    record = run.record
    if not record or not record.recorded:
        return []
    return [plots.step_curve(record.steps, record.losses, run.figures / "loss_by_step.png",
                             f"Loss of each batch ({title(run)})", run.note, run.lab.unit),
            plots.progress_pairs(record.recorded, np.array(record.inputs),
                                 np.array(record.outputs), run.figures / "progress.png",
                                 f"Inputs and outputs during training ({title(run)})", run.note)]


def latent_dimensions(run):
    """Ten samples, a histogram of one coordinate, and what moving one coordinate does."""
    from ..analysis import plots
    code = run.codes()
    paths = [plots.samples(run.model.sample(SAMPLES), run.figures / "samples.png",
                           f"Decoded from random points of the prior ({title(run)})", run.note,
                           titles=f"n_latent={run.model.latent_dim}"),
             plots.latent_histogram(code[:, 0], run.figures / "histogram.png",
                                    f"$\\mu_1$ of the test set ({title(run)})", run.note)]
    return [*paths, *plots.traversal(run.model.decode, code[0], 0, TRAVERSAL, run.figures,
                                     f"One coordinate moved ({title(run)})", run.note)]


LAB = Lab(
    order=5,
    name="mnist-latent8",
    title="Handwritten digits through eight dimensions, with leaky ReLU and dropout",
    data="mnist",
    example_shape=(SIDE, SIDE, 1),
    epochs=32,                  # of 938 steps: the sheet's 30,000, and 16 more
    batch_size=64,
    settings={"filters": 64, "latent_dim": 8, "activations": "none", "keep_prob": 1.0,
              "learning_rate": 0.0005, **KL_SETTINGS},
    small_settings={"filters": 2, "side": 8, "keep_prob": 0.8, "activations": "deepobs"},
    parameters=10_151_489,
    references=(Reference("DeepOBS, the same network with activations, Adam 4e-4 to 6e-4", 32,
                          "27.31 to 27.54", "28.05 to 28.30"),),
    make_model=make_model,
    optimizer_arguments={"epsilon": 1e-8},      # TensorFlow's
    figures=(loss_curves, progress, latent_dimensions, embedding, reconstructions),
    peculiarities=peculiarities,
    unit="squared error + KL, an image",
    record_every=200,
)
