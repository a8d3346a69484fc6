"""The command line: everything that can be done with the labs without writing Python."""
import sys
import warnings

import click
from tqdm import tqdm

from .. import __version__
from ..errors import ScratchVAEError, ScratchVAEWarning
from ..training.interrupts import raise_at_signals
from .cache import cache
from .check import check
from .compare import compare
from .data import data
from .decode import generate, interpolate, reconstruct, sample
from .demo import demo
from .examine import bench, gradcheck, trace
from .exchange import export, import_
from .labs import list_labs, summary
from .learn import learn
from .runs import card, evaluate, explore, plot
from .score import score
from .sweep import sweep
from .train import train

COMMANDS = (demo, list_labs, summary, train, sweep, compare, evaluate, score, plot, explore, card,
            sample, reconstruct, interpolate, generate, export, import_, gradcheck, learn, check,
            trace, bench, data, cache)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show a traceback where something fails.")
def cli(debug):
    """Train variational autoencoders with hand-written backpropagation: no deep-learning framework.

    \b
    First steps:
      scratchvae demo                   a small model in seconds, and a page to explore it
      scratchvae labs                   what there is to train
      scratchvae train mnist-dense      train it; everything lands in runs/mnist-dense
      scratchvae gradcheck              proof that every backward pass is right
      scratchvae trace mnist-dense      one training step under a microscope
    """


for command in COMMANDS:
    cli.add_command(command)


def main():
    """Run the command line.

    The exit code is 2 for wrong usage, 130 after Ctrl-C, and 1 for any other failure. An error is
    printed in one line; with --debug a traceback shows where it was raised.
    """
    debug = "--debug" in sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):     # a terminal or file that is not in UTF-8
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    raise_at_signals()
    warnings.showwarning = show_warning
    try:
        sys.exit(cli.main(prog_name="scratchvae", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        click.echo(f"Error: {in_words(error)}", err=True)
        sys.exit(1)


def show_warning(message, category, *place):
    """Print a warning of this library in one line, and others as Python does."""
    if issubclass(category, ScratchVAEWarning):
        tqdm.write(f"note: {message}", file=sys.stderr)
    else:
        click.echo(warnings.formatwarning(message, category, *place[:2]), err=True, nl=False)


def in_words(error):
    """Return an error in one line."""
    if isinstance(error, ScratchVAEError):
        return error
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return f"{type(error).__name__}: {error}"
