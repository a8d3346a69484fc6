"""Latent codes: scatter plots, KL divergence by dimension, the histogram of a coordinate."""
import matplotlib
import numpy as np

from ...errors import ScratchVAEError
from .figure import ACCENT, INK, new_figure, save, short, styled


def latent_scatter(z, labels, classes, path=None, title="", note=""):
    """Draw the first two latent coordinates of the examples, coloured by class.

    Parameters
    ----------
    z : array of shape (N, 2 or more)
        Latent codes.
    labels : int array of shape (N,), or None
        None: the points have one colour.
    classes : sequence of str
        The name of each label, for the colour bar.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure
    """
    return latent_scatters({"": z}, labels, classes, path, title, note)


@styled
def latent_scatters(embeddings, labels, classes, path=None, title="", note=""):
    """Draw the latent_scatter of the same examples in several latent spaces, side by side.

    Parameters
    ----------
    embeddings : dict of str -> array of shape (N, 2 or more)
        The latent codes of each model, by its name.
    labels : int array of shape (N,), or None
        None: the points have one colour.
    classes : sequence of str
        The name of each label, for the colour bar.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If the codes of a model have another shape.
    """
    figure, panels = new_figure(title, 5.2 * len(embeddings) + 1.6, 5.8, len(embeddings))
    style = {"color": INK}
    if labels is not None:
        name = "tab10" if len(classes) <= 10 else "turbo"
        style = {"c": labels, "cmap": matplotlib.colormaps[name].resampled(len(classes)),
                 "vmin": -0.5, "vmax": len(classes) - 0.5}
    for axes, (name, z) in zip(panels, embeddings.items()):
        count = len(z) if labels is None else len(labels)
        if np.ndim(z) != 2 or np.shape(z)[1] < 2 or len(z) != count:
            raise ScratchVAEError(f"latent_scatters: z must have shape ({count}, 2 or more), "
                                  f"a row for each label, got {np.shape(z)}")
        points = axes.scatter(z[:, 0], z[:, 1], s=_marker_area(len(z)), alpha=0.6,
                              linewidths=0, rasterized=True, **style)
        axes.set(title=name, xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
        _keep_outliers_out(axes, z[:, :2])
    if labels is None:
        return save(figure, path, note)
    beside = panels[-1].inset_axes((1.03, 0, 0.05, 1))
    bar = figure.colorbar(points, cax=beside, ticks=range(len(classes)))
    bar.set_ticklabels(classes, fontsize=min(10, 240 / len(classes)))
    bar.solids.set_alpha(1)
    bar.outline.set_visible(False)
    return save(figure, path, note)


def _marker_area(count):
    """Return the area of a marker in square points: 3 for 10,000 points, more for fewer."""
    return np.clip(30_000 / count, 3, 20)


def _keep_outliers_out(axes, z):
    """Set square limits around the points z (N, 2) without far outliers; the label counts these.

    A point is far if it is outside the range of the central 98 % widened by half its width on
    either side. Points of a normal distribution almost never are.
    """
    low, high = np.quantile(z, (0.01, 0.99), axis=0)
    reach = (high - low) / 2
    low = np.maximum(low - reach, z.min(axis=0))
    high = np.minimum(high + reach, z.max(axis=0))
    centre = (low + high) / 2
    half = 0.52 * (high - low).max() or 1
    axes.set(xlim=(centre[0] - half, centre[0] + half), ylim=(centre[1] - half, centre[1] + half))
    outside = (abs(z - centre) > half).any(axis=1).sum()
    if outside:
        axes.set_xlabel(f"$z_1$      ({outside:,} of {len(z):,} points lie outside)")


@styled
def kl_by_dimension(kl, path=None, title="", note=""):
    """Draw the KL divergence of each latent dimension, the largest first.

    Dimensions near 0 carry no information.

    Parameters
    ----------
    kl : array of shape (J,)
        Means over the examples, in nats.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure
    """
    figure, (axes,) = new_figure(title, 7, 3.2)
    axes.bar(np.arange(1, len(kl) + 1), np.sort(kl)[::-1], color=INK, width=0.8)
    axes.set(xlabel="latent dimension, by its KL", ylabel="nats an example")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.annotate(f"{np.sum(kl):.2f} nats in all", (0.98, 0.92), xycoords="axes fraction",
                  ha="right")
    return save(figure, path, note)


@styled
def latent_histogram(z, path=None, title="", note=""):
    """Draw the distribution of one latent coordinate, and the density of the prior N(0, 1).

    Parameters
    ----------
    z : array of shape (N,)
        The coordinate of each example.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If z has another shape, or is empty.
    """
    if np.ndim(z) != 1 or not len(z):
        raise ScratchVAEError("latent_histogram: z must have shape (N,), one coordinate of each "
                              f"example, got {np.shape(z)}")
    figure, (axes,) = new_figure(title, 6.4, 4)
    moments = f"mean {short(np.mean(z))}, standard deviation {short(np.std(z))}"
    axes.hist(z, bins=60, density=True, color=INK, alpha=0.55,
              label=f"{len(z):,} examples: {moments}")
    x = np.linspace(min(-4, np.min(z)), max(4, np.max(z)), 1000)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    axes.plot(x, density, color=ACCENT, lw=1.8, label="density of N(0, 1)")
    axes.set(xlabel="latent coordinate", ylabel="density")
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return save(figure, path, note)
