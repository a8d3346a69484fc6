"""Columns as a model sees them, and back: standardised numbers, one-hot categories."""
from dataclasses import asdict, dataclass

import numpy as np

from ...errors import ScratchVAEError


@dataclass
class Numbers:
    """A column of numbers, which a model sees as (number - mean) / scale; a missing one is NaN.

    Parameters
    ----------
    name : str
    mean, scale : float
        scale is the standard deviation, 1 for a constant column.
    whole : bool
        Whether all numbers are integers: then those that are decoded are rounded.
    """

    name: str
    mean: float
    scale: float
    whole: bool
    width = 1

    def encode(self, cells):
        """Return a raw column as an array (N, 1)."""
        if not isinstance(cells, np.ndarray):
            row = next(i for i, cell in enumerate(cells) if cell is not None and not _number(cell))
            raise ScratchVAEError(f"column {self.name!r} must hold numbers, as in training, but "
                                  f"row {row + 1} has {cells[row]!r}")
        check_finite(self.name, cells)
        return ((cells - self.mean) / self.scale)[:, np.newaxis]

    def decode(self, x):
        """Return numbers (N, 1) of a model in the column's own units, a list; NaN stay NaN."""
        numbers = (x[:, 0].astype(np.float64) * self.scale + self.mean).tolist()
        if not self.whole:
            return numbers
        return [number if np.isnan(number) else round(number) for number in numbers]


@dataclass
class Categories:
    """A column of categories, which a model sees one-hot; of a missing one all are 0.

    Parameters
    ----------
    name : str
    categories : tuple of str
    """

    name: str
    categories: tuple

    @property
    def width(self):
        return len(self.categories)

    def encode(self, cells):
        """Return a raw column as an array (N, width) of 0 and 1."""
        places = {category: place for place, category in enumerate(self.categories)}
        x = np.zeros((len(cells), self.width))
        for row, cell in enumerate(as_text(cells)):
            if cell is None:
                continue
            if cell not in places:
                raise ScratchVAEError(
                    f"column {self.name!r}: row {row + 1} has the category {cell!r}, which "
                    f"training did not see; known are {shown(self.categories)}. Leave the cell "
                    "empty to have it treated as missing")
            x[row, places[cell]] = 1
        return x

    def decode(self, x):
        """Return the most probable categories of x (N, width), a list; None where all are 0."""
        return [self.categories[place] if known else None
                for place, known in zip(x.argmax(axis=1), x.any(axis=1))]


class Columns:
    """The columns of a table in their order. An example has all numbers first, then the categories.

    Parameters
    ----------
    columns : list of Numbers and Categories
    """

    def __init__(self, columns):
        self.all = columns
        self.numbers = [column for column in columns if isinstance(column, Numbers)]
        self.categories = [column for column in columns if isinstance(column, Categories)]

    def __iter__(self):
        return iter(self.all)

    def __len__(self):
        return len(self.all)

    @property
    def sizes(self):
        """How many categories each column of categories has."""
        return tuple(column.width for column in self.categories)

    @property
    def width(self):
        """How many numbers an example has."""
        return len(self.numbers) + sum(self.sizes)

    @property
    def reconstruction(self):
        """The loss of a model of this table, such as "table(4, 2)"."""
        return f"table({', '.join(map(str, self.sizes))})" if self.sizes else "table"

    def places(self):
        """Yield (column, slice of an example) in the order of an example."""
        start = 0
        for column in (*self.numbers, *self.categories):
            yield column, slice(start, start + column.width)
            start += column.width

    def encode(self, raw, notes=None):
        """Return raw columns, found by their names, as a float32 array (N, width).

        Parameters
        ----------
        raw : dict
            See scratchvae.data.tables.
        notes : list of str, optional
            Receives a line on columns that are not used.
        """
        missing = [column.name for column in self if column.name not in raw]
        if missing:
            raise ScratchVAEError(f"the table lacks the column {shown(missing)}; it has "
                                  f"{shown(list(raw))}")
        count = len(next(iter(raw.values())))
        x = np.empty((count, self.width), np.float32)
        for column, here in self.places():
            x[:, here] = column.encode(raw[column.name])
        used = {column.name for column in self}
        unused = [name for name in raw if name not in used]
        if unused and notes is not None:
            notes.append(f"columns that are not used: {shown(unused)}")
        return x

    def decode(self, x):
        """Return examples as a model makes them as columns in their own units.

        Parameters
        ----------
        x : array (N, width)
            Numbers, and probabilities of the categories.

        Returns
        -------
        dict of name -> list
            Numbers, and names of the most probable categories.
        """
        places = {column.name: here for column, here in self.places()}
        return {column.name: column.decode(x[:, places[column.name]]) for column in self}

    def draw(self, x, deviations, rng):
        """Return examples drawn from p(x|z), whose parameters a decoder gives.

        Parameters
        ----------
        x : array (N, width)
            Means of the numbers, and probabilities of the categories.
        deviations : array
            Standard deviations of the numbers, standardised as they are.
        rng : NumPy generator

        Returns
        -------
        array (N, width)
        """
        drawn = np.array(x, np.float64)
        for i, (column, here) in enumerate(self.places()):
            if isinstance(column, Numbers):
                drawn[:, i] += deviations[i] * rng.standard_normal(len(x))
            else:
                chosen = rng.random((len(x), 1)) > np.cumsum(drawn[:, here], axis=1)
                chosen = np.minimum(chosen.sum(axis=1), column.width - 1)
                drawn[:, here] = np.eye(column.width)[chosen]
        return drawn

    def in_words(self):
        """Return how many columns there are of each kind."""
        count = len(self.numbers)
        words = [f"{count} number{'s' * (count != 1)}"] if count else []
        if self.sizes:
            words.append(f"{len(self.sizes)} of {' and '.join(map(str, self.sizes))} categories")
        return "columns: " + ", ".join(words)

    def get_config(self):
        """Return what was learnt of the columns, as JSON can express it."""
        return [asdict(column) for column in self]

    @classmethod
    def from_config(cls, config):
        """Return the Columns that get_config described."""
        return cls([Categories(entry["name"], tuple(entry["categories"])) if "categories" in entry
                    else Numbers(**entry) for entry in config])


def check_finite(name, cells):
    """Refuse infinite numbers in a raw column."""
    if np.isinf(cells).any():
        row = int(np.isinf(cells).argmax())
        raise ScratchVAEError(f"column {name!r} holds {np.isinf(cells).sum():,} infinite numbers, "
                              f"the first in row {row + 1}; leave these cells empty, which means "
                              "missing, or drop the column")


def as_text(cells):
    """Return a raw column as text, None where it is missing: 3.0 is "3"."""
    if not isinstance(cells, np.ndarray):
        return cells
    return [None if np.isnan(cell) else f"{cell:.15g}" for cell in cells.tolist()]


def shown(names):
    """Return names as text, the first few of them."""
    return ", ".join(map(repr, names[:8])) + (", ..." if len(names) > 8 else "")


def _number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
