"""The command that scores every example of a run."""
import csv
import io
from pathlib import Path

import click
import numpy as np

from ..models import VAE
from ..storage import write_text
from .arguments import POSITIVE, moved_options, run_argument
from .decode import open_decoder, show

QUANTILES = (0, 0.01, 0.1, 0.5, 0.9, 0.99, 1)


@click.command()
@run_argument()
@click.option("--samples", type=POSITIVE, default=100, show_default=True,
              help="Points z for each example: more are closer to log p(x).")
@click.option("--part", type=click.Choice(["train", "test", "all"]),
              help="The examples to score.  [default: test; of a table all rows]")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False), metavar="FILE",
              help="Where to write the scores.  [default: RUN/scores.csv]")
@click.option("--with-columns", is_flag=True,
              help="Write the columns of the table beside the scores.")
@moved_options
def score(run, samples, part, csv_file, with_columns, **moved):
    """Score every example of RUN: low scores are unusual examples.

    The score is log p(x) in nats, estimated by the importance-weighted bound; of a plain
    autoencoder it is minus the reconstruction loss.  Writes index, label or line, and score of
    each, and draws the examples with the lowest and the highest scores; of a table it writes row
    and score, and says which cells of the lowest rows are unusual.
    """
    run = open_decoder(run, **moved)
    is_table = run.lab.kind == "tables"
    if not is_table and (with_columns or part == "all"):
        raise click.UsageError(f"{'--with-columns' if with_columns else '--part all'}: {run.folder}"
                               f" is a run of {run.lab.name}, which does not learn from a table")
    if is_table and csv_file and holds(csv_file, run.columns):
        raise click.UsageError(f"--csv: {csv_file} is a table, and would be overwritten with the "
                               "scores; give it as --table")
    part = part or ("all" if is_table else "test")
    x, known = run.part(part)
    if isinstance(run.model, VAE):
        what = f"log p(x) in nats, importance-weighted with {samples} samples"
        scores = run.model.score_samples(x, samples=samples, seed=run.config["seed"])
    else:
        what = "minus the reconstruction loss"
        scores = run.model.score_samples(x)
    click.echo(f"{what}; {len(x):,} examples ({part}): mean {scores.mean():#.4g}")
    for quantile, value in zip(QUANTILES, np.quantile(scores, QUANTILES)):
        click.echo(f"  {quantile:5.0%} are at most {value:#10.4g}")
    path = Path(csv_file) if csv_file else run.folder / "scores.csv"
    cells = run.cells([row - 1 for row in known["row"]]) if with_columns else {}
    write_text(path, table({**known, "score": scores.tolist(), **cells}))
    click.echo(path)
    show(run.draw_scores(x, known, scores, f"Lowest and highest scores ({run.lab.name}, {part})"))


def holds(path, columns):
    """Return whether a file is there that begins with the names of a table's columns."""
    if not Path(path).is_file():
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        first = file.readline()
    return "score" not in first and all(column.name in first for column in columns)


def table(columns):
    """Return columns, name -> values, as text in CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values()))
    return file.getvalue()
