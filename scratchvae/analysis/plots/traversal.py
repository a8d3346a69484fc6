"""One latent coordinate moved: an animation, its frames, and all images on one sheet."""
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ...errors import ScratchVAEError
from ..pictures import as_images
from .figure import DPI, FRAME, save, save_image, short, styled
from .images import sheet, show

FRAME_MILLISECONDS = 80
SCALE = 8                       # pixels of a frame for each pixel of an image
MARGIN = 8                      # pixels
HEAD = 36                       # pixels, for the text


@styled
def traversal(decode, z, coordinate, values, folder=None, title="", note=""):
    """Draw a latent point decoded with one of its coordinates set to each of the values.

    In a folder it writes an animation (traversal.gif), its frames (traversal/frame_00.png and so
    on) and all images on one sheet (traversal.png); without one it returns the figure of the sheet.

    Parameters
    ----------
    decode : function (array of shape (N, J)) -> N images
    z : array of shape (J,)
        The latent point.
    coordinate : int
        The coordinate that moves, from 0.
    values : sequence of float
        Its values.
    folder : path, optional
        Where to write the files.
    title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    list of Path or Figure
        The animation and the sheet, or the sheet as a figure.

    Raises
    ------
    ScratchVAEError
        If z is not a single point, or lacks the coordinate.
    """
    if np.ndim(z) != 1:
        raise ScratchVAEError("traversal: z must have shape (J,), a single point, "
                              f"got {np.shape(z)}")
    if not 0 <= coordinate < len(z):
        raise ScratchVAEError(f"traversal: coordinate must be from 0 to {len(z) - 1}, "
                              f"got {coordinate}")
    points = np.tile(np.asarray(z, float), (len(values), 1))
    points[:, coordinate] = values
    images = as_images(decode(points))
    name = f"$z_{{{coordinate + 1}}}$"
    figure = sheet(images, 10, title, [short(value) for value in values])
    figure.axes[0].set_xlabel(f"above each image: {name}", fontsize=8)
    if folder is None:
        return save(figure, None, note)
    folder = Path(folder)
    frames = list(_frames(images, [f"{name} = {short(value)}" for value in values]))
    for i, frame in enumerate(frames):
        save_image(frame, folder / "traversal" / f"frame_{i:02d}.png")
    animation = folder / "traversal.gif"
    save_image(frames[0], animation, save_all=True, append_images=frames[1:],
               duration=FRAME_MILLISECONDS, loop=0)         # 0: it repeats for ever
    return [animation, save(figure, folder / "traversal.png", note)]


def _frames(images, texts):
    """Yield each image enlarged without smoothing, under its text, as a PIL image."""
    drawn_height = images.shape[1] * SCALE
    drawn_width = images.shape[2] * SCALE
    width = drawn_width + 2 * MARGIN
    height = drawn_height + MARGIN + HEAD
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((MARGIN / width, MARGIN / height, drawn_width / width,
                            drawn_height / height))
    shown = show(axes, images[0])
    axes.spines[:].set(visible=True, color=FRAME)
    for image, text in zip(images, texts):      # one figure redrawn is faster than many
        shown.set_data(image if image.ndim == 2 else np.clip(image, 0, 1))
        axes.set_title(text, loc="left")        # centred, it would move with its length
        canvas.draw()
        kind = "L" if image.ndim == 2 else "RGB"
        yield Image.fromarray(np.asarray(canvas.buffer_rgba())).convert(kind)
