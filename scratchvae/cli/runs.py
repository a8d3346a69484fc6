"""Commands on runs: measure them, draw them, write them as a page."""

from pathlib import Path

import click

from .arguments import data_dir_option, run_argument
from .decode import open_lines_run
from .results import draw_figures, write_report


@click.command()
@run_argument()
@data_dir_option()
def evaluate(run, data_dir):
    """Print RUN's losses on the test set, or a text's measures; write its evaluation.json."""
    from ..runs import Run

    run = Run.open(run, data_dir)
    for line in run.describe_evaluation(run.evaluate()):
        click.echo(line)
    click.echo(run.folder / "evaluation.json")
    click.echo(write_report(run))


@click.command()
@run_argument()
@click.option(
    "--beside",
    type=click.Path(),
    metavar="RUN",
    help="Draw some figures beside those of another run, such as that of the lab's "
    "partner.  [default: the partner's, if it lies in the neighbouring directory "
    "of its name]",
)
@data_dir_option()
def plot(run, beside, data_dir):
    """Draw all of RUN's figures anew."""
    from ..runs import Run

    run = Run.open(run, data_dir)
    if beside:
        run.beside = Run.open(beside)
    draw_figures(run)


@click.command()
@run_argument()
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The page's file.  [default: RUN/explore.html]",
)
@data_dir_option()
def explore(run, out, data_dir):
    """Write RUN as one HTML page: move through the latent space, draw, and see where gradients go.

    The page needs no server and no network: open it from the disk.
    """
    from ..teaching.explore import write_page

    run = open_lines_run(run, data_dir)
    click.echo(write_page(run, Path(out) if out else run.folder / "explore.html"))
