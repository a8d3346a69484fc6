"""Scores of examples: the extreme ones, and how well scores tell two kinds apart."""
import numpy as np

from ...errors import ScratchVAEError
from .. import metrics
from ..pictures import as_images
from .figure import ACCENT, INK, new_figure, save, styled
from .images import sheet

SHOWN = 10                      # images in each row of extremes
BINS = 60


@styled
def extremes(images, scores, path=None, title="", note=""):
    """Draw the images with the lowest scores above those with the highest.

    Each has its index and its score above it.

    Parameters
    ----------
    images : array or Images of N images
        Images as as_images takes them.
    scores : array of shape (N,)
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If the lengths differ.
    """
    if len(images) != len(scores):
        raise ScratchVAEError(f"extremes: each of {len(images)} images must have one score, "
                              f"got {len(scores)}")
    order = np.argsort(scores, kind="stable")
    count = max(1, min(SHOWN, len(order) // 2))
    chosen = np.concatenate((order[:count], order[::-1][:count]))
    titles = [f"{i}: {scores[i]:#.4g}".replace("-", "\N{MINUS SIGN}") for i in chosen]
    shown = as_images(np.stack([images[i] for i in chosen]))
    figure = sheet(shown, count, title, titles)
    axes, = figure.axes
    axes.set_yticklabels(["lowest", "highest"])
    axes.set_xlabel("above each image: its index and its score", fontsize=8)
    return save(figure, path, note)


@styled
def detection(scores, unusual, path=None, title="", note="", kinds=("usual", "unusual"),
              xlabel="score"):
    """Draw the scores of usual and of unusual examples, and the ROC curve of low scores.

    Parameters
    ----------
    scores : array of shape (N,)
        Should be lower for unusual examples.
    unusual : bool array of shape (N,)
    path, title, note
        See scratchvae.analysis.plots.
    kinds : (str, str)
        What usual and unusual examples are called.
    xlabel : str
        What the scores are.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If the lengths differ, or all examples are of one kind.
    """
    scores = np.asarray(scores)
    unusual = np.asarray(unusual)
    false, true = metrics.roc_curve(-scores, unusual)
    area = metrics.roc_area(-scores, unusual)
    figure, (left, right) = new_figure(title, 9.5, 3.8, 2)
    low, high = np.quantile(scores, (0.001, 0.999))         # a few far scores would fill the axes
    edges = np.linspace(low, high, BINS + 1)
    for kind, members, colour in zip(kinds, (~unusual, unusual), (INK, ACCENT)):
        left.hist(np.clip(scores[members], low, high), edges, density=True, color=colour, alpha=0.6,
                  label=f"{kind} ({members.sum():,})")
    left.set(title="Scores", xlabel=xlabel, ylabel="density", yticks=[])
    left.legend(fontsize=8)
    right.plot(false, true, color=ACCENT, label=f"area {area:.3f}")
    right.plot((0, 1), (0, 1), "--", color="0.6", lw=0.8, label="chance, 0.5")
    right.set(title="ROC curve: low scores are called unusual",
              xlabel=f"part of {kinds[0]}, called unusual",
              ylabel=f"part of {kinds[1]}, called unusual")
    right.legend(fontsize=8, loc="lower right")
    return save(figure, path, note)
