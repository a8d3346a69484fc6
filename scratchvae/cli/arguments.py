"""What commands take: arguments and options that several of them share, and runs."""
from pathlib import Path

import click

from .. import labs

SEED = click.IntRange(0, 2 ** 63 - 1)
POSITIVE = click.IntRange(1)


class Settings(click.ParamType):
    """name=value."""
    name = "name=value"

    def convert(self, value, parameter, context):
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail(f"{value!r} is not of the form name=value", parameter, context)
        return name, text


class Folder(click.ParamType):
    """A directory to write to, which need not exist yet."""
    name = "directory"

    def convert(self, value, parameter, context):
        if not value or Path(value).is_file():
            self.fail(f"{value!r} is no name for a directory", parameter, context)
        return value


def lab_argument(**options):
    """The argument LAB."""
    return click.argument("lab", type=click.Choice(labs.LABS), metavar="LAB", **options)


def run_argument():
    """The argument RUN."""
    return click.argument("run", type=click.Path(), metavar="RUN")


def data_dir_option():
    """The option --data-dir, for commands on runs."""
    return click.option("--data-dir", type=click.Path(exists=True, file_okay=False), help="Where the data are now.  [default: as in training]")


def open_run(folder, data_dir):
    """A run whose model is trained."""
    from ..run import Run
    run = Run.open(folder)
    if data_dir and run.config.get("text"):
        raise click.UsageError(f"--data-dir: {folder} learnt from the file {run.config['text']}, and looks for it there")
    run.config["data_dir"] = data_dir or run.config["data_dir"]
    return run
