"""The content of an image run's page.

The page shows the latent plane, an input image, the decoded image, and the gradients between them.
"""
import math

import numpy as np
from tqdm.auto import tqdm

from ...analysis.pictures import as_images
from ...errors import ScratchVAEError
from ...models import VAE
from .payload import Arrays, describe_parts, describe_run
from .scripts import SHARED_SCRIPTS, registered
from .shortcut import shortcut

BODY = "plane.html"
SCRIPTS = (*SHARED_SCRIPTS, "convolution.js", "resampling.js", "vae.js", "grid.js", "theme.js",
           "pictures.js", "pad.js", "plane.js", "gradients.js", "explore.js")
PAGE_LAYERS = registered("LAYERS", SCRIPTS)
POINTS = 2000                   # test examples in the scatter plot
HEAVY = 200e6                   # operations per image above which a page could not respond at once
GRID = 48                       # decoded images along each side of the plane, for a heavy decoder
MARGIN = 0.06                   # empty border around the outermost codes, as a share of the plane


def contents(run):
    """Return the content of the page, as a dict for JSON, and its Arrays."""
    model = run.model
    heavy = sum(layer.flops()[0] for layer in model.layers.values()) > HEAVY
    check_latent_space(run, heavy)
    check_images(run)
    arrays = Arrays()
    x = np.asarray(run.x_test[:POINTS])
    labels = run.data.y_test[:len(x)]
    z_mean, z_log_var = encode(model, x)
    low, high = plane_range(z_mean)
    loss = model.loss
    content = describe_run(run) | {
        "classes": run.data.classes,
        "side": math.isqrt(x[0].size),
        "low": low.tolist(),
        "high": high.tolist(),
        "images": arrays.add(np.rint(255 * x), "uint8"),
        "labels": arrays.add(labels, "uint8"),
        "mean": arrays.add(z_mean, "float32"),
        "log_var": None if z_log_var is None else arrays.add(z_log_var, "float32"),
        "loss": {"name": loss.name, "scale": loss.scale, "activation": loss.activation},
        "kl_weight": model.kl_weight.weight,
        "parts": None if heavy else parts(model, arrays),
        "grid": grid(model, low, high, arrays) if heavy else None,
    }
    return content, arrays


def check_images(run):
    """Refuse images that the page cannot draw."""
    images = as_images(run.x_test[:1])
    if images.ndim == 4 or images.shape[1] != images.shape[2]:
        raise ScratchVAEError(f"{run.folder}: explore draws square grey images, not such of shape "
                              f"{images.shape[1:]}; the figures of plot show them")


def check_latent_space(run, heavy):
    """Refuse a latent space that the page cannot show."""
    latent_dim = run.model.latent_dim
    if latent_dim < 2:
        raise ScratchVAEError(f"{run.folder}: the latent space has 1 dimension; "
                              "explore shows a plane and needs 2 or more")
    if heavy and latent_dim != 2:
        raise ScratchVAEError(
            f"{run.folder}: the networks are too heavy for a page, and the grid of images that "
            f"replaces them needs a latent space of 2 dimensions, not {latent_dim}")


def parts(model, arrays):
    """Return the described networks, with "shortcut": the decoder in fewer steps if there are."""
    described = describe_parts(model, arrays, PAGE_LAYERS)
    short = shortcut(model.decoder, described["decoder"], arrays)
    return described | {"shortcut": short or described["decoder"]}


def encode(model, x):
    """Return (z_mean, z_log_var) of the examples; z_log_var is None for a plain autoencoder."""
    batches = np.array_split(x, math.ceil(len(x) / 100))
    progress = tqdm(batches, desc="encoding", leave=False, disable=None)
    codes = [model.encode(batch) for batch in progress]
    if isinstance(model, VAE):
        return tuple(np.concatenate(part) for part in zip(*codes))
    return np.concatenate(codes), None


def plane_range(codes):
    """Return the smallest and the largest coordinate that the page shows, per dimension."""
    low = codes.min(axis=0)
    high = codes.max(axis=0)
    margin = MARGIN * np.maximum(high - low, 1e-3)          # gives a collapsed dimension some room
    return low - margin, high + margin


def grid(model, low, high, arrays):
    """Return the described grid of decoded images, which replaces the networks."""
    return {"side": GRID, "images": arrays.add(decoded_grid(model, low, high), "uint8")}


def decoded_grid(model, low, high):
    """Return decoded images (GRID, GRID, pixels), 0 to 255: axis 0 is z_2 and axis 1 is z_1."""
    first = np.linspace(low[0], high[0], GRID)
    second = np.linspace(low[1], high[1], GRID)
    progress = tqdm(second, desc="decoding a grid", leave=False, disable=None)
    rows = [model.decode(np.column_stack((first, np.full(GRID, z2)))) for z2 in progress]
    return np.rint(255 * np.clip(rows, 0, 1))
