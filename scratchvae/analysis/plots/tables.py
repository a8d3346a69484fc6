"""Columns of tables: their distributions and correlations, of data beside those of new rows."""
import matplotlib
import numpy as np

from .figure import ACCENT, INK, Picture, new_figure, save, styled

MOST = 12                       # columns that are drawn
ACROSS = 4                      # panels in a row
BINS = 30
BARS = 8                        # categories whose names fit
LONGEST = 12                    # characters of a name


@styled
def marginals(data, samples, path=None, title="", note=""):
    """Draw the distribution of each column in two tables: the first columns, a panel each.

    Parameters
    ----------
    data, samples : dict of name -> list
        Numbers, NaN where missing, or text, None or "" where missing.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure
    """
    names = list(data)[:MOST]
    across = min(ACROSS, len(names))
    down = -(-len(names) // across)
    figure = Picture(figsize=(2.9 * across + 0.6, 2.4 * down + 0.9), layout="compressed")
    figure.suptitle(title, wrap=True)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, name in zip(panels, names):
        draw = _bars if isinstance(samples[name][0], str) else _histograms
        draw(axes, {"data": data[name], "new rows": samples[name]})
        axes.set(xlabel=_cut(name), yticks=[])
    for axes in panels[len(names):]:
        axes.set_visible(False)
    figure.supylabel("share of the rows", fontsize=9)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower left", ncols=2,
                  fontsize=8)
    return save(figure, path, note)


def _histograms(axes, parts):
    """Draw densities of numbers; those outside the data's central 99.8 % are at its ends."""
    low, high = np.nanquantile(parts["data"], (0.001, 0.999))
    if low == high:
        low, high = low - 1, high + 1
    few = round(len(parts["data"]) ** 0.5)
    edges = np.linspace(low, high, min(BINS, max(few, 5)) + 1)
    for (label, numbers), colour in zip(parts.items(), (INK, ACCENT)):
        numbers = np.asarray(numbers, float)
        axes.hist(np.clip(numbers[~np.isnan(numbers)], low, high), edges, density=True,
                  color=colour, label=label,
                  histtype="stepfilled" if colour == INK else "step",
                  alpha=0.45 if colour == INK else 1, lw=1.4)


def _bars(axes, parts):
    """Draw the part of each category, the most frequent first."""
    known = {label: [cell for cell in cells if cell] for label, cells in parts.items()}
    names, counts = np.unique(known["data"], return_counts=True)
    names = names[np.argsort(-counts, kind="stable")][:BARS]
    for i, ((label, cells), colour) in enumerate(zip(known.items(), (INK, ACCENT))):
        part = [np.mean(np.asarray(cells) == name) for name in names]
        axes.bar(np.arange(len(names)) + 0.4 * i - 0.2, part, 0.38, label=label,
                 color=colour if i == 0 else "none", edgecolor=colour, lw=1.4 * i,
                 alpha=0.45 if i == 0 else 1)
    axes.set_xticks(range(len(names)), [_cut(name) for name in names], fontsize=7,
                    rotation=0 if len(names) < 4 else 30)
    axes.grid(visible=False, axis="x")


@styled
def correlations(parts, path=None, title="", note=""):
    """Draw the correlation matrices of several tables side by side, with one colour bar.

    Parameters
    ----------
    parts : dict of str -> (dict of name -> numbers)
        Tables with the same columns, by their titles. A coefficient is that of the rows in which
        both cells are known.
    path, title, note
        See scratchvae.analysis.plots.

    Returns
    -------
    Path or Figure
    """
    names = list(next(iter(parts.values())))
    side = 1.6 + 0.42 * len(names)
    figure, panels = new_figure(title, side * len(parts) + 1.6, side + 1, len(parts))
    for axes, (part, columns) in zip(panels, parts.items()):
        matrix = correlation_matrix(np.array([columns[name] for name in names], float))
        picture = axes.imshow(matrix, cmap=matplotlib.colormaps["RdBu_r"], vmin=-1, vmax=1)
        for (i, j), value in np.ndenumerate(matrix):
            text = f"{round(value, 2) + 0:.2f}".replace("-", "\N{MINUS SIGN}")
            axes.text(j, i, text, ha="center", va="center", fontsize=6.5,
                      color="w" if abs(value) > 0.6 else "k")
        axes.set_title(part)
        axes.set_xticks(range(len(names)), map(_cut, names), rotation=45, ha="right",
                        rotation_mode="anchor", fontsize=8)
        axes.set_yticks(range(len(names)), map(_cut, names) if axes is panels[0] else [],
                        fontsize=8)
        axes.grid(visible=False)
    bar = figure.colorbar(picture, ax=list(panels), label="correlation", shrink=0.8)
    bar.outline.set_visible(False)
    return save(figure, path, note)


def correlation_matrix(columns):
    """Return the correlations of columns (C, N) as an array (C, C); 0 with a constant column."""
    count = len(columns)
    matrix = np.eye(count)
    for i in range(count):
        for j in range(i):
            a, b = columns[[i, j]][:, ~np.isnan(columns[[i, j]]).any(axis=0)]
            spread = a.std() * b.std() if len(a) else 0
            matrix[i, j] = matrix[j, i] = (
                np.mean((a - a.mean()) * (b - b.mean())) / spread if spread else 0)
    return matrix


def _cut(name):
    """Return a name that is not too long for an axis."""
    return name if len(name) <= LONGEST else f"{name[:LONGEST - 1]}…"
