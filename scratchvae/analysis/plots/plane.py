"""The decoded latent plane: images at the points of a grid."""
import numpy as np
from scipy.special import ndtri

from ..pictures import as_images, tile
from .figure import new_figure, save, short, styled
from .images import show

MOST_TICKS = 12                 # labels along an axis, about: more would overlap


def manifold(decode, path=None, title="", note="", count=15):
    """Draw the decoded latent plane over the central 90 % of the prior.

    Parameters
    ----------
    decode : function (array of shape (N, 2)) -> N images
    path, title, note
        See scratchvae.analysis.plots.
    count : int, default 15
        Points along each axis, at equal steps of the prior's probability from 5 % to 95 %.

    Returns
    -------
    Path or Figure
    """
    return manifolds({"": decode}, path, title, note, count)


@styled
def manifolds(decoders, path=None, title="", note="", count=15):
    """Draw the manifold of several models, side by side.

    Parameters
    ----------
    decoders : dict of str -> function (array of shape (N, 2)) -> N images
        The decoder of each model, by its name.
    path, title, note
        See scratchvae.analysis.plots.
    count : int, default 15
        Points along each axis, at equal steps of the prior's probability from 5 % to 95 %.

    Returns
    -------
    Path or Figure
    """
    quantiles = ndtri(np.linspace(0.05, 0.95, count))
    downwards = quantiles[::-1]         # z_2 grows upwards
    z = np.stack(np.meshgrid(quantiles, downwards), axis=-1)
    planes = [_decoded(decode, z) for decode in decoders.values()]
    figure, panels = new_figure(title, 6.8 * len(planes), 0.1 + 6.8 * _aspect(planes), len(planes))
    for axes, name, images in zip(panels, decoders, planes):
        _draw_plane(axes, images, down=downwards, right=quantiles)
        axes.set(title=name, xlabel="$z_1$", ylabel="$z_2$")
    return save(figure, path, note)


@styled
def decoded_grids(decode, grids, path=None, title="", note=""):
    """Draw several parts of the decoded latent plane, side by side.

    Parameters
    ----------
    decode : function (array of shape (N, 2)) -> N images
    grids : sequence of (name, first, second)
        The values of z_1 of the rows, from the top, and the values of z_2 of the columns.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure
    """
    planes = [_decoded(decode, np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1))
              for _, first, second in grids]
    figure, panels = new_figure(title, 5.2 * len(grids), 0.5 + 5.2 * _aspect(planes), len(grids))
    for axes, (name, first, second), images in zip(panels, grids, planes):
        _draw_plane(axes, images, down=first, right=second)
        axes.set(title=name, xlabel="$z_2$", ylabel="$z_1$")
    return save(figure, path, note)


def _decoded(decode, z):
    """Return the images decoded from z (rows, columns, 2)."""
    return as_images(decode(z.reshape(-1, 2)))


def _aspect(planes):
    """Return the height of planes of images in units of their width."""
    return max(images.shape[1] / images.shape[2] for images in planes)


def _draw_plane(axes, images, down, right):
    """Draw images without gaps; label rows and columns."""
    height, width = images.shape[1:3]
    show(axes, tile(images, len(right)))
    for axis, values, size in ((axes.yaxis, down, height), (axes.xaxis, right, width)):
        labelled = range(0, len(values), 1 + len(values) // MOST_TICKS)
        middles = [(i + 0.5) * size - 0.5 for i in labelled]
        axis.set_ticks(middles, [short(values[i]) for i in labelled], fontsize=8)
