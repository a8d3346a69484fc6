"""shapes-beta: a beta-VAE of drawn shapes, whose factors of variation are known."""
import math
from functools import partial

import numpy as np

from ..analysis import metrics
from ..analysis.disentanglement import factor_information
from ..data.shapes import FACTORS, known_factors
from ..layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape
from ..models import VAE
from ..optimizers import Adam
from .figures import loss_curves, reconstructions, samples, title
from .image_lab import ImageLab
from .lab import Reference
from .objective import KL_SETTINGS, make_vae
from .sizes import crop, image_shape, sizes_after

SIDE = 64
STRIDES = (2, 2, 2, 2)


def make_model(settings, backend="cpu"):
    """Return a VAE 64 x 64 -> 32 x 32 x 32 -> 16 x 16 x 32 -> 8 x 8 x 64 -> 4 x 4 x 64 -> 256 ->
    10, and the same up again.

    The loss is the sum of the cross-entropies of the pixels, plus kl_weight (beta) times the KL
    divergence.

    Source: Higgins et al. 2017, "beta-VAE", equation 4; the network is that of Locatello et al.
    2019, table 1, whose decoder has 4 x 4 x 64 units before the transposed convolutions, too.
    """
    filters = settings["filters"]
    shape = image_shape(settings, SIDE)
    sizes = sizes_after(shape[:2], STRIDES)
    coarse = sizes[-1]

    def down(count):
        return Conv2D(count, 4, strides=2, padding="same", activation="relu")

    def up(count, level, activation="relu"):
        return [Conv2DTranspose(count, 4, strides=2, padding="same", activation=activation),
                *crop(sizes[level], 2, sizes[level - 1])]

    return make_vae(
        settings,
        encoder=[
            down(filters),
            down(filters),
            down(2 * filters),
            down(2 * filters),
            Flatten(),
            Dense(settings["intermediate_dim"], activation="relu"),
        ],
        latent_dim=settings["latent_dim"],
        decoder=[
            Dense(settings["intermediate_dim"], activation="relu"),
            Dense(math.prod(coarse) * 2 * filters, activation="relu"),
            Reshape((*coarse, 2 * filters)),
            *up(2 * filters, 4),
            *up(filters, 3),
            *up(filters, 2),
            *up(shape[2], 1, "sigmoid"),
        ],
        reconstruction="binary_crossentropy",
        reconstruction_scale=float(math.prod(shape)),
        backend=backend,
    )


def dimensions(run):
    """Return the means of the test set's codes (N, J), and the mean KL of each dimension (J,)."""
    z_mean, z_log_var = run.model.encode(run.x_test)
    return z_mean, metrics.kl_of_dimensions(z_mean, z_log_var)


def ordinary(z_mean):
    """Return the one of several codes (N, J) that is nearest to the prior's mean."""
    return z_mean[np.argmin(np.square(z_mean).sum(axis=1))]


def traversals(run):
    """Draw each dimension moved, from the code of an ordinary test example.

    A conditional model draws the class of the first example.
    """
    from ..analysis import plots
    if not isinstance(run.model, VAE):
        return []
    z_mean, kl = dimensions(run)
    labels = {"labels": run.x_test.labels[0]} if run.is_conditional else {}
    return [plots.traversals(partial(run.decode, **labels), ordinary(z_mean), kl,
                             run.figures / "traversals.png",
                             f"Each latent dimension moved ({title(run)})", run.note)]


def information(run):
    """Draw which dimension knows which factor.

    It is left out for models without a KL divergence, for images of one's own, whose factors are
    unknown, for conditional models, which are told the shape, and for a few test examples that
    have one value of a factor in common.
    """
    from ..analysis import plots
    if run.has_own or run.is_conditional or not isinstance(run.model, VAE):
        return []
    factors = known_factors(run.x_test)
    if (factors == factors[0]).all(axis=0).any():
        return []
    z_mean, kl = dimensions(run)
    parts = factor_information(z_mean, factors)
    return [plots.factor_information(
        *parts, tuple(FACTORS), kl, run.figures / "information.png",
        f"What each dimension knows of each factor ({title(run)})", run.note)]


LAB = ImageLab(
    number=11,
    name="shapes-beta",
    title="Shapes through ten dimensions, by a beta-VAE",
    data="shapes",
    example_shape=(SIDE, SIDE, 1),
    epochs=20,
    batch_size=64,
    optimizer=Adam,
    settings={"filters": 16, "intermediate_dim": 256, "latent_dim": 10, "learning_rate": 0.001,
              **KL_SETTINGS, "kl_weight": 4.0},
    small_settings={"filters": 2, "intermediate_dim": 5, "side": 16, "latent_dim": 2},
    make_model=make_model,
    parameters=328_885,
    references=(
        Reference("measured here, seed 0", 1, 409.8, 178.8),
        Reference("measured here, seed 0", 8, 144.5, 146.1),
    ),
    peculiarities=lambda settings: (
        "half the filters of the papers' networks, a learning rate ten times theirs, and some "
        "19,000 steps where they have 300,000 and more",) if settings["filters"] == 16 else (),
    figures=(loss_curves, traversals, information, reconstructions, samples),
)
