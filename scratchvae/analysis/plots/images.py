"""Images in rows: reconstructions, samples, and the progress of training."""
import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from ...errors import ScratchVAEError
from ..pictures import as_images, pad, tile
from .figure import FRAME, new_figure, save, styled


@styled
def reconstructions(originals, outputs, path=None, title="", note=""):
    """Draw images above their reconstructions.

    Parameters
    ----------
    originals, outputs : arrays of N images
        Images as as_images takes them.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If these are no images, or if originals and outputs differ in number or size.
    """
    rows = np.concatenate(_pairs(originals, outputs))
    figure = sheet(rows, len(originals), title)
    figure.axes[0].set_yticklabels(["original", "output"])
    return save(figure, path, note)


@styled
def samples(images, path=None, title="", note="", columns=10, titles=(), rows=()):
    """Draw images in rows.

    Parameters
    ----------
    images : array of N images
        Images as as_images takes them.
    path, title, note
        See scratchvae.analysis.plots.
    columns : int, default 10
        Images in a row.
    titles : str or sequence of N str
        A small title above each image; one str is the title of all.
    rows : sequence of str
        A name at the left of each row.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If these are no images, or if there is another number of titles.
    """
    if isinstance(titles, str):
        titles = [titles] * len(images)
    figure = sheet(as_images(images), columns, title, titles)
    if rows:
        figure.axes[0].set_yticklabels(rows)
    return save(figure, path, note)


@styled
def progress_pairs(steps, originals, outputs, path=None, title="", note=""):
    """Draw the input beside the output at several training steps, in reading order.

    Parameters
    ----------
    steps : sequence of N int
        The training steps.
    originals, outputs : arrays of N images
        Images as as_images takes them.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure

    Raises
    ------
    ScratchVAEError
        If these are no images, or if steps, originals and outputs differ in number or size.
    """
    originals, outputs = _pairs(originals, outputs)
    outputs = pad(outputs, right=(2, 0))        # a gap between the two
    pairs = np.concatenate((originals, outputs), axis=2)
    figure = sheet(pairs, 15, title, [f"{step:,}" for step in steps])
    figure.axes[0].set_xlabel("training step, and under it: input | output", fontsize=8)
    return save(figure, path, note)


def _pairs(originals, outputs):
    """Return originals and outputs as images; raise an error if they differ in number or size."""
    originals = as_images(originals)
    outputs = as_images(outputs)
    if originals.shape != outputs.shape:
        raise ScratchVAEError("originals and outputs must have the same shape, "
                              f"got {originals.shape} and {outputs.shape}")
    return originals, outputs


def sheet(images, columns, title, titles=()):
    """Return a figure of framed images in rows.

    Parameters
    ----------
    images : array of N images
        As as_images returns them.
    columns : int
        The most images in a row.
    title : str
        The title of the figure.
    titles : sequence of N str
        A small title above each image; empty for none.

    Returns
    -------
    Figure
        Its axes have a tick without a label at each row.
    """
    count, height, width = images.shape[:3]
    if len(titles) not in (0, count):
        raise ScratchVAEError(f"each of {count} images must have one title or step, "
                              f"got {len(titles)}")
    columns = min(columns, count)
    unit = min(height, width)
    gap = unit // 8
    head = unit * 2 // (7 if len(titles) else 16)
    cells = pad(images, (head, 0), (gap, 0), after=-count % columns)
    cell_height, cell_width = cells.shape[1:3]
    rows = len(cells) // columns
    inches = min(0.85 / max(height, width), 15 / (columns * cell_width))        # of a pixel
    figure, (axes,) = new_figure(title, max(4, inches * columns * cell_width) + 0.4,
                                 inches * rows * cell_height + 0.5)
    show(axes, tile(cells, columns))
    # imshow puts the middle of the first pixel at 0.
    corners = [((i % columns) * cell_width + gap - 0.5, (i // columns) * cell_height + head - 0.5)
               for i in range(count)]
    frames = [Rectangle(corner, width, height) for corner in corners]
    axes.add_collection(PatchCollection(frames, facecolor="none", edgecolor=FRAME, lw=0.8,
                                        clip_on=False))
    axes.set_yticks([y + height / 2 for x, y in corners[::columns]], [""] * rows)
    for (x, y), text in zip(corners, titles):
        axes.text(x + width / 2, y - 0.5, text, ha="center", va="bottom", fontsize=7)
    return figure


def show(axes, image):
    """Draw an image, a grey one black on white, without ticks and frame, and return it."""
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    if image.ndim == 3:
        image = np.clip(image, 0, 1)
    return axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
