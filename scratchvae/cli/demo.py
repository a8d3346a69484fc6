"""The command that shows in seconds what all this is for."""
from pathlib import Path

import click

from .. import labs
from ..commands import command
from ..runs import create_run, new_config, open_run
from .train import train_with_report

FOLDER = Path("runs/demo")
EPOCHS = 20                     # of LIMIT digits: some five seconds on two cores
LIMIT = 5000


@click.command()
def demo():
    """Train a small model of digits in seconds, and write its page to explore.

    The run is in runs/demo.  A second call finishes or shows the same run.
    """
    from ..analysis.report import write_report
    from ..teaching.explore import write_page
    begun = (FOLDER / "config.json").exists()
    if begun:
        run = open_run(FOLDER)
    else:
        run = create_run(FOLDER, new_config(labs.LABS["mnist-dense"], epochs=EPOCHS, limit=LIMIT))
    train_with_report(run, begun, tensorboard=False)
    write_report(run)
    page = write_page(run, FOLDER / "explore.html")
    click.echo(f"""
open this page in a browser, and move through the latent plane:
  {page.resolve()}
and then:
  {command('sample', FOLDER):<36}new digits
  {command('score', FOLDER):<36}the most unusual digits of the test set
  {command('train', 'mnist-dense'):<36}the same model, fully trained, with its figures
  {command('labs'):<36}what else there is to train""")
