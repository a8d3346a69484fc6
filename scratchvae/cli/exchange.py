"""Commands that exchange models with other frameworks."""
from pathlib import Path

import click
import numpy as np

from .. import exchange, labs
from ..commands import command, place
from ..errors import ScratchVAEError
from ..exchange.examples import COUNT
from ..runs import create_run, new_config, open_run
from ..runs.lock import discard_if_unused
from .arguments import (
    FOLDER,
    TEXT_FILE,
    NewFolder,
    Settings,
    lab_argument,
    moved_options,
    run_argument,
)


@click.command()
@run_argument()
@click.option("--to", type=click.Choice(exchange.FORMATS), required=True)
@click.option("--out", type=NewFolder(), help="Where to write.  [default: RUN/keras and so on]")
@moved_options
def export(run, to, out, **moved):
    """Write RUN's model for another framework: weights, and a script that rebuilds it.

    The script, rebuild.py, has the model layer by layer.  It is run, if the framework is installed:
    it prints how far its numbers are from those of this library.
    """
    run = open_run(run, **moved)
    folder = Path(out) if out else run.folder / to
    for path in exchange.export(run.model, folder, to, _examples(run), run.title):
        click.echo(path)
    for line in exchange.check(folder, to):
        click.echo(line)


def _examples(run):
    """Return a few test examples of a run, or None if its data are not here."""
    try:
        return np.asarray(run.x_test[:COUNT])
    except ScratchVAEError as error:
        click.echo(f"note: {error}; the examples are made up")
        return None


@click.command("import")
@lab_argument()
@click.option("--weights", type=click.Path(exists=True, dir_okay=False), required=True,
              metavar="FILE",
              help="NAME.keras or NAME.weights.h5 of Keras 3, or NAME.safetensors of `export`.")
@click.option("--out", type=NewFolder(),
              help="The run's directory.  [default: runs/LAB, or runs/LAB-2 ...]")
@click.option("--set", type=Settings(), multiple=True,
              help="Change a setting of the lab; can be repeated.")
@click.option("--data-dir", type=FOLDER, help="Where the data are, if not in the usual places.")
@click.option("--text", type=TEXT_FILE,
              help="The text that the weights were trained on (labs about text).")
def import_(lab, weights, out, set, data_dir, text):
    """Make a run of LAB from weights that were trained elsewhere.

    Layers are taken in their order, class by class; a table says what went where.  Files of Keras
    hold weights alone: activations, strides and the like are those of the lab.
    """
    lab = labs.LABS[lab]
    if text and lab.kind != "text":
        raise click.UsageError(f"--text: {lab.name} learns from images")
    try:
        settings = lab.with_settings(dict(set))
    except ScratchVAEError as error:
        raise click.BadParameter(str(error), param_hint="--set") from None
    run = create_run(out, new_config(lab, settings, data_dir=data_dir, text=text))
    try:
        taken = _take(run, weights)
    finally:
        discard_if_unused(run.folder)
    width = max(len(row.to) for row in taken)
    for row in taken:
        click.echo(f"{row.to:<{width}}  <-  {row.source}  {row.shape}")
    click.echo(f"""{run.folder / 'weights.npz'}
and then:
  {command('evaluate', place(run.folder)):<44}how good it is
  {command('train', lab.name, '--from', place(run.folder)):<44}train it further, as a run of its own
""".rstrip())


def _take(run, weights):
    """Write a new run whose model has the weights of a file; return what went where."""
    run.config["imported"] = Path(weights).name
    run.config["data"] = f"weights of {Path(weights).name}"
    if run.lab.kind == "text":
        run.examples()                  # the words, whose number the model depends on
    run.model = run.make_model()
    taken = exchange.import_weights(run.model, weights)
    run.write_config()
    run.model.save(run.folder / "weights.npz")
    return taken
