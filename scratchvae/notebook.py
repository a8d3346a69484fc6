"""What lets one file be a script and a notebook: its options, and how it shows results.

A script reads its options from the command line, shows a figure by writing it to a file, and prints
everything else. In a notebook options have their defaults, which can be edited there, and results
appear below the cell.
"""
import argparse
import os
import sys
from pathlib import Path

from matplotlib.figure import Figure

from . import checks
from .analysis import plots
from .errors import ScratchVAEError


def positive(text):
    """Return a number of the command line, which must be a whole one from 1."""
    try:
        return checks.integer("option", "its value", int(text))
    except (ValueError, ScratchVAEError):
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}") from None


def digit(text):
    """Return a digit of the command line as a number."""
    if text not in list("0123456789"):
        raise argparse.ArgumentTypeError(f"must be a digit from 0 to 9, got {text!r}")
    return int(text)


OPTIONS = {                     # of all examples: the type, and what it means
    "epochs": (positive, "Times that the training goes through all examples."),
    "baseline_epochs": (positive, "The same, of the small network."),
    "limit": (positive, "Use only the first N examples; None uses all."),
    "every": (positive, "Keep an input and its output every N steps."),
    "units": (positive, "Size of the recurrent states."),
    "seeds": (positive, "Trainings of each kind, with the seeds 0, 1, ..."),
    "digit": (digit, "The digit that is left out of the training."),
    "draws": (positive, "Random numbers for each estimate."),
    "data_dir": (Path, "Where the data sets are; None looks in the usual places."),
    "text": (Path, "Learn from this file instead, one sentence a line."),
    "csv": (Path, "Learn from this table instead, whose first line names the columns."),
    "out": (Path, "Where a script writes its figures."),
}


def in_notebook():
    """Return whether this program is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and "IPKernelApp" in getattr(ipython.get_ipython(), "config", ())


def read_options(**defaults):
    """Return the options of an example, with these defaults.

    A script's command line changes them, --epochs 5 for example; and so does the environment, of a
    notebook as well: SCRATCHVAE_EPOCHS=5.

    Parameters
    ----------
    **defaults
        The default of each option, by its name in OPTIONS.

    Returns
    -------
    argparse.Namespace
        The value of each option under its name.
    """
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name, default in defaults.items():
        kind, meaning = OPTIONS[name]
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=meaning,
                            default=os.environ.get(f"SCRATCHVAE_{name.upper()}", default))
    return parser.parse_args([] if in_notebook() else None)


def show(thing, path=None):
    """Show a result: below the cell of a notebook, or by a script.

    Parameters
    ----------
    thing : Figure, Path, or anything with a representation
        A figure of Matplotlib, the path of a picture, a model, a history.
    path : path, optional
        Where a script writes the figure. Its path is printed, as everything else is.
    """
    if not in_notebook():
        print(thing if path is None else plots.write(thing, path))
        return
    from IPython.display import Image, display
    if not isinstance(thing, Figure):
        display(Image(thing) if isinstance(thing, Path) else thing)
        return
    from matplotlib import pyplot
    pyplot.draw_if_interactive()        # loads the backend, which teaches Jupyter to show a Figure
    display(thing)
    pyplot.close(thing)                 # if it is pyplot's, Jupyter would show it once more
