"""The figures of the labs, for the eye and for print.

Each function draws one, writes it to a file and returns the path.
"""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import Image
from scipy.ndimage import median_filter
from scipy.special import ndtri

from ..errors import ScratchVAEError
from ..training.history import wide

STYLE = {
    "font.size": 10,
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "agg.path.chunksize": 50_000,
}  # the renderer can't draw many more points at once
DPI = 160
INK = "#1f4e79"
ACCENT = "#d1495b"
FRAME = "0.85"
styled = matplotlib.rc_context(STYLE)  # decorates each function that draws


def _figure(title, width, height, panels=1):
    """A figure of that size in inches, and its panels, in a row."""
    figure = Figure(figsize=(width, height), layout="compressed")
    figure.suptitle(title, wrap=True)
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def save(figure, path, note=""):
    """Write the figure, with a small note at its foot;

    figures are made without pyplot, so nothing is left behind.
    """
    figure.supxlabel(note, x=0.995, ha="right", fontsize=6, color="0.45")
    FigureCanvasAgg(figure)
    # square axes take their places in two rounds: savefig does the second
    figure.draw_without_rendering()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI)
    return Path(path)


@styled
def loss_curves(history, path, title, note="", reference=(), ylabel="nats an image"):
    """Loss and its two terms by epoch, training and validation; reference: (epoch, validation loss,
    label) points.

    Without a KL divergence, as in a plain autoencoder, the loss is all there is.
    """
    columns = ("loss", "reconstruction", "kl") if any(history["kl"]) else ("loss",)
    figure, panels = _figure(title, 10 if len(columns) > 1 else 6, 3.4, len(columns))
    validated = history["val_loss"][0] is not None
    for axes, column in zip(panels, columns):
        marker = "o" if len(history) < 8 else None
        axes.plot(
            history["epoch"],
            history[column],
            color=INK,
            marker=marker,
            ms=3,
            label="training, mean of the epoch",
        )
        if validated:
            axes.plot(
                history["epoch"],
                history[f"val_{column}"],
                color=ACCENT,
                marker=marker,
                ms=3,
                label="validation, after it",
            )
        if column == "loss" and reference:
            epochs, losses, label = zip(*reference)
            axes.plot(epochs, losses, "+", color="0.3", ms=8, label=label[0])
        axes.set(
            title={"kl": "KL divergence"}.get(column, column),
            xlabel="epoch",
            ylabel="nats" if column == "kl" else ylabel,
        )
        if column != "kl" and wide(history[column]):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.ticklabel_format(axis="y", useOffset=False)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if column == "loss":
            axes.legend(fontsize=8)
    return save(figure, path, note)


@styled
def step_curve(steps, losses, path, title, note="", ylabel="nats an image"):
    """The loss of single batches by training step, faint, and its running median over a hundredth
    of them.

    The highest thousandth of the losses may lie above the axes: else the first steps could leave no
    room for all the others.
    """
    if len(steps) != len(losses) or not len(steps):
        raise ScratchVAEError(
            f"step_curve: {len(steps)} steps and {len(losses)} losses; needed: as many of both, "
            "at least one"
        )
    steps = np.asarray(steps)[np.isfinite(losses)]
    losses = np.asarray(losses, float)[np.isfinite(losses)]
    window = -(-len(losses) // 100)
    figure, (axes,) = _figure(title, 8, 3.6)
    axes.plot(steps, losses, color=INK, alpha=0.25 if window > 1 else 1, lw=0.6, label="one batch")
    if window > 1:
        axes.plot(
            steps,
            median_filter(losses, window),
            color=ACCENT,
            lw=1.6,
            label=f"median of {window:,} batches",
        )
    bottom, top = np.quantile(losses, (0, 0.999))
    if top > bottom:
        axes.set_ylim(bottom - 0.05 * (top - bottom), top + 0.05 * (top - bottom))
    axes.set(xlabel="training step", ylabel=ylabel)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.legend(fontsize=8)
    return save(figure, path, note)


def latent_scatter(z, labels, classes, path, title, note=""):
    """The first two latent coordinates of the examples, coloured by class, with a colour bar."""
    return latent_scatters({"": z}, labels, classes, path, title, note)


@styled
def latent_scatters(embeddings, labels, classes, path, title, note=""):
    """latent_scatter of the same examples in the latent spaces of several models, name -> z (N, 2
    or more), side by side.
    """
    figure, panels = _figure(title, 5.2 * len(embeddings) + 1.6, 5.8, len(embeddings))
    colours = matplotlib.colormaps["tab10"].resampled(len(classes))
    for axes, (name, z) in zip(panels, embeddings.items()):
        if np.ndim(z) != 2 or np.shape(z)[1] < 2 or len(z) != len(labels):
            raise ScratchVAEError(
                f"latent_scatters: z has shape {np.shape(z)}; needed: ({len(labels)}, 2 or more), "
                "a point for each label"
            )
        points = axes.scatter(
            z[:, 0],
            z[:, 1],
            c=labels,
            cmap=colours,
            vmin=-0.5,
            vmax=len(classes) - 0.5,
            s=_marker_area(len(z)),
            alpha=0.6,
            linewidths=0,
            rasterized=True,
        )
        axes.set(title=name, xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
        _keep_outliers_out(axes, z[:, :2])
    bar = figure.colorbar(
        points, cax=panels[-1].inset_axes((1.03, 0, 0.05, 1)), ticks=range(len(classes))
    )
    bar.set_ticklabels(classes)
    bar.solids.set_alpha(1)
    bar.outline.set_visible(False)
    return save(figure, path, note)


def _marker_area(count):
    """Points squared: 3 for the 10,000 of a whole test set, larger where there are fewer, so that
    they are seen.
    """
    return np.clip(30_000 / count, 3, 20)


def _keep_outliers_out(axes, z):
    """Square limits around the points z (N, 2), without far outliers: the label tells their number.

    Far is outside the range of the central 98 %, widened by half to either side; of a normal
    distribution no point is.
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
def kl_by_dimension(kl, path, title, note=""):
    """The KL divergence of each latent dimension, a mean over examples, the largest first:

    those near 0 tell nothing.
    """
    figure, (axes,) = _figure(title, 7, 3.2)
    axes.bar(np.arange(1, len(kl) + 1), np.sort(kl)[::-1], color=INK, width=0.8)
    axes.set(xlabel="latent dimension, by its KL", ylabel="nats an example")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.annotate(
        f"{np.sum(kl):.2f} nats in all", (0.98, 0.92), xycoords="axes fraction", ha="right"
    )
    return save(figure, path, note)


@styled
def latent_histogram(z, path, title, note=""):
    """The distribution of one latent coordinate over examples, z (N,), with the density of N(0, 1),
    the prior, over it.
    """
    if np.ndim(z) != 1 or not len(z):
        raise ScratchVAEError(
            f"latent_histogram: z has shape {np.shape(z)}; needed: (N,), one coordinate of each "
            "example"
        )
    figure, (axes,) = _figure(title, 6.4, 4)
    axes.hist(
        z,
        bins=60,
        density=True,
        color=INK,
        alpha=0.55,
        label=f"{len(z):,} examples: mean {_short(np.mean(z))}, standard deviation {_short(np.std(z))}",
    )
    x = np.linspace(min(-4, np.min(z)), max(4, np.max(z)), 1000)
    axes.plot(
        x,
        np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
        color=ACCENT,
        lw=1.8,
        label="density of N(0, 1)",
    )
    axes.set(xlabel="latent coordinate", ylabel="density")
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return save(figure, path, note)


def manifold(decode, path, title, note="", count=15):
    """The decoded latent plane:

    count x count points at equal steps of probability of the prior, from 5 % to 95 %.
    """
    return manifolds({"": decode}, path, title, note, count)


@styled
def manifolds(decoders, path, title, note="", count=15):
    """manifold of several models, name -> decode, side by side."""
    quantiles = ndtri(np.linspace(0.05, 0.95, count))
    figure, panels = _figure(title, 6.8 * len(decoders), 7.2, len(decoders))
    for axes, (name, decode) in zip(panels, decoders.items()):
        z = np.stack(np.meshgrid(quantiles, quantiles[::-1]), axis=-1)  # z_2 grows upwards
        _plane(axes, decode, z, down=quantiles[::-1], right=quantiles)
        axes.set(title=name, xlabel="$z_1$", ylabel="$z_2$")
    return save(figure, path, note)


@styled
def decoded_grids(decode, grids, path, title, note=""):
    """Parts of the decoded latent plane side by side; grids: (name, first, second) of each.

    A row is one value of z_1 (of first, from the top), its columns are the values of z_2 (of
    second).
    """
    figure, panels = _figure(title, 5.2 * len(grids), 5.7, len(grids))
    for axes, (name, first, second) in zip(panels, grids):
        _plane(
            axes,
            decode,
            np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1),
            down=first,
            right=second,
        )
        axes.set(title=name, xlabel="$z_2$", ylabel="$z_1$")
    return save(figure, path, note)


def _plane(axes, decode, z, down, right):
    """Images decoded from z (rows, columns, 2), without gaps;

    down and right are the values that belong to rows and columns.
    """
    images = as_images(decode(z.reshape(-1, 2)))
    size = images.shape[1]
    _show(axes, tile(images, len(right)))
    for axis, values in ((axes.yaxis, down), (axes.xaxis, right)):
        labelled = range(0, len(values), 1 + len(values) // 12)  # no more than there is room for
        axis.set_ticks(
            [(i + 0.5) * size - 0.5 for i in labelled],
            [_short(values[i]) for i in labelled],
            fontsize=8,
        )


@styled
def reconstructions(originals, outputs, path, title, note=""):
    """Originals above their reconstructions."""
    figure = _sheet(np.concatenate(_pairs(originals, outputs)), len(originals), title)
    figure.axes[0].set_yticklabels(["original", "output"])
    return save(figure, path, note)


@styled
def samples(images, path, title, note="", columns=10, titles=()):
    """A grid of generated images; titles: one text for all, or one for each."""
    if isinstance(titles, str):
        titles = [titles] * len(images)
    return save(_sheet(as_images(images), columns, title, titles), path, note)


@styled
def progress_pairs(steps, originals, outputs, path, title, note=""):
    """An input beside what the model made of it at each of the training steps, in reading order."""
    originals, outputs = _pairs(originals, outputs)
    outputs = np.pad(outputs, ((0, 0), (0, 0), (2, 0)))  # keeps them apart
    figure = _sheet(
        np.concatenate((originals, outputs), axis=2), 15, title, [f"{step:,}" for step in steps]
    )
    figure.axes[0].set_xlabel("training step, and under it: input | output", fontsize=8)
    return save(figure, path, note)


@styled
def traversal(decode, z, coordinate, values, folder, title, note=""):
    """What one coordinate of the latent point z (J,) does: z decoded with it set to each of the
    values.

    Writes an animation, traversal.gif, its frames traversal/frame_00.png and so on, and all images
    on one sheet, traversal.png;
    returns the paths of the animation and the sheet.
    """
    if np.ndim(z) != 1 or not 0 <= coordinate < len(z):
        raise ScratchVAEError(
            f"traversal: coordinate {coordinate} of z of shape {np.shape(z)}; needed: a point "
            "(J,), "
            "and one of its coordinates, counted from 0"
        )
    points = np.tile(np.asarray(z, float), (len(values), 1))
    points[:, coordinate] = values
    images = as_images(decode(points))
    name = f"$z_{{{coordinate + 1}}}$"
    folder = Path(folder)
    (folder / "traversal").mkdir(parents=True, exist_ok=True)
    frames = list(_frames(images, [f"{name} = {_short(value)}" for value in values]))
    for i, frame in enumerate(frames):
        frame.save(folder / "traversal" / f"frame_{i:02d}.png")
    frames[0].save(
        folder / "traversal.gif", save_all=True, append_images=frames[1:], duration=80, loop=0
    )  # ms; 0: forever
    figure = _sheet(images, 10, title, [_short(value) for value in values])
    figure.axes[0].set_xlabel(f"above each image: {name}", fontsize=8)
    return [folder / "traversal.gif", save(figure, folder / "traversal.png", note)]


def _frames(images, texts, scale=8, margin=8, head=36):
    """Each image, enlarged so that pixels stay sharp, under its text, as a grey picture;

    one figure, redrawn, is quick.
    """
    size = images.shape[1] * scale
    width = size + 2 * margin
    height = size + margin + head
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((margin / width, margin / height, size / width, size / height))
    shown = _show(axes, images[0])
    axes.spines[:].set(visible=True, color=FRAME)
    for image, text in zip(images, texts):
        shown.set_data(image)
        axes.set_title(text, loc="left")  # where its beginning does not move
        canvas.draw()
        yield Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("L")


def as_images(x):
    """Examples (N, ...) of one square grey image each, as (N, side, side)."""
    side = round(np.sqrt(np.prod(x.shape[1:])))
    if not len(x) or np.prod(x.shape[1:]) != side**2 or x.ndim > 2 and x.shape[1:3] != (side, side):
        raise ScratchVAEError(
            f"images of shape {x.shape}; needed: at least one, each square and of one channel"
        )
    return x.reshape(len(x), side, side)


def _pairs(originals, outputs):
    """Both as images, if they belong together."""
    originals = as_images(originals)
    outputs = as_images(outputs)
    if originals.shape != outputs.shape:
        raise ScratchVAEError(
            f"originals {originals.shape} and outputs {outputs.shape}; needed: as many of both, "
            "of one size"
        )
    return originals, outputs


def tile(images, columns):
    """Images (N, height, width) as one, row by row."""
    count, height, width = images.shape
    return (
        images.reshape(count // columns, columns, height, width)
        .swapaxes(1, 2)
        .reshape(-1, columns * width)
    )


def _sheet(images, columns, title, titles=()):
    """A figure of framed images (N, height, width) in rows, with a small title above each if titles
    are given.
    """
    count, height, width = images.shape
    if len(titles) not in (0, count):
        raise ScratchVAEError(
            f"{count} images, but {len(titles)} titles or steps; needed: as many of both"
        )
    columns = min(columns, count)
    gap = height // 8
    head = height * 2 // (7 if len(titles) else 16)
    cells = np.pad(images, ((0, -count % columns), (head, 0), (gap, 0)))
    rows = len(cells) // columns
    size = np.array(cells.shape[:0:-1])
    inches = min(0.85 / height, 15 / (columns * size[0]))  # of a pixel
    figure, (axes,) = _figure(
        title, max(4, inches * columns * size[0]) + 0.4, inches * rows * size[1] + 0.5
    )
    _show(axes, tile(cells, columns))
    corners = [
        ((i % columns) * size[0] + gap - 0.5, (i // columns) * size[1] + head - 0.5)
        for i in range(count)
    ]
    axes.add_collection(
        PatchCollection(
            [Rectangle(corner, width, height) for corner in corners],
            facecolor="none",
            edgecolor=FRAME,
            lw=0.8,
            clip_on=False,
        )
    )
    axes.set_yticks([y + height / 2 for x, y in corners[::columns]], [""] * rows)
    for (x, y), text in zip(corners, titles):
        axes.text(x + width / 2, y - 0.5, text, ha="center", va="bottom", fontsize=7)
    return figure


def _show(axes, image):
    """Draw an image, black on white, and nothing around it."""
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")


def _short(value):
    """A coordinate in few digits."""
    return f"{round(float(value), 2) + 0.0:g}".replace("-", "\N{MINUS SIGN}")
