"""Losses by epoch and by training step."""
import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter
from scipy.ndimage import median_filter

from ...errors import ScratchVAEError
from ...training.history import wide
from .figure import ACCENT, INK, new_figure, save, styled

FEW_EPOCHS = 8                  # a curve of fewer points has markers


@styled
def loss_curves(history, path=None, title="", note="", reference=(), ylabel="nats an image"):
    """Draw the loss and its two terms by epoch, of training and of validation.

    Without a KL divergence, as in a plain autoencoder, only the loss is drawn.

    Parameters
    ----------
    history : History
    path, title, note
        See scratchvae.analysis.plots.
    reference : sequence of (epoch, validation loss, label)
        Points to compare with; all have the label of the first.
    ylabel : str
        The unit of the losses.

    Returns
    -------
    Path or Figure
    """
    columns = ("loss", "reconstruction", "kl") if any(history["kl"]) else ("loss",)
    figure, panels = new_figure(title, 10 if len(columns) > 1 else 6, 3.4, len(columns))
    for axes, column in zip(panels, columns):
        _draw_column(axes, history, column, "nats" if column == "kl" else ylabel)
    if reference:
        epochs, losses, labels = zip(*reference)
        panels[0].plot(epochs, losses, "+", color="0.3", ms=8, label=labels[0])
    panels[0].legend(fontsize=8)
    return save(figure, path, note)


def _draw_column(axes, history, column, ylabel):
    """Draw a column of the history by epoch, and its validation column if there is one."""
    marker = "o" if len(history) < FEW_EPOCHS else None
    axes.plot(history["epoch"], history[column], color=INK, marker=marker, ms=3,
              label="training, mean of the epoch")
    if history["val_loss"][0] is not None:
        axes.plot(history["epoch"], history[f"val_{column}"], color=ACCENT, marker=marker, ms=3,
                  label="validation, after it")
    name = "KL divergence" if column == "kl" else column
    axes.set(title=name, xlabel="epoch", ylabel=ylabel)
    if column != "kl" and wide(history[column]):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.get_major_locator().set_params(integer=True)


@styled
def step_curve(steps, losses, path=None, title="", note="", ylabel="nats an image"):
    """Draw the loss of each batch, faint, and its running median over a hundredth of them.

    Losses that are not finite are left out. The highest thousandth may lie above the axes;
    otherwise the first steps could take up most of the height.

    Parameters
    ----------
    steps : sequence of int
        The training steps.
    losses : sequence of float
        The loss of each step.
    path, title, note
        See scratchvae.analysis.plots.
    ylabel : str
        The unit of the losses.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If the lengths differ or are 0.
    """
    if len(steps) != len(losses) or not len(steps):
        raise ScratchVAEError("step_curve: steps and losses must have the same length, at least 1, "
                              f"got {len(steps)} and {len(losses)}")
    finite = np.isfinite(losses)
    steps = np.asarray(steps)[finite]
    losses = np.asarray(losses, float)[finite]
    window = -(-len(losses) // 100)
    figure, (axes,) = new_figure(title, 8, 3.6)
    axes.plot(steps, losses, color=INK, alpha=0.25 if window > 1 else 1, lw=0.6, label="one batch")
    if window > 1:
        axes.plot(steps, median_filter(losses, window), color=ACCENT, lw=1.6,
                  label=f"median of {window:,} batches")
    bottom, top = np.quantile(losses, (0, 0.999))
    if top > bottom:
        margin = 0.05 * (top - bottom)
        axes.set_ylim(bottom - margin, top + margin)
    axes.set(xlabel="training step", ylabel=ylabel)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.legend(fontsize=8)
    return save(figure, path, note)
