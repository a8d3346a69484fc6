"""Commands that show the labs: list them, and print their models' layer tables."""
import json

import click

from .. import labs
from ..labs import measured
from ..labs.common import COMMON
from ..labs.objective import CONDITIONAL, OBJECTIVE_SETTINGS
from .arguments import lab_argument

LISTED = ("name", "title", "data", "parameters", "epochs", "batch_size", "settings")


@click.command("labs")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_labs(as_json):
    """List the labs: data, parameters, settings, references, and what each objective gave."""
    if as_json:
        listed = [{name: getattr(lab, name) for name in LISTED}
                  | {"references": [vars(reference) for reference in lab.references],
                     "objectives": measured.of(lab.name)}
                  for lab in labs.LABS.values()]
        click.echo(json.dumps(listed, indent=2))
        return
    for lab in labs.LABS.values():
        settings = ", ".join(f"{name}={value}" for name, value in lab.settings.items())
        click.echo(f"{lab.name}: {lab.title}")
        click.echo(f"  {lab.data_title}, {lab.parameters:,} parameters, "
                   f"{lab.epochs} epochs, batches of {lab.batch_size}")
        click.echo(f"  settings: {settings}")
        for reference in lab.references:
            click.echo(f"  reference: {reference}")
        for line in measured.table(lab.name):
            click.echo(f"  {line}")
    for whose, common in (("every lab", COMMON), ("labs with a kl_weight", OBJECTIVE_SETTINGS),
                          ("labs about images with a kl_weight", CONDITIONAL)):
        settings = ", ".join(f"{name}={value}" for name, value in common.items())
        click.echo(f"settings of {whose}: {settings}")


@click.command()
@lab_argument()
def summary(lab):
    """Print LAB's layer table: layer, output shape, parameters; totals."""
    lab = labs.LABS[lab]
    model = lab.make_model(lab.settings)
    model.build(lab.shape(lab.settings))
    click.echo(model.summary())
