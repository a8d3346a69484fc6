"""The content of an image run's page.

The page shows the latent plane, an input image, the decoded image, and the gradients between them.
"""
import math

import numpy as np
from tqdm.auto import tqdm

from ...analysis.pictures import as_images
from ...commands import command, place
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
LEAST_POINTS = 100
MOST_BYTES = 8_000_000          # of all their images; large images are fewer
HEAVY = 200e6                   # operations per image above which a page could not respond at once
GRID = 48                       # decoded images along each side of the plane, for a heavy decoder
MARGIN = 0.06                   # empty border around the outermost codes, as a share of the plane


def contents(run):
    """Return the content of the page, as a dict for JSON, and its Arrays."""
    model = run.model
    heavy = sum(layer.flops()[0] for layer in model.layers.values()) > HEAVY
    check_latent_space(run, heavy)
    arrays = Arrays()
    images = run.x_test
    count = max(LEAST_POINTS, min(POINTS, MOST_BYTES // images[:1].size))
    x = np.asarray(images[:count])
    labels = np.zeros(len(x)) if run.labels is None else run.labels[:len(x)]
    z_mean, z_log_var = encode(model, x)
    low, high = plane_range(z_mean)
    loss = model.loss
    content = describe_run(run) | {
        "classes": run.data.classes,
        "shape": image_shape(run),
        "low": low.tolist(),
        "high": high.tolist(),
        "images": arrays.add(np.rint(255 * x), "uint8"),
        "labels": arrays.add(labels, "uint8" if len(run.data.classes) <= 256 else "int32"),
        "mean": arrays.add(z_mean, "float32"),
        "log_var": None if z_log_var is None else arrays.add(z_log_var, "float32"),
        "loss": {"name": loss.name, "scale": loss.scale, "activation": loss.activation},
        "kl_weight": model.kl_weight.weight,
        "parts": None if heavy else parts(model, arrays),
        "grid": grid(model, low, high, arrays) if heavy else None,
    }
    return content, arrays


def image_shape(run):
    """Return the height, width and channels of the images, and whether they are drawn with ink."""
    _, height, width, *channels = as_images(run.x_test[:1]).shape
    return {"height": height, "width": width, "channels": 3 if channels else 1,
            "ink": not channels and not run.is_photograph}


def check_latent_space(run, heavy):
    """Refuse a latent space that the page cannot show."""
    if run.is_conditional:
        raise ScratchVAEError(
            f"{run.folder}: explore shows one latent plane, and a conditional model decodes "
            "another for each class; use: " + command("sample", place(run.folder)))
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
    side = min(GRID, math.isqrt(MOST_BYTES // math.prod(model.input_shape)) + 2)
    return {"side": side, "images": arrays.add(decoded_grid(model, low, high, side), "uint8")}


def decoded_grid(model, low, high, side):
    """Return decoded images (side, side, *shape), 0 to 255: axis 0 is z_2 and axis 1 is z_1."""
    first = np.linspace(low[0], high[0], side)
    second = np.linspace(low[1], high[1], side)
    progress = tqdm(second, desc="decoding a grid", leave=False, disable=None)
    rows = [model.decode(np.column_stack((first, np.full(side, z2)))) for z2 in progress]
    return np.rint(255 * np.clip(rows, 0, 1))
