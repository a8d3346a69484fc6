"""The page of a run of images: the latent plane, an image to encode, the image decoded, and the gradients between them."""
import math

import numpy as np
from tqdm import tqdm

from ...errors import ScratchVAEError
from ...models import VAE
from .payload import Arrays, describe_parts
from .shortcut import shortcut

BODY = "plane.html"
SCRIPTS = ("convolution.js", "vae.js", "grid.js", "theme.js", "pictures.js", "pad.js", "plane.js", "gradients.js", "explore.js")
POINTS = 2000                   # test examples in the scatter
HEAVY = 200e6                   # multiplications and additions for an image forwards, from which on a page would not feel immediate
GRID = 48                       # decoded images along each side of the plane, where the decoder is too heavy
MARGIN = 0.06                   # of the plane around the outermost codes


def contents(run):
    """(what the page is told, its Arrays)."""
    model = run.model
    heavy = sum(layer.flops()[0] for layer in model.layers.values()) > HEAVY
    if model.latent_dim < 2:
        raise ScratchVAEError(f"{run.folder}: has a latent space of 1 dimension; explore shows a plane and needs 2 or more")
    if heavy and model.latent_dim != 2:
        raise ScratchVAEError(f"{run.folder}: its networks are too heavy for a page, and the grid of images that can stand in for them needs "
                              f"a latent space of 2 dimensions, not {model.latent_dim}")
    arrays, x = Arrays(), run.x_test[:POINTS]
    z_mean, z_log_var = encode(model, x)
    low, high = plane_range(z_mean)
    told = {
        "lab": run.lab.name, "title": run.lab.title, "epochs": len(run.history), "note": run.note, "count": model.count,
        "classes": run.data.classes, "side": math.isqrt(x[0].size), "low": low.tolist(), "high": high.tolist(),
        "images": arrays.add(np.rint(255 * x), "uint8"), "labels": arrays.add(run.data.y_test[:len(x)], "uint8"),
        "mean": arrays.add(z_mean, "float32"), "log_var": None if z_log_var is None else arrays.add(z_log_var, "float32"),
        "loss": {"name": model.loss.name, "scale": model.loss.scale, "activation": model.loss.activation}, "kl_weight": model.kl_weight.weight,
        "parts": None if heavy else parts(model, arrays),
        "grid": {"side": GRID, "images": arrays.add(decoded_grid(model, low, high), "uint8")} if heavy else None,
    }
    return told, arrays


def parts(model, arrays):
    """The model's networks, and the decoder with a shortcut where there is one."""
    described = describe_parts(model, arrays)
    return described | {"shortcut": shortcut(model.decoder, described["decoder"], arrays) or described["decoder"]}


def encode(model, x):
    """(z_mean, z_log_var) of the examples; a plain autoencoder has no z_log_var: None."""
    batches = tqdm(np.array_split(x, math.ceil(len(x) / 100)), desc="encoding", leave=False, disable=None)
    codes = [model.encode(batch) for batch in batches]
    if isinstance(model, VAE):
        return tuple(np.concatenate(part) for part in zip(*codes))
    return np.concatenate(codes), None


def plane_range(codes):
    """The least and the largest coordinate that the page shows, for each dimension (J,)."""
    low, high = codes.min(axis=0), codes.max(axis=0)
    margin = MARGIN * np.maximum(high - low, 1e-3)          # a collapsed dimension has some room, too
    return low - margin, high + margin


def decoded_grid(model, low, high):
    """Decoded images (GRID, GRID, pixels) as bytes: the first axis along z_2, the second along z_1."""
    first, second = (np.linspace(low[j], high[j], GRID) for j in range(2))
    rows = [model.decode(np.column_stack((first, np.full(GRID, z2)))) for z2 in tqdm(second, desc="decoding a grid", leave=False, disable=None)]
    return np.rint(255 * np.clip(rows, 0, 1))
