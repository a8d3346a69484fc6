"""Which columns of a table are numbers, which are categories, and which are left out."""
import re

import numpy as np

from ...errors import ScratchVAEError
from .columns import Categories, Columns, Numbers, as_text, check_finite, shown
from .reading import is_number

IDS = {"", "id", "index", "row", "unnamed: 0"}      # names of columns that number the rows
MOST = 100                      # categories of a column
FEW = 10                        # categories that are never too many for the number of rows


def fit_columns(raw, rows, drop, categorical, notes):
    """Return the Columns of a table.

    Numbers are numbers, however few different ones there are; text is categories. A column that
    numbers the rows is left out.

    Parameters
    ----------
    raw : dict
        See scratchvae.data.tables.
    rows : int array
        The rows that means and standard deviations are learnt from. Categories are those of all
        rows.
    drop, categorical : sequence of str
        Names of columns to leave out, and of numbers that are categories.
    notes : list of str
        Receives what was left out or is unusual.

    Returns
    -------
    Columns
    """
    for option, names in (("drop", drop), ("categorical", categorical)):
        unknown = [name for name in names if name not in raw]
        if unknown:
            raise ScratchVAEError(f"{option}: the table has no column {shown(unknown)}; it has "
                                  f"{shown(list(raw))}")
    columns = []
    for name, cells in raw.items():
        if name in drop:
            continue
        if name.lower() in IDS and name not in categorical and numbers_rows(cells):
            notes.append(f"column {name!r} numbers the rows and is left out")
            continue
        if name in categorical or not isinstance(cells, np.ndarray):
            columns.append(fit_categories(name, cells, name in categorical))
        else:
            columns.append(fit_numbers(name, cells, rows, notes))
    if not columns:
        raise ScratchVAEError("the table has no column that can be used")
    return Columns(columns)


def numbers_rows(cells):
    """Return whether a raw column holds whole numbers, all of them different."""
    return (isinstance(cells, np.ndarray) and np.isfinite(cells).all()
            and (cells == np.rint(cells)).all() and len(np.unique(cells)) == len(cells))


def fit_numbers(name, cells, rows, notes):
    """Return the Numbers of a raw column."""
    check_finite(name, cells)
    known = cells[rows]
    known = known[~np.isnan(known)]
    if not len(known):
        raise ScratchVAEError(f"column {name!r} is empty; leave it out with --drop {name!r} "
                              f"(in Python: drop=[{name!r}])")
    mean = float(known.mean())
    scale = float(known.std())
    if scale <= 1e-12 * abs(mean):                  # rounding alone
        notes.append(f"column {name!r} is constant: it tells nothing of a row")
        scale = 1.0
    everything = cells[~np.isnan(cells)]
    return Numbers(name, mean, scale, bool((everything == np.rint(everything)).all()))


def fit_categories(name, cells, asked):
    """Return the Categories of a raw column, or refuse text that is none.

    Parameters
    ----------
    name : str
    cells : raw column
    asked : bool
        Whether the user named it as categorical.
    """
    cells = as_text(cells)
    found = sorted({cell for cell in cells if cell is not None}, key=by_number)
    if not found:
        raise ScratchVAEError(f"column {name!r} is empty; leave it out with --drop {name!r} "
                              f"(in Python: drop=[{name!r}])")
    if not asked:
        check_mixed(name, cells)
    most = MOST if asked else min(MOST, max(FEW, len(cells) // 2))
    if len(found) > most:
        raise ScratchVAEError(f"column {name!r} has {len(found):,} different texts in "
                              f"{len(cells):,} rows, at most {most} can be categories; leave it "
                              f"out with --drop {name!r} (in Python: drop=[{name!r}])")
    return Categories(name, tuple(found))


def check_mixed(name, cells):
    """Refuse numbers among which some cells are text, and numbers with a decimal comma."""
    known = [(row, cell) for row, cell in enumerate(cells, 1) if cell is not None]
    commas = [(row, cell) for row, cell in known if re.fullmatch(r"[+-]?\d+,\d+", cell)]
    if len(commas) > len(known) / 2:
        row, cell = commas[0]
        raise ScratchVAEError(f"column {name!r} has decimal commas, as {cell!r} in row {row}; "
                              "write decimal points")
    text = [(row, cell) for row, cell in known if not is_number(cell)]
    if len(text) < len(known) / 2:
        row, cell = text[0]
        raise ScratchVAEError(
            f"column {name!r} holds numbers, but {len(text):,} of its {len(known):,} cells are "
            f"none, the first is {cell!r} in row {row}; correct them or leave them empty, or take "
            f"all as categories with --categorical {name!r} (in Python: categorical=[{name!r}])")


def by_number(text):
    """Return the key that sorts "2" before "10"."""
    return (0, float(text), text) if is_number(text) else (1, 0.0, text)
