"""Runs on one page: their curves, what they differ in, their measures and figures side by side."""
import io
import time
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from ... import __version__
from ...charts import chart
from ...storage import write_text
from ...training.history import wide
from ..pages import render
from ..report import CAPTIONS, TERMS, TEXTS
from ..report.images import data_uri
from .groups import Comparison, number

HERE = Path(__file__).parent
STYLES = 32                     # looks of curves in style.css
WIDTH = 720                     # pixels of a figure: several are side by side
MANY = 8                        # with more groups, figures have half the width
COLUMNS = {                     # measures of the page's table and their titles
    "val_loss": "validation loss",
    "val_reconstruction": "its reconstruction",
    "val_kl": "its KL divergence",
    "val_active_units": "latent dimensions in use",
    "loss": "training loss",
}


def write_page(comparison, path):
    """Write a comparison as one self-contained HTML page and return its path.

    Parameters
    ----------
    comparison : Comparison
    path : path

    Returns
    -------
    Path
    """
    path = Path(path)
    groups = comparison.groups
    write_text(path, render(
        HERE,
        comparison=comparison,
        groups=groups,
        title=title(comparison),
        number=number,
        kinds=[kind(index) for index in range(len(groups))],
        columns={name: text for name, text in COLUMNS.items()
                 if any(group.mean(name) is not None for group in groups)},
        charts=[("Validation", charts(comparison, "val_")), ("Training", charts(comparison, ""))],
        common=common(comparison),
        figures=figures(groups),
        texts=texts(groups),
        date=time.strftime("%d %B %Y, %H:%M"),
        version=__version__,
    ))
    return path


def title(comparison):
    """Return the title of the page."""
    labs = list(dict.fromkeys(entry.run.lab.name for entry in comparison.entries))
    count = len(comparison.entries)
    return f"{', '.join(labs)}: {count} run{'s' * (count != 1)}"


def kind(index):
    """Return the CSS class of a group's curves."""
    return f"look-{index % STYLES + 1}"


def charts(comparison, prefix):
    """Return the charts of the loss and its terms by epoch.

    Parameters
    ----------
    comparison : Comparison
    prefix : {"val_", ""}
        Of the columns of the history: those of the validation or of the training.

    Returns
    -------
    list of (str, Markup)
        The title and the SVG of each chart. Without a KL divergence the loss has one term alone.
    """
    has_kl = any(group.mean("kl") for group in comparison.groups)
    found = []
    for column, name in TERMS.items() if has_kl else [("loss", TERMS["loss"])]:
        lines = []
        bands = []
        for index, group in enumerate(comparison.groups):
            epochs, means, lows, highs = group.curve(prefix + column)
            look = kind(index) if len(epochs) > 1 else f"{kind(index)} alone"
            lines.append((look, group.label, epochs, means))
            if len(group.entries) > 1:
                bands.append((kind(index), epochs, lows, highs))
        log = column != "kl" and any(wide(means) for *_, means in lines if means)
        svg = chart(name, unit(comparison, column), lines, log=log, bands=bands)
        if svg:
            found.append((name, Markup(svg)))
    return found


def unit(comparison, column):
    """Return the unit of a column of the histories, as far as all runs have the same."""
    if column == "kl":
        return "nats"
    if len(comparison.units) > 1:
        return "each in its lab's unit"
    unit, = comparison.units
    if column == "reconstruction":
        return unit.replace(", + KL", "").replace(" + KL", "")
    return unit


def common(comparison):
    """Return (name, value) of the settings that are the same in all runs, as text."""
    first = comparison.entries[0]
    return [(name, f"{value}") for name, value in first.settings.items()
            if name not in comparison.differing and value not in (None, "")
            and all(name in entry.settings for entry in comparison.entries)]


def figures(groups):
    """Return (caption, images) of each figure that all groups have, one image for each group.

    It is that of the first seed. Groups without any figure do not count, such as failed runs.

    Parameters
    ----------
    groups : list of Group

    Returns
    -------
    list of (str, list of (int, Group, dict))
        Of each image the number and the group, and its uri, width and height.
    """
    drawn = [(index, group, {path.stem: path for path in group.first.run.figures.glob("*.png")})
             for index, group in enumerate(groups)]
    drawn = [item for item in drawn if item[2]]
    width = WIDTH if len(drawn) <= MANY else WIDTH // 2
    return [(caption, [(index, group, small(paths[name], width))
                       for index, group, paths in drawn])
            for name, caption in CAPTIONS.items()
            if drawn and all(name in paths for *_, paths in drawn)]


def small(path, width):
    """Return a figure, at most `width` pixels wide, as {"uri", "width", "height"}."""
    with Image.open(path) as image:
        image = image.convert("RGB")
    image.thumbnail((width, image.height), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.quantize(128).save(file, "PNG")
    return {"uri": data_uri(file.getvalue()), "width": image.width, "height": image.height}


def texts(groups):
    """Return (title, texts) of each text file that all groups have; see figures."""
    written = [(index, group, {name: group.first.run.folder / f"{name}.txt" for name in TEXTS
                               if (group.first.run.folder / f"{name}.txt").exists()})
               for index, group in enumerate(groups)]
    written = [item for item in written if item[2]]
    return [(title, [(index, group, paths[name].read_text(encoding="utf-8"))
                     for index, group, paths in written])
            for name, title in TEXTS.items()
            if written and all(name in paths for *_, paths in written)]
