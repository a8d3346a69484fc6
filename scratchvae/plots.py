"""The figures of the labs, for the eye and for print.  Each function draws one, writes it to a file and returns the path."""
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.special import ndtri

STYLE = {"font.size": 10, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.spines.top": False,
         "axes.spines.right": False, "axes.grid": True, "grid.color": "0.9", "axes.axisbelow": True, "legend.frameon": False}
DPI = 160
INK, ACCENT = "#1f4e79", "#d1495b"


def save(figure, path, note=""):
    """Write the figure, with a small note at its foot; figures are made without pyplot, so nothing is left behind."""
    if note:
        foot = 0.16 / figure.get_figheight()        # inches, kept free for the note
        figure.get_layout_engine().set(rect=(0, foot, 1, 1 - foot))
        figure.text(0.995, foot / 4, note, ha="right", va="bottom", fontsize=6, color="0.45")
    FigureCanvasAgg(figure)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI)
    return Path(path)


def loss_curves(history, path, title, note="", reference=()):
    """Loss and its two terms by epoch, training and validation; reference: (epoch, validation loss, label) points."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.4), layout="constrained")
        figure.suptitle(title, fontsize=12, fontweight="bold")
        validated = history["val_loss"][0] is not None
        for axes, column, name in zip(figure.subplots(1, 3), ("loss", "reconstruction", "kl"),
                                      ("loss", "reconstruction", "KL divergence")):
            marker = "o" if len(history) < 8 else None
            axes.plot(history["epoch"], history[column], color=INK, marker=marker, ms=3, label="training, mean of the epoch")
            if validated:
                axes.plot(history["epoch"], history[f"val_{column}"], color=ACCENT, marker=marker, ms=3, label="validation, after it")
            if column == "loss" and reference:
                epochs, losses, label = zip(*reference)
                axes.plot(epochs, losses, "+", color="0.3", ms=8, label=label[0])
            axes.set(title=name, xlabel="epoch", ylabel="nats an image")
            axes.xaxis.get_major_locator().set_params(integer=True)
            if column == "loss":
                axes.legend(fontsize=8)
        return save(figure, path, note)


def latent_scatter(z, labels, classes, path, title, note=""):
    """The first two latent coordinates of the examples, coloured by class, with a colour bar."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 6), layout="constrained")
        axes = figure.subplots()
        colours = matplotlib.colormaps["tab10"].resampled(len(classes))
        points = axes.scatter(z[:, 0], z[:, 1], c=labels, cmap=colours, vmin=-0.5, vmax=len(classes) - 0.5, s=3, alpha=0.6,
                              linewidths=0, rasterized=True)
        bar = figure.colorbar(points, ticks=range(len(classes)), pad=0.02)
        bar.set_ticklabels(classes)
        bar.solids.set_alpha(1)
        bar.outline.set_visible(False)
        axes.set(title=title, xlabel="$z_1$", ylabel="$z_2$")
        axes.set_aspect("equal", adjustable="datalim")
        return save(figure, path, note)


def manifold(decode, path, title, note="", count=15):
    """The decoded latent plane: count x count points at equal steps of probability of the prior, from 5 % to 95 %."""
    quantiles = ndtri(np.linspace(0.05, 0.95, count))
    z = np.stack(np.meshgrid(quantiles, quantiles[::-1]), axis=-1).reshape(-1, 2)       # z_2 grows upwards
    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(7, 7), layout="constrained")
        axes = figure.subplots()
        axes.imshow(tile(as_images(decode(z)), count), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        size = as_images(decode(z[:1])).shape[1]
        ticks = np.arange(0, count, 2)
        axes.set_xticks(ticks * size + size / 2, [f"{quantiles[i]:.1f}" for i in ticks])
        axes.set_yticks(ticks * size + size / 2, [f"{quantiles[::-1][i]:.1f}" for i in ticks])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(title=title, xlabel="$z_1$", ylabel="$z_2$")
        return save(figure, path, note)


def reconstructions(originals, outputs, path, title, note=""):
    """Originals above their reconstructions."""
    originals, outputs = as_images(originals), as_images(outputs)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(4, 0.85 * len(originals)), 2.3), layout="constrained")
        figure.suptitle(title, fontsize=11, fontweight="bold")
        rows = figure.subplots(2, len(originals), squeeze=False)
        for images, axes, name in ((originals, rows[0], "original"), (outputs, rows[1], "output")):
            for image, ax in zip(images, axes):
                _show(ax, image)
            axes[0].set_ylabel(name, fontsize=9)
        return save(figure, path, note)


def samples(images, path, title, note="", columns=10):
    """A grid of generated images."""
    images = as_images(images)
    rows = -(-len(images) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(0.85 * columns, 0.85 * rows + 0.4), layout="constrained")
        figure.suptitle(title, fontsize=11, fontweight="bold")
        cells = figure.subplots(rows, columns, squeeze=False).flat
        for image, ax in zip(images, cells):
            _show(ax, image)
        for ax in list(cells)[len(images):]:
            ax.set_axis_off()
        return save(figure, path, note)


def as_images(x):
    """Examples (N, ...) of one square image each, as (N, side, side)."""
    side = round(np.sqrt(x[0].size))
    return x.reshape(len(x), side, side)


def tile(images, columns):
    """Images (N, height, width) as one, row by row."""
    count, height, width = images.shape
    return images.reshape(count // columns, columns, height, width).swapaxes(1, 2).reshape(-1, columns * width)


def _show(axes, image):
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("0.85")
