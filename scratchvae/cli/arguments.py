"""Arguments and options that several commands share."""

from pathlib import Path

import click

from .. import labs

SEED = click.IntRange(0, 2**63 - 1)
POSITIVE = click.IntRange(1)


class Settings(click.ParamType):
    """name=value."""

    name = "name=value"

    def convert(self, value, parameter, context):
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail(f"expected name=value, got {value!r}", parameter, context)
        return name, text


class Folder(click.ParamType):
    """A directory to write to, which need not exist yet."""

    name = "directory"

    def convert(self, value, parameter, context):
        if not value or Path(value).is_file():
            self.fail(f"{value!r} cannot be a directory", parameter, context)
        return value


def lab_argument(**options):
    """Return the argument LAB."""
    return click.argument("lab", type=click.Choice(labs.LABS), metavar="LAB", **options)


def run_argument():
    """Return the argument RUN."""
    return click.argument("run", type=click.Path(), metavar="RUN")


def data_dir_option():
    """Return the option --data-dir, for commands on runs."""
    return click.option(
        "--data-dir",
        type=click.Path(exists=True, file_okay=False),
        help="Where the data are now.  [default: as in training]",
    )
