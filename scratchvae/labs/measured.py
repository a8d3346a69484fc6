"""What each objective gave each lab, as examples/objectives/measure.py measured it."""
import csv
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("objectives.csv")
COLUMNS = {             # of the table that is shown -> its heading
    "objective": "objective",
    "loss": "loss",
    "reconstruction": "reconstruction",
    "kl": "KL",
    "nll": "-log p(x)",
    "frechet": "Frechet",
    "active_units": "active units",
    "cpu_minutes": "CPU minutes",
}


@cache
def rows():
    """Return the rows of the table, dicts of text; "" is a number without a meaning there."""
    with open(FILE, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def of(lab):
    """Return the rows of a lab.

    Parameters
    ----------
    lab : str

    Returns
    -------
    list of dict
        Columns as in the file; all have the same epochs, examples and seed.
    """
    return [row for row in rows() if row["lab"] == lab]


def table(lab):
    """Return the measured objectives of a lab as lines of text, or no line if there are none."""
    found = of(lab)
    if not found:
        return []
    first = found[0]
    cells = [list(COLUMNS.values()),
             *([row[column] or "-" for column in COLUMNS] for row in found)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["  ".join(f"{cell:<{width}}" if place == 0 else f"{cell:>{width}}"
                       for place, (cell, width) in enumerate(zip(line, widths)))
             for line in cells]
    return [f"objectives, epochs: {first['epochs']}, examples: {int(first['examples']):,}, seed: "
            f"{first['seed']}:", *(f"  {line}" for line in lines)]
