"""Commands on runs: measure them, draw them, open them as a page."""
from pathlib import Path

import click

from ..analysis.image_measures import describe
from ..runs import open_run
from ..storage import side_product
from .arguments import backend_option, moved_options, run_argument
from .decode import open_decoder


@click.command()
@run_argument()
@moved_options
def evaluate(run, **moved):
    """Print RUN's losses on the test set and its measures; write them to evaluation.json.

    Of images: first the losses; then the quality of samples as a classifier sees it, which is
    trained on first use, reconstruction, log p(x) and the code, beside those of real images.
    """
    from ..analysis.report import write_report
    run = open_run(run, **moved)
    result = run.evaluate()
    for line in run.describe_evaluation(result):
        click.echo(line)
    if run.lab.kind == "images":
        for line in describe(*run.measure(result)):
            click.echo(line)
    click.echo(run.folder / "evaluation.json")
    with side_product():
        click.echo(write_report(run, live=run.is_trained))


@click.command()
@run_argument()
@click.option("--beside", type=click.Path(), metavar="RUN",
              help="Draw some figures beside those of another run.  [default: the run of the "
                   "lab's partner, if it lies in the neighbouring directory of its name]")
@moved_options
def plot(run, beside, **moved):
    """Draw all of RUN's figures again."""
    run = open_run(run, **moved)
    if beside:
        run.beside = open_run(beside)
        if run.is_conditional != run.beside.is_conditional:
            raise click.UsageError(f"--beside: one of {run.folder} and {beside} was trained with "
                                   "conditional=1 and the other without; choose runs of one kind")
    draw_figures(run)


def draw_figures(run):
    """Draw all of a run's figures, write its report, and print the paths."""
    from ..analysis.report import write_report
    try:
        paths = run.lab.draw(run)
    finally:
        # Even if drawing fails: the page must not wait for figures for ever.
        with side_product():
            write_report(run, live=run.is_trained)
    for path in [*paths, run.folder / "report.html"]:
        click.echo(path)


@click.command()
@run_argument()
def card(run):
    """Write RUN's model card, card.md: data, settings, measures, limits."""
    from ..analysis.report.card import write_card
    run = open_run(run)
    if run.config.get("imported"):
        raise click.UsageError(f"{run.folder} holds imported weights; a card tells of a training, "
                               "which was elsewhere")
    click.echo(write_card(run))


@click.command()
@run_argument()
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE",
              help="The page's file.  [default: RUN/explore.html]")
@backend_option()
@moved_options
def explore(run, out, **moved):
    """Write RUN as one HTML page: move through the latent space, draw, and follow gradients.

    The page needs no server and no network: open it from the disk.
    """
    from ..teaching.explore import write_page
    run = open_decoder(run, **moved)
    click.echo(write_page(run, Path(out) if out else run.folder / "explore.html"))
