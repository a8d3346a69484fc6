"""Commands on runs: measure them, draw them, open them as a page."""
from pathlib import Path

import click

from ..labs.text_lab import TextLab
from .arguments import data_dir_option, run_argument
from .decode import open_lines_run
from .train import draw_figures


@click.command()
@run_argument()
@data_dir_option()
def evaluate(run, data_dir):
    """Print RUN's losses on the test set, or a text's measures, and write them to its evaluation.json."""
    from ..runs.run import MEANINGS, Run
    run = Run.open(run, data_dir)
    measures = run.evaluate()
    if isinstance(run.lab, TextLab):
        for m in measures:
            click.echo(f"  {m.name:<37}{m.value:<10.4g}{'' if m.beside is None else f'(real: {m.beside:.4g}) '}{m.meaning}")
    else:
        click.echo(f"test set, {measures['examples']:,} examples{run.model.how_measured} ({run.lab.unit}):")
        for name, meaning in MEANINGS.items():
            click.echo(f"  {name:<16}{measures[name]:.4f}   {meaning}")
        click.echo(f"  last batch      {measures['last_batch']['loss']:.4f}   loss of the last {run.config['batch_size']} or fewer examples "
                   "alone, which some sheets print in place of the mean")
    click.echo(run.folder / "evaluation.json")
    click.echo(run.write_report())


@click.command()
@run_argument()
@click.option("--beside", type=click.Path(), metavar="RUN", help="Draw some beside those of another run, such as that of the lab's "
              "partner.  [default: the partner's, if it lies in the neighbouring directory of its name]")
@data_dir_option()
def plot(run, beside, data_dir):
    """Draw all of RUN's figures anew."""
    from ..runs.run import Run
    run = Run.open(run, data_dir)
    if beside:
        run.beside = Run.open(beside)
    draw_figures(run)


@click.command()
@run_argument()
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="The page's file.  [default: RUN/explore.html]")
@data_dir_option()
def explore(run, out, data_dir):
    """Write RUN as one HTML page: move through the latent space, draw, and see where gradients go.

    The page needs no server and no network: open it from the disk.
    """
    from ..teaching.explore import write_page
    run = open_lines_run(run, data_dir)
    click.echo(write_page(run, Path(out) if out else run.folder / "explore.html"))
