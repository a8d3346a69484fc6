"""explore: a trained run as one HTML page that needs no server and no network.

The page computes by itself: assets/*.js are the forward and backward passes by hand once more, one example at a time, and the weights
are in the page.  payload.py packs what it is told, images.py and lines.py say what that is, page.py puts it together.
"""
from ..labs.text_lab import TextLab
from ..storage import write_text
from . import images, lines, page


def write_page(run, path):
    """Write the page of a trained Run to the file `path`; returns the path.  ScratchVAEError: a page can't show such a model."""
    kind = lines if isinstance(run.lab, TextLab) else images
    write_text(path, page.build(kind, *kind.contents(run)))
    return path
