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
@click.option("--part", type=click.Choice(["train", "test"]), default="test", show_default=True,
              help="The examples to score.")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False), metavar="FILE",
              help="Where to write the scores.  [default: RUN/scores.csv]")
@moved_options
def score(run, samples, part, csv_file, **moved):
    """Score every example of RUN: low scores are unusual examples.

    The score is log p(x) in nats, estimated by the importance-weighted bound; of a plain
    autoencoder it is minus the reconstruction loss.  Writes index, label or line, and score of
    each, and draws the examples with the lowest and the highest scores.
    """
    run = open_decoder(run, **moved)
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
    write_text(path, table({"index": range(len(x)), **known, "score": scores.tolist()}))
    click.echo(path)
    show(run.draw_scores(x, scores, f"Lowest and highest scores ({run.lab.name}, {part})"))


def table(columns):
    """Return columns, name -> values, as text in CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values()))
    return file.getvalue()
