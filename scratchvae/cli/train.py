"""Commands on labs: list them, look at their models, train them."""
import json
import sys

import click

import kernels

from .. import labs
from ..data.catalogue import CATALOGUE
from ..errors import ScratchVAEError
from ..labs.text_lab import TextLab
from .arguments import POSITIVE, SEED, Folder, Settings, lab_argument


@click.command("labs")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_labs(as_json):
    """List the labs: data, parameters, settings, reference figures."""
    if as_json:
        click.echo(json.dumps([{
            "name": lab.name, "title": lab.title, "data": lab.data, "parameters": lab.parameters, "epochs": lab.epochs,
            "batch_size": lab.batch_size, "settings": lab.settings, "references": [vars(r) for r in lab.references],
        } for lab in labs.LABS.values()], indent=2))
        return
    for lab in labs.LABS.values():
        click.echo(f"{lab.name}: {lab.title}")
        click.echo(f"  {CATALOGUE[lab.data].title}, {lab.parameters:,} parameters, {lab.epochs} epochs, batches of {lab.batch_size}")
        click.echo("  settings: " + ", ".join(f"{name}={value}" for name, value in lab.settings.items()))
        for r in lab.references:
            click.echo(f"  reference: {r}")


@click.command()
@lab_argument()
def summary(lab):
    """Print LAB's layer table: layer, output shape, parameters; totals."""
    lab = labs.LABS[lab]
    model = lab.make_model(lab.settings)
    model.build(lab.shape(lab.settings))
    click.echo(model.summary())


@click.command()
@lab_argument()
@click.option("--epochs", type=POSITIVE, help="How long to train.  [default: the lab's]")
@click.option("--batch-size", type=POSITIVE, help="Examples in a step.  [default: the lab's]")
@click.option("--limit", type=POSITIVE, help="Use only the first N examples, to train and to test.")
@click.option("--seed", type=SEED, help="Where all random numbers come from.  [default: 0]")
@click.option("--out", type=Folder(), help="The run's directory.  [default: runs/LAB, or runs/LAB-2 ...]")
@click.option("--backend", type=click.Choice(kernels.BACKENDS), help="What computes.  [default: cpu]")
@click.option("--threads", type=POSITIVE, help="[default: all cores]  The result does not depend on it.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False), help="Where the data are, if not in the usual places.")
@click.option("--text", type=click.Path(exists=True, dir_okay=False), help="Learn from this text file, in UTF-8 (labs about text).")
@click.option("--resume", type=click.Path(exists=True, file_okay=False), metavar="DIR",
              help="Go on with the run in DIR, to the same bits as if it had never stopped; --epochs may extend it.")
@click.option("--set", "settings", type=Settings(), multiple=True, help="Change a setting of the lab; can be repeated.")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard's event files too, to tensorboard/ in the run's directory.")
def train(lab, epochs, batch_size, limit, seed, out, backend, threads, data_dir, text, resume, settings, tensorboard):
    """Train LAB and draw its figures.

    The run's report.html can be watched meanwhile.  Ctrl-C leaves a checkpoint to resume from.
    """
    from ..runs.run import Run, new_config
    lab = labs.LABS[lab]
    if text and not isinstance(lab, TextLab):
        raise click.UsageError(f"--text: {lab.name} learns from images; allowed for: "
                               + ", ".join(name for name, other in labs.LABS.items() if isinstance(other, TextLab)))
    if text and data_dir:
        raise click.UsageError("--text names the text itself; --data-dir can't be given with it")
    if resume:
        given = {"--batch-size": batch_size, "--limit": limit, "--seed": seed, "--out": out, "--text": text, "--set": settings}
        fixed = [option for option, value in given.items() if value not in (None, ())]
        if fixed:
            raise click.UsageError(f"--resume goes on with the run's own settings; {', '.join(fixed)} can't be changed")
        run = Run.open(resume, data_dir)
        if run.lab is not lab:
            raise click.UsageError(f"{resume} is a run of {run.lab.name}, not of {lab.name}")
        run.config |= {name: value for name, value in (("epochs", epochs), ("backend", backend)) if value is not None}
    else:
        try:
            settings = lab.with_settings(dict(settings))
        except ScratchVAEError as error:
            raise click.BadParameter(str(error), param_hint="--set") from None
        run = Run.create(out, new_config(lab, settings, epochs, batch_size, limit, seed or 0, backend or "cpu", data_dir, text))
    if threads:
        kernels.load(run.config["backend"]).set_threads(threads)
    try:
        run.train(bool(resume), tensorboard)
    except KeyboardInterrupt:
        if (run.folder / "checkpoint.npz").exists():
            click.echo(f"\ninterrupted; nothing is lost. Go on with:  scratchvae train {lab.name} --resume {run.folder}", err=True)
        else:
            click.echo("\ninterrupted before the first step; nothing to go on with", err=True)
        sys.exit(130)
    print_result(run)
    draw_figures(run)
    click.echo(run.folder / "history.csv")
    click.echo(run.folder / "weights.npz")


def draw_figures(run):
    """Draw all of a run's figures, write its report, and show the paths."""
    try:
        paths = run.lab.draw(run)
    finally:
        report = run.write_report()         # even if drawing fails, so that it does not wait for figures for ever
    for path in [*paths, report]:
        click.echo(path)


def print_result(run):
    """The last epoch beside the reference nearest to it."""
    last = run.history.rows[-1]
    held_out = "held-out examples" if run.lab.validation_split or isinstance(run.lab, TextLab) else "test set"
    validation = "" if last["val_loss"] is None else \
        f", validation {last['val_loss']:.5g} (mean over the {held_out} after it{run.model.how_measured})"
    click.echo(f"epoch {last['epoch']}: loss {last['loss']:.5g} (mean over the epoch as trained){validation}; {run.config['data']}")
    for r in run.references:
        if r.epoch == last["epoch"]:
            click.echo(f"  reference: {r}")
