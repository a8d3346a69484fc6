"""A run of a lab about tables. Its config.json keeps what was learnt of the columns.

Beside the files of every run its directory has

samples.csv            new rows                reconstructions.csv    rows, as the model sees them
scores.txt             the most unusual rows, and which of their cells are unusual
"""
import csv
import io
from functools import cached_property

import numpy as np

from ..data.tables import Columns, demonstration, load_table
from ..data.tables.columns import Numbers, as_text
from ..errors import ScratchVAEError
from ..storage import write_text
from .config import read_config
from .measured import MeasuredRun

GLIMPSED = 3                    # rows of each kind in a glimpse
SCORED = 10                     # rows with the lowest scores that scores.txt has
FEW_STEPS = 3000
UNUSUAL_CELLS = 3               # of each of them
SAMPLES = 100                   # new rows, by default


class TableRun(MeasuredRun):
    """A run whose examples are rows of a table; see Run."""

    is_other = False            # whether the table is another one than that of the training

    @cached_property
    def data(self):
        """The table, its columns as they were learnt in training, or by the run to begin with."""
        config = self.config
        known = config.get("columns")
        if not known and config.get("from"):
            known = read_config(config["from"]).get("columns")
        columns = known and Columns.from_config(known)
        if self.has_own:
            data = load_table(config["csv"], config.get("drop") or (),
                              config.get("categorical") or (), columns)
        else:
            data = demonstration()
        print(f"data: {data.description}", flush=True)
        for line in data.notes:
            print(f"note: {line}", flush=True)
        if config.get("data_sha256") not in (None, data.sha256):
            self.is_other = True
            self.data_line = data.description
            print(f"note: this is another table than that of the training, {config['data']}; all "
                  "of its rows are used", flush=True)
        config["columns"] = data.columns.get_config()
        return data

    @property
    def columns(self):
        """What was learnt of the columns in training."""
        return Columns.from_config(self.config["columns"])

    @property
    def has_own(self):
        """Whether the table is one's own."""
        return bool(self.config.get("csv"))

    @property
    def title(self):
        """What the run is about."""
        return "A model of your own table" if self.has_own else super().title

    @property
    def model_settings(self):
        """The settings that the lab's model is made with, and how many columns it has."""
        columns = self.columns
        return self.config["settings"] | {"numbers": len(columns.numbers), "sizes": columns.sizes}

    def rows(self, part):
        """Return the indices of the rows of "train", "test" or "all"; with a limit, the first."""
        data = self.data
        if part == "all" or self.is_other:
            return np.arange(len(data))
        return (data.test if part == "test" else data.train)[:self.config["limit"]]

    @property
    def x_test(self):
        """The test rows; of another table than that of the training, all rows."""
        return self.data.x[self.rows("test")]

    def examples(self):
        """Return what to train on, and write into the configuration which data these are.

        Returns
        -------
        x : array (N, width)
        y : None
            The targets: a row is its own target.
        validation : array
        """
        data = self.data
        if self.is_other:
            raise ScratchVAEError(f"{self.folder}: was trained on another table, "
                                  f"{self.config['data']}; restore it, or train anew")
        config = self.config
        x, validation = (data.x[self.rows(part)] for part in ("train", "test"))
        config["data"] = data.description
        if config["limit"]:
            config["data"] += f"; of these {len(x):,} and {len(validation):,} used"
        self.note_few_steps(len(x))
        config["complete"] = not self.has_own
        config["data_sha256"] = data.sha256
        return x, None, validation

    def note_few_steps(self, count):
        """Say when a training on so many rows has so few steps that variances hardly move."""
        config = self.config
        steps = -(-count // config["batch_size"])
        if steps * config["epochs"] < FEW_STEPS:
            print(f"note: {steps * config['epochs']:,} steps are few, which the learnt variances "
                  f"show first; --epochs {-(-FEW_STEPS // steps)} makes {FEW_STEPS:,}", flush=True)

    def part(self, name):
        """Return the rows of "train", "test" or "all", and {"row": ..., "part": of each}.

        Rows are counted from 1, as in the file. Another table than that of the training has no
        parts.
        """
        data = self.data
        rows = np.sort(self.rows(name))
        known = {"row": (rows + 1).tolist()}
        if not self.is_other:
            known["part"] = np.where(np.isin(rows, data.test), "test", "train").tolist()
        return data.x[rows], known

    def cells(self, rows):
        """Return {name: cells} of all columns of some rows, as they were read; missing is ""."""
        texts = {name: as_text(cells) for name, cells in self.data.raw.items()}
        return {name: [cells[row] or "" for row in rows] for name, cells in texts.items()}

    # What the model makes.

    @property
    def deviations(self):
        """The learnt standard deviations of the columns of numbers, standardised as these are."""
        layer = self.model.decoder.layers.get("learnt_variance")
        return layer.standard_deviations if layer else np.empty(0)

    def reconstructed(self, rows, fill=False):
        """Return rows as the model reconstructs them, as {name: values}.

        Parameters
        ----------
        rows : int array
        fill : bool, default False
            Whether cells that are known stay as they are: then only missing ones are filled in.
        """
        x = self.data.x[rows]
        made = self.model.reconstruct(x)
        values = {name: texts(cells) for name, cells in self.columns.decode(made).items()}
        if fill:
            known = self.cells(rows)
            values = known | {name: [own or new for own, new in zip(known[name], cells)]
                              for name, cells in values.items()}
        return values

    def sampled(self, count, seed=0):
        """Return new rows drawn from the model, noise included, as {name: values}."""
        made = self.model.sample(count, seed)
        drawn = self.columns.draw(made, self.deviations, np.random.default_rng(seed))
        return self.columns.decode(drawn)

    def draw_samples(self, count=None, seed=0):
        """Write new rows, by default 100, to samples.csv and return its path."""
        sampled = self.sampled(count or SAMPLES, seed)
        return self.write_table("samples.csv", {name: texts(v) for name, v in sampled.items()})

    def draw_reconstructions(self, count=None, fill=False):
        """Write rows as the model reconstructs them to reconstructions.csv; return its path.

        Parameters
        ----------
        count : int, optional
            How many test rows. By default, all rows of the table.
        fill : bool, default False
            See `reconstructed`; the file is filled.csv then.
        """
        rows = self.rows("all") if count is None else self.rows("test")[:count]
        values = {"row": (rows + 1).tolist()} | self.reconstructed(rows, fill)
        return self.write_table("filled.csv" if fill else "reconstructions.csv", values)

    def write_table(self, name, columns):
        """Write {name: values} to a CSV file of the run and return its path."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
        path = self.folder / name
        write_text(path, file.getvalue())
        return path

    def draw_scores(self, x, known, scores, title):
        """Write the rows with the lowest scores to scores.txt, and why; return the path.

        Of each row the cells are named that are least probable given its own code.
        """
        order = np.argsort(scores, kind="stable")[:SCORED]
        made = self.model.reconstruct(x[order])
        numbers = [known["row"][place] for place in order]
        lines = [title, "the lowest, and the cells that are least probable given the rest:"]
        for number, score, row, again in zip(numbers, scores[order], x[order], made):
            cells = ", ".join(self.unusual_cells(row, again))
            lines.append(f"{score:10.2f}  row {number}: {cells}")
        return self.write("scores.txt", lines)

    def unusual_cells(self, row, made):
        """Return in words the cells of a row that are least probable, the least probable first."""
        found = []
        for i, (column, here) in enumerate(self.columns.places()):
            if isinstance(column, Numbers):
                if np.isnan(row[i]):
                    continue
                own, expected = (column.decode(part[np.newaxis, here])[0] for part in (row, made))
                spread = self.deviations[i] * column.scale
                found.append((((row[i] - made[i]) / self.deviations[i]) ** 2 / 2,
                              f"{column.name} {own:.5g} (expected {expected:.5g} ± {spread:.3g})"))
            elif row[here].any():
                place = row[here].argmax()
                probability = made[here][place]
                found.append((-np.log(max(probability, 1e-30)),
                              f"{column.name} {column.categories[place]} "
                              f"(probability {probability:.2g})"))
        found.sort(key=lambda cell: -cell[0])
        return [text for _, text in found[:UNUSUAL_CELLS]]

    # A few examples for the report, the same ones after every epoch.

    def originals(self):
        """Return the first test rows as text: those that a glimpse reconstructs."""
        return as_lines(self.cells_used(self.rows("test")[:GLIMPSED]))

    def cells_used(self, rows):
        """Return {name: cells} of the columns that the model has."""
        cells = self.cells(rows)
        return {column.name: cells[column.name] for column in self.columns}

    def glimpse(self):
        """Return a few reconstructions and samples as a dict of lists of lines.

        The call does not influence training.
        """
        rows = self.rows("test")[:GLIMPSED]
        return {"reconstructions": as_lines(self.reconstructed(rows)),
                "samples": as_lines({name: texts(values)
                                     for name, values in self.sampled(GLIMPSED).items()})}


def texts(values):
    """Return decoded values as text: numbers with six digits."""
    return [f"{value:.6g}" if isinstance(value, float) else str(value) for value in values]


def as_lines(columns):
    """Return {name: values} as a line of text for each row."""
    return [", ".join(f"{name} {value or '?'}" for name, value in zip(columns, row))
            for row in zip(*columns.values())]
