"""What happened in each epoch of training."""
import csv
import io

from ..charts import chart
from ..errors import ScratchVAEError
from ..storage import write_text

WIDE_RANGE = 5                  # losses that fall to a fifth or less need a logarithmic axis
COLUMNS = ("epoch", "loss", "reconstruction", "kl",
           "val_loss", "val_reconstruction", "val_kl", "seconds", "kl_weight", "learning_rate",
           "val_active_units")

REQUIRED = ("epoch", "loss", "seconds")
LAST = 5                        # epochs that are shown
SHOWN = {"epoch": "d", "loss": ".4g", "reconstruction": ".4g", "kl": ".3g", "val_loss": ".4g",
         "seconds": ".1f"}
STYLE = """<style>
.scratchvae-history svg { width: 24rem; max-width: 100%; }
.scratchvae-history text { font: 11px sans-serif; fill: currentColor; }
.scratchvae-history line { stroke: currentColor; opacity: .25; }
.scratchvae-history polyline { fill: none; stroke: currentColor; stroke-width: 1.8; }
.scratchvae-history circle { fill: currentColor; }
.scratchvae-history .training { color: #3d7ab8; }
.scratchvae-history .validation { color: #d1495b; }
</style>"""


def wide(losses):
    """Return whether a curve of losses needs a logarithmic axis, to show more than its start."""
    return max(losses) > WIDE_RANGE * min(losses) > 0


class History:
    """A row for each epoch; history["loss"] is a column as a list.

    loss, reconstruction and kl are means over the epoch as trained, while the weights changed. The
    val_ columns are means over the whole validation set after the epoch, with one sample of z for
    each example; they are None without validation data. kl_weight and learning_rate are those of
    the epoch's last step. val_active_units is the number of latent dimensions that are used: whose
    mean z_mean varies over the validation set (Burda et al. 2016). Metrics of one's own follow. A
    Classifier has crossentropy and accuracy in place of reconstruction and kl.

    Parameters
    ----------
    rows : iterable of dict

    Attributes
    ----------
    best_epoch, stopped_epoch : int or None
        What EarlyStopping found when training ended: the best epoch, and the one that was the last
        because of it.
    """
    best_epoch = None
    stopped_epoch = None

    def __init__(self, rows=()):
        self.rows = [{**dict.fromkeys(COLUMNS), **row} for row in rows]

    def __getitem__(self, column):
        return [row[column] for row in self.rows]

    def __len__(self):
        return len(self.rows)

    @property
    def columns(self):
        """The names of all columns: COLUMNS, and those of metrics."""
        return tuple(self.rows[0]) if self.rows else COLUMNS

    def __repr__(self):
        if not self.rows:
            return self._heading()
        table = self._table()
        widths = [max(map(len, column)) for column in zip(*table)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths))
                 for row in table]
        return "\n".join([self._heading(), *lines])

    def _repr_html_(self):
        """Return the last epochs as a table, and the curves of the loss."""
        if not self.rows:
            return self._heading()
        rows = [f"<tr><td>{'</td><td>'.join(cells)}</td></tr>" for cells in self._table()]
        return (f'<div class="scratchvae-history">{STYLE}<p>{self._heading()}</p>'
                f"<table>{''.join(rows)}</table>{self._curves()}</div>")

    def _heading(self):
        more = f"; the last {LAST}" if len(self) > LAST else ""
        if self.best_epoch is not None:
            more = f"; the best is {self.best_epoch}{more}"
        return f"History of {len(self)} epoch{'s' * (len(self) != 1)}{more}"

    def _table(self):
        """Return the last epochs as rows of text, under the names of the columns."""
        shown = SHOWN | dict.fromkeys(self.columns[len(COLUMNS):], ".4g")
        columns = [name for name in shown if any(row[name] is not None for row in self.rows)]
        rows = [["" if row[name] is None else format(row[name], shown[name]) for name in columns]
                for row in self.rows[-LAST:]]
        return [columns, *rows]

    def _curves(self):
        """Return an SVG of the loss by epoch, and that of the validation."""
        lines = [(kind, kind, self["epoch"], self[column])
                 for kind, column in (("training", "loss"), ("validation", "val_loss"))]
        names = " ".join(f'<span class="{kind}">&#9679; {kind}</span>' for kind, *_ in lines)
        return f"<p>{names}</p>{chart('loss', 'loss', lines, log=wide(self['loss']))}"

    def append(self, **row):
        """Add an epoch: numbers or None for COLUMNS, and other measures after them."""
        self.rows.append({**dict.fromkeys(COLUMNS), **row})

    def write_csv(self, path):
        """Write the rows with all digits."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(path, text.getvalue())

    @classmethod
    def read_csv(cls, path):
        """Return the history that write_csv wrote.

        Raises
        ------
        ScratchVAEError
            If the file is missing or damaged.
        """
        try:
            with open(path, newline="") as file:
                rows = [_read_row(row) for row in csv.DictReader(file)]
            numbers = [row["epoch"] for row in rows]
            if not rows or numbers != list(range(numbers[0], numbers[0] + len(rows))):
                raise ValueError("the epochs do not follow one another")
        except FileNotFoundError:
            raise ScratchVAEError(f"{path}: not found; the first epoch is not complete "
                                  "yet") from None
        except (ValueError, TypeError, KeyError) as error:
            raise ScratchVAEError(f"{path}: damaged ({error})") from None
        return cls(rows)


def _read_row(row):
    """Return a row of a CSV file as numbers. Older files lack the last columns."""
    if None in row.values():
        raise ValueError("a line is cut short")
    names = dict.fromkeys((*COLUMNS, *row))
    numbers = {name: float(row[name]) if row.get(name) else None for name in names}
    missing = [name for name in REQUIRED if numbers[name] is None]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    return numbers | {"epoch": int(row["epoch"])}
