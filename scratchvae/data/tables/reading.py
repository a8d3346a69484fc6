"""Reading tables: CSV and Parquet files, DataFrames, dicts of columns; all become raw columns."""
import csv
import gzip
import zlib
from pathlib import Path

import numpy as np

from ...errors import ScratchVAEError
from ..own.collection import progress

ALLOWED = "a CSV file (.csv, .tsv, .txt, also .gz) or a Parquet file (.parquet)"
TEXTS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
SEPARATORS = (",", ";", "\t", "|")
MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"}      # in small letters


def read(source):
    """Return the raw columns of a file, a DataFrame, or a dict; see scratchvae.data.tables."""
    if isinstance(source, (str, Path)):
        path = Path(source)
        if not path.is_file():
            raise ScratchVAEError(f"{path}: no such file; a table can be {ALLOWED}")
        if path.suffix.lower() == ".parquet":
            return read_parquet(path)
        if not path.name.lower().endswith(TEXTS):
            raise ScratchVAEError(f"{path}: not a kind of table that can be read. Allowed: "
                                  f"{ALLOWED}")
        return read_csv(path)
    if hasattr(source, "columns") or isinstance(source, dict):
        return from_frame(source)
    raise ScratchVAEError(f"load_table: must be {ALLOWED}, a DataFrame, or a dict of columns, got "
                          f"{type(source).__name__}")


def read_csv(path):
    """Return the raw columns of a CSV file, whose first line names them."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(SEPARATORS, key=first.count)
            lines = csv.reader(file, delimiter=separator, strict=True)
            names = checked_names(path, [name.strip() for name in next(lines, [])], separator)
            rows = list(progress(whole_rows(path, lines, names), "reading", "row"))
    except UnicodeDecodeError:
        raise ScratchVAEError(f"{path}: not a text in UTF-8; save it as \"CSV UTF-8\"") from None
    except csv.Error as error:
        raise ScratchVAEError(f"{path}: line {lines.line_num}: not CSV: {error}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ScratchVAEError(f"{path}: damaged or truncated gzip file ({error})") from None
    if not rows:
        raise ScratchVAEError(f"{path}: has names of columns, but no row")
    return {name: typed(cells) for name, cells in zip(names, zip(*rows))}


def checked_names(path, names, separator):
    """Return the names of the columns, or refuse a first line that does not name them."""
    if not any(names):
        raise ScratchVAEError(f"{path}: empty; the first line must name the columns")
    if all(map(is_number, names)):
        raise ScratchVAEError(f"{path}: the first line must name the columns, got numbers: "
                              f"{separator.join(names[:4])}{separator}...")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ScratchVAEError(f"{path}: two columns have the name {repeated[0]!r}; give each "
                              "column a name of its own")
    return names


def whole_rows(path, lines, names):
    """Yield the rows that are not empty, or refuse one of another length."""
    for cells in lines:
        if not any(cells) and len(cells) <= 1:
            continue
        if len(cells) != len(names):
            raise ScratchVAEError(f"{path}: line {lines.line_num} has {len(cells)} cells, but "
                                  f"{len(names)} columns have names: {', '.join(names[:6])}"
                                  f"{', ...' if len(names) > 6 else ''}")
        yield cells


def typed(cells):
    """Return cells of text as numbers, if all that are not missing are numbers, else as text."""
    cells = [None if cell.strip().lower() in MISSING else cell.strip() for cell in cells]
    try:
        return np.array([np.nan if cell is None else float(cell) for cell in cells])
    except ValueError:
        return cells


def is_number(text):
    """Return whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_parquet(path):
    """Return the raw columns of a Parquet file."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ScratchVAEError("Parquet files need pyarrow: pip install 'scratchvae[parquet]', or "
                              "save the table as CSV") from None
    try:
        table = parquet.read_table(path)
    except (ArrowException, OSError) as error:
        raise ScratchVAEError(f"{path}: damaged, or not Parquet "
                              f"({str(error).splitlines()[0]})") from None
    return from_frame({name: table.column(name).to_pylist() for name in table.column_names})


def from_frame(frame):
    """Return the raw columns of a DataFrame, or of a dict of sequences."""
    names = list(frame.columns if hasattr(frame, "columns") else frame)
    if len(set(map(str, names))) < len(names):
        raise ScratchVAEError("load_table: two columns have the same name; give each column a name "
                              "of its own")
    raw = {str(name): from_cells(str(name), frame[name]) for name in names}
    if not raw or not all(len(cells) for cells in raw.values()):
        raise ScratchVAEError("load_table: the table has no rows")
    lengths = {name: len(cells) for name, cells in raw.items()}
    if len(set(lengths.values())) > 1:
        raise ScratchVAEError(f"load_table: columns must have the same length, got {lengths}")
    return raw


def from_cells(name, cells):
    """Return a column of a DataFrame, or a sequence, as a raw column."""
    array = cells.to_numpy() if hasattr(cells, "to_numpy") else np.asarray(cells, object)
    if array.ndim != 1:
        raise ScratchVAEError(f"load_table: column {name!r} must have one axis, got shape "
                              f"{array.shape}")
    if array.dtype.kind in "iuf":
        return array.astype(np.float64)
    found = [None if is_missing(cell) else cell for cell in array.tolist()]
    numbers = all(cell is None or isinstance(cell, (int, float)) and not isinstance(cell, bool)
                  for cell in found)
    if numbers:
        return np.array([np.nan if cell is None else cell for cell in found], np.float64)
    return [None if cell is None else str(cell) for cell in found]


def is_missing(cell):
    """Return whether a cell of a DataFrame is missing: None, NaN, NaT or pandas.NA."""
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or cell != cell
