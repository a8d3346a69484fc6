"""Tables of one's own: rows of numbers and categories, as the numbers that models train on.

reading.py    CSV, Parquet and DataFrames, as raw columns
columns.py    a column: standardised numbers, or one-hot categories; there and back
kinds.py      which columns are numbers, which are categories, which are left out
weather.py    a table with a known structure, made by the library

Raw columns are a dict: name -> float64 array, NaN where a cell is missing; or, for text, a list of
str, None where it is missing.
"""
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ScratchVAEError
from .columns import Columns
from .kinds import fit_columns
from .reading import read
from .weather import weather

TEST_PART = 6                   # one row of so many tests


@dataclass
class TableData:
    """A table as numbers.

    Parameters
    ----------
    raw : dict
        The raw columns, all of them; see scratchvae.data.tables.
    columns : Columns
        What was learnt of the columns that are used: names, means, standard deviations, categories.
    x : float32 array (N, width)
        The rows in their order: standardised numbers, NaN where missing; then one-hot categories.
    train, test : int arrays
        Which rows train and which test, in the order in which they are used.
    description : str
        What the table is and where it comes from.
    sha256 : str
        A checksum of the content.
    notes : tuple of str
        What was left out or is unusual, a line each.
    """

    raw: dict
    columns: Columns
    x: np.ndarray
    train: np.ndarray
    test: np.ndarray
    description: str
    sha256: str
    notes: tuple = ()

    def __len__(self):
        return len(self.x)

    @property
    def x_train(self):
        """The rows to train on."""
        return self.x[self.train]

    @property
    def x_test(self):
        """The rows that test."""
        return self.x[self.test]

    def decode(self, x):
        """Return rows as a model makes them in the table's units: see Columns.decode."""
        return self.columns.decode(x)


def load_table(source, drop=(), categorical=(), columns=None):
    """Return a table of one's own as numbers.

    Parameters
    ----------
    source : path, DataFrame, or dict of name -> cells
        A CSV file with a line of names (commas, semicolons or tabs; .csv, .tsv, .gz); a Parquet
        file, for which pyarrow is needed; a DataFrame of pandas or polars.
    drop : sequence of str
        Columns to leave out.
    categorical : sequence of str
        Columns of numbers that are names of categories, such as codes.
    columns : Columns, optional
        What was learnt of another table: its columns are found by name, whatever their order. By
        default it is learnt here, means and standard deviations from the rows to train on.

    Returns
    -------
    TableData
        A sixth of the rows tests, drawn with seed 0.

    Raises
    ------
    ScratchVAEError
        If nothing there can be read, or columns cannot be used: the message names the column, and
        the first row that is wrong.
    """
    name = Path(source).name if isinstance(source, (str, Path)) else type(source).__name__
    return as_data(read(source), f"own table from {name}", drop, categorical, columns)


def demonstration():
    """Return the table of weather.py as TableData: a model can be tried without any file."""
    return as_data(weather(), "invented weather")


def as_data(raw, origin, drop=(), categorical=(), columns=None):
    """Return raw columns as TableData; origin says where they come from."""
    count = len(next(iter(raw.values())))
    if columns is None and count < 2:
        raise ScratchVAEError(f"{origin}: rows to train and rows to test need at least 2 rows, "
                              f"got {count}")
    order = np.random.default_rng(0).permutation(count)
    tests = -(-count // TEST_PART)
    notes = []
    if columns is None:
        columns = fit_columns(raw, order[tests:], drop, categorical, notes)
        x = columns.encode(raw)
    else:
        x = columns.encode(raw, notes)
    missing = sum(count_missing(raw[column.name]) for column in columns)
    description = (f"{origin} ({count - tests:,} rows to train, {tests:,} to test), "
                   f"{columns.in_words()}")
    if missing:
        notes.append(f"{missing:,} of {count * len(columns):,} cells are missing; the loss leaves "
                     "them out")
    return TableData(raw, columns, x, order[tests:], order[:tests], description, checksum(raw),
                     tuple(notes))


def count_missing(cells):
    """Return how many cells of a raw column are missing."""
    return int(np.isnan(cells).sum()) if isinstance(cells, np.ndarray) else cells.count(None)


def checksum(raw):
    """Return the SHA-256 of raw columns and their names, in hexadecimal."""
    digest = hashlib.sha256()
    for name, cells in raw.items():
        digest.update(repr(name).encode())
        digest.update(cells.tobytes() if isinstance(cells, np.ndarray) else repr(cells).encode())
    return digest.hexdigest()
