"""Write a trained run as one HTML page that needs no server and no network.

The page computes by itself.  The scripts in assets/ are the forward and backward passes once more,
in JavaScript and for one example at a time, and the weights are part of the page.  images.py and
lines.py collect the content of the two kinds of page; payload.py packs it.
"""
from ...analysis.pages import Page, render
from ...errors import ScratchVAEError
from ...runs import open_run
from ...storage import write_text
from . import images, lines
from .scripts import ASSETS

PAGES = {"images": images, "text": lines}       # by the kind of lab


def show(folder):
    """Return the page of the trained run in a folder, for a notebook, which shows it."""
    return Page(page_of(open_run(folder)))


def write_page(run, path):
    """Write the page of a trained run to a file, and return its path.

    Parameters
    ----------
    run : Run
        The trained run.
    path : path
        Where to write the page.

    Returns
    -------
    path
        The path that was given.

    Raises
    ------
    ScratchVAEError
        If a page cannot show or compute such a model.
    """
    write_text(path, page_of(run))
    return path


def page_of(run):
    """Return the page of a trained run as text."""
    if run.lab.kind not in PAGES:
        raise ScratchVAEError(f"{run.folder}: there is no page to explore a model of "
                              f"{run.lab.kind}; see its report.html, or use sample and score")
    kind = PAGES[run.lab.kind]
    content, arrays = kind.contents(run)
    return render(ASSETS, content=content | {"arrays": arrays.places}, payload=arrays.text(),
                  body=kind.BODY, scripts=kind.SCRIPTS)
