"""Commands on labs: list them, look at their models, train them."""

import json
import sys

import click

import kernels

from .. import labs
from ..data.catalogue import CATALOGUE
from ..errors import ScratchVAEError
from .arguments import POSITIVE, SEED, Folder, Settings, lab_argument
from .results import draw_figures, print_last_epoch


@click.command("labs")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_labs(as_json):
    """List the labs: data, parameters, settings, reference figures."""
    if as_json:
        fields = ("name", "title", "data", "parameters", "epochs", "batch_size", "settings")
        described = [
            {field: getattr(lab, field) for field in fields}
            | {"references": [vars(reference) for reference in lab.references]}
            for lab in labs.LABS.values()
        ]
        click.echo(json.dumps(described, indent=2))
        return
    for lab in labs.LABS.values():
        click.echo(f"{lab.name}: {lab.title}")
        click.echo(
            f"  {CATALOGUE[lab.data].title}, {lab.parameters:,} parameters, "
            f"{lab.epochs} epochs, batches of {lab.batch_size}"
        )
        settings = ", ".join(f"{name}={value}" for name, value in lab.settings.items())
        click.echo(f"  settings: {settings}")
        for reference in lab.references:
            click.echo(f"  reference: {reference}")


@click.command()
@lab_argument()
def summary(lab):
    """Print LAB's layer table: layer, output shape, parameters; totals."""
    lab = labs.get(lab)
    model = lab.make_model(lab.settings)
    model.build(lab.shape(lab.settings))
    click.echo(model.summary())


@click.command()
@lab_argument()
@click.option("--epochs", type=POSITIVE, help="How long to train.  [default: the lab's]")
@click.option("--batch-size", type=POSITIVE, help="Examples in a step.  [default: the lab's]")
@click.option("--limit", type=POSITIVE, help="Use only the first N examples, to train and to test.")
@click.option("--seed", type=SEED, help="The seed of all random numbers.  [default: 0]")
@click.option(
    "--out", type=Folder(), help="The run's directory.  [default: runs/LAB, or runs/LAB-2 ...]"
)
@click.option(
    "--backend", type=click.Choice(kernels.BACKENDS), help="What computes.  [default: cpu]"
)
@click.option(
    "--threads", type=POSITIVE, help="[default: all cores]  The result does not depend on it."
)
@click.option(
    "--data-dir",
    type=click.Path(exists=True, file_okay=False),
    help="Where the data are, if not in the usual places.",
)
@click.option(
    "--text",
    type=click.Path(exists=True, dir_okay=False),
    help="Learn from this text file, in UTF-8 (labs about text).",
)
@click.option(
    "--resume",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Resume the run in DIR, to the same bits as if it had never stopped; "
    "--epochs may extend it.",
)
@click.option(
    "--set",
    "settings",
    type=Settings(),
    multiple=True,
    help="Change a setting of the lab; can be repeated.",
)
@click.option(
    "--tensorboard",
    is_flag=True,
    help="Write TensorBoard's event files too, to tensorboard/ in the run's directory.",
)
def train(lab, **options):
    """Train LAB and draw its figures.

    The run's report.html can be watched meanwhile. Ctrl-C leaves a checkpoint to resume from.
    """
    lab = labs.get(lab)
    check_text(lab, options)
    run = resumed_run(lab, options) if options["resume"] else new_run(lab, options)
    if options["threads"]:
        kernels.load(run.config["backend"]).set_threads(options["threads"])
    try:
        train_with_report(run, bool(options["resume"]), options["tensorboard"])
    except KeyboardInterrupt:
        if (run.folder / "checkpoint.npz").exists():
            click.echo(
                "\ninterrupted; nothing is lost. Resume with:  "
                f"scratchvae train {lab.name} --resume {run.folder}",
                err=True,
            )
        else:
            click.echo("\ninterrupted before the first step; there is nothing to resume", err=True)
        sys.exit(130)
    print_last_epoch(run)
    draw_figures(run)
    click.echo(run.folder / "history.csv")
    click.echo(run.folder / "weights.npz")


def check_text(lab, options):
    """Refuse --text where it has no meaning."""
    if options["text"] and lab.kind != "text":
        about_text = ", ".join(other.name for other in labs.LABS.values() if other.kind == "text")
        raise click.UsageError(f"--text: {lab.name} learns from images; allowed for: {about_text}")
    if options["text"] and options["data_dir"]:
        raise click.UsageError("--text names the text itself; --data-dir cannot be given with it")


def resumed_run(lab, options):
    """Return the run to resume, with more epochs or another backend if these are given."""
    from ..runs import Run

    fixed = {
        "--batch-size": "batch_size",
        "--limit": "limit",
        "--seed": "seed",
        "--out": "out",
        "--text": "text",
        "--set": "settings",
    }
    given = [option for option, name in fixed.items() if options[name] not in (None, ())]
    if given:
        raise click.UsageError(
            f"--resume uses the run's own settings; {', '.join(given)} cannot be changed"
        )
    run = Run.open(options["resume"], options["data_dir"])
    if run.lab is not lab:
        raise click.UsageError(f"{options['resume']} is a run of {run.lab.name}, not of {lab.name}")
    changes = {name: options[name] for name in ("epochs", "backend")}
    run.config |= {name: value for name, value in changes.items() if value is not None}
    return run


def new_run(lab, options):
    """Return a new run with the given options."""
    from ..runs import Run, new_config

    try:
        settings = lab.with_settings(dict(options["settings"]))
    except ScratchVAEError as error:
        raise click.BadParameter(str(error), param_hint="--set") from None
    names = ("epochs", "batch_size", "limit", "seed", "backend")
    config = new_config(
        lab,
        settings,
        options["data_dir"],
        options["text"],
        **{name: options[name] for name in names},
    )
    return Run.create(options["out"], config)


def train_with_report(run, resume, tensorboard):
    """Train a run while its report, and TensorBoard's files if asked for, are kept up to date."""
    from ..analysis.report.events import Events
    from ..analysis.report.live import Live
    from ..runs import train as train_run

    with Live(run, Events(run) if tensorboard else None) as live:
        train_run(run, resume, [live])
