"""Several latent dimensions moved, each in a row, and what each knows about known factors."""
import numpy as np

from ...errors import ScratchVAEError
from ..pictures import as_images
from .figure import new_figure, save, short, styled
from .images import sheet

STEPS = np.linspace(-3, 3, 11)


@styled
def traversals(decode, z, kl, path=None, title="", note="", values=STEPS):
    """Draw a latent point decoded with each of its coordinates moved, a row for each.

    Parameters
    ----------
    decode : function (array of shape (N, J)) -> N images
    z : array of shape (J,)
        The latent point.
    kl : array of shape (J,)
        The mean KL divergence of each dimension, in nats: the largest is drawn first.
    path, title, note
        See scratchvae.analysis.plots.
    values : sequence of float, default -3, -2.4, ... 3
        The values of the coordinate that moves.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If z or kl has another shape.
    """
    if np.ndim(z) != 1 or np.shape(z) != np.shape(kl):
        raise ScratchVAEError("traversals: z and kl must have the same shape (J,), "
                              f"got {np.shape(z)} and {np.shape(kl)}")
    order = np.argsort(kl, kind="stable")[::-1]
    points = np.tile(np.asarray(z, float), (len(order), len(values), 1))
    for row, coordinate in zip(points, order):
        row[:, coordinate] = values
    images = as_images(decode(points.reshape(-1, len(z))))
    figure = sheet(images, len(values), title)
    axes, = figure.axes
    axes.set_yticklabels([f"$z_{{{j + 1}}}$: {kl[j]:.2f} nats" for j in order], fontsize=8)
    width = axes.get_images()[0].get_array().shape[1] / len(values)
    axes.set_xticks(width * (np.arange(len(values)) + 0.5), map(short, values), fontsize=8)
    axes.set_xlabel("the coordinate of the row, from one side of the prior to the other; "
                    "beside each row: its KL divergence", fontsize=8)
    return save(figure, path, note)


@styled
def factor_information(information, entropy, factors, kl, path=None, title="", note=""):
    """Draw the part of each known factor's information that each latent dimension has.

    Parameters
    ----------
    information : array of shape (J, K)
        The mutual information of dimensions and factors.
    entropy : array of shape (K,)
        Of the factors, in the same unit.
    factors : sequence of K str
        Their names.
    kl : array of shape (J,)
        The mean KL divergence of each dimension, in nats: the largest is drawn first.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If the shapes do not match.
    """
    if np.shape(information) != (len(kl), len(factors)) or np.shape(entropy) != (len(factors),):
        raise ScratchVAEError(f"factor_information: with {len(kl)} dimensions and {len(factors)} "
                              "factors, information and entropy must have shapes "
                              f"{(len(kl), len(factors))} and {(len(factors),)}, got "
                              f"{np.shape(information)} and {np.shape(entropy)}")
    order = np.argsort(kl, kind="stable")[::-1]
    parts = (np.asarray(information) / entropy)[order].T
    figure, (axes,) = new_figure(title, 1.9 + 0.62 * len(order), 1.5 + 0.5 * len(factors))
    drawn = axes.imshow(parts, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks(range(len(factors)), factors)
    axes.set_xticks(range(len(order)), [f"$z_{{{j + 1}}}$\n{kl[j]:.2f}" for j in order], fontsize=8)
    axes.set_xlabel("latent dimension, and its KL divergence in nats")
    for (k, place), part in np.ndenumerate(parts):
        axes.text(place, k, f"{part:.2f}", ha="center", va="center", fontsize=8,
                  color="white" if part > 0.55 else "black")
    bar = figure.colorbar(drawn, ax=axes, label="I(z; factor) / H(factor)")
    bar.outline.set_visible(False)
    return save(figure, path, note)
