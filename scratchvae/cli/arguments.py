"""Arguments and options that several commands share."""
import re
from pathlib import Path

import click

from .. import kernels, labs
from ..errors import ScratchVAEError

SEED = click.IntRange(0, 2 ** 63 - 1)
POSITIVE = click.IntRange(1)
FOLDER = click.Path(exists=True, file_okay=False)
TEXT_FILE = click.Path(exists=True, dir_okay=False)
IMAGES = click.Path(exists=True)
TABLE = click.Path(exists=True, dir_okay=False)


class Settings(click.ParamType):
    """A setting of the form name=value."""
    name = "name=value"

    def convert(self, value, parameter, context):
        """Return the name and the value, both as text."""
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail(f"expected name=value, got {value!r}", parameter, context)
        return name, text


class Backend(click.ParamType):
    """The name of a backend, or a folder with kernels of one's own."""
    name = "|".join((*kernels.BACKENDS, "DIR"))

    def convert(self, value, parameter, context):
        """Return the name, or the folder's absolute path."""
        try:
            return kernels.canonical(value)
        except ScratchVAEError as error:
            self.fail(str(error), parameter, context)


class Size(click.ParamType):
    """The height and width of images: 32, or 24x32."""
    name = "N|HxW"

    def convert(self, value, parameter, context):
        """Return [height, width]."""
        numbers = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", value)
        if not numbers:
            self.fail(f"expected pixels such as 32, or height x width such as 24x32, got {value!r}",
                      parameter, context)
        height, width = numbers.groups()
        return [int(height), int(width or height)]


class NewFolder(click.ParamType):
    """A directory to write to, which need not exist yet."""
    name = "directory"

    def convert(self, value, parameter, context):
        """Return the path."""
        if not value or Path(value).is_file():
            self.fail(f"{value!r} cannot be a directory", parameter, context)
        return value


def lab_argument(**options):
    """Return the argument LAB."""
    return click.argument("lab", type=click.Choice(labs.LABS), metavar="LAB", **options)


def run_argument():
    """Return the argument RUN."""
    return click.argument("run", type=click.Path(), metavar="RUN")


def backend_option():
    """Return the option --backend of commands that look into a lab or a run."""
    return click.option("--backend", type=Backend(),
                        help="The kernels that compute, or a folder with your own.  [default: cpu, "
                             "or those that trained the run]")


def moved_options(command):
    """Add the options that say where the data of a run are now, for open_run."""
    for option in (
        click.option("--text", type=TEXT_FILE,
                     help="Where the text is now, if the run learnt from a file.  "
                          "[default: as in training]"),
        click.option("--images", type=IMAGES,
                     help="Where your own images are now, if the run learnt from such.  "
                          "[default: as in training]"),
        click.option("--table", "csv", type=TABLE,
                     help="Another table with the same columns, or where that of the training is "
                          "now.  [default: as in training]"),
        click.option("--data-dir", type=FOLDER,
                     help="Where the data are now.  [default: as in training]"),
    ):
        command = option(command)
    return command
