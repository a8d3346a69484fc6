"""The style of the figures; how they are made, shown and saved."""
import io
from pathlib import Path

import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL.PngImagePlugin import PngInfo

from ...storage import write_file
from ..marks import mark

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
    "agg.path.chunksize": 50_000,       # the renderer fails with many more points at once
}
DPI = 160
INK = "#1f4e79"
ACCENT = "#d1495b"
FRAME = "0.85"
# Decorates each function that draws. The user's own settings (dark, TeX) do not reach the figures.
styled = matplotlib.style.context(["default", STYLE])


class Picture(Figure):
    """A figure that a notebook shows as the value of a cell, with or without pyplot."""

    def _repr_png_(self):
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def new_figure(title, width, height, panels=1):
    """Return a figure and its panels, side by side.

    Parameters
    ----------
    title : str
    width, height : float
        Inches.
    panels : int, default 1

    Returns
    -------
    (Figure, array of Axes)
    """
    figure = Picture(figsize=(width, height), layout="compressed")
    figure.suptitle(title, wrap=True)
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def save(figure, path, note=""):
    """Write a figure to a file and return the path; without a path, return the figure.

    The figures are made without pyplot, so there is nothing to close.

    Parameters
    ----------
    figure : Figure
    path : path or None
        Missing folders are made.
    note : str
        A small line at the foot.

    Returns
    -------
    Path or Figure
    """
    figure.supxlabel(note, x=0.995, ha="right", fontsize=6, color="0.45")
    FigureCanvasAgg(figure)
    # The layout of square axes takes two rounds; savefig does the second.
    figure.draw_without_rendering()
    return figure if path is None else write(figure, path)


@styled
def write(figure, path):
    """Write any figure of Matplotlib to a PNG file, and return the path.

    Parameters
    ----------
    figure : Figure
    path : path
        Missing folders are made.

    Returns
    -------
    Path
    """
    path = Path(path)
    write_file(path, lambda file: figure.savefig(file, format="png", dpi=DPI,
                                                 metadata={"Comment": mark(path)}))
    return path


def save_image(image, path, **options):
    """Write a PIL image to a PNG or GIF file.

    Parameters
    ----------
    image : PIL.Image.Image
    path : path
        Missing folders are made.
    **options
        Of PIL's save.
    """
    kind = Path(path).suffix[1:]
    if kind == "gif":
        options["comment"] = mark(path)
    else:
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Comment", mark(path))
    write_file(path, lambda file: image.save(file, format=kind, **options))


def short(value):
    """Return a coordinate as text with at most two decimals and a true minus sign."""
    return f"{round(float(value), 2) + 0.0:g}".replace("-", "\N{MINUS SIGN}")
