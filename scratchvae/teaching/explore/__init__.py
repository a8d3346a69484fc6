"""explore: a trained run as one HTML page that needs no server and no network.

The page computes by itself: assets/*.js are the forward and backward passes by hand once more, one example at a time, and the weights
are in the page.  payload.py packs what it is told, images.py and lines.py say what that is.
"""
from pathlib import Path

from ...labs.text_lab import TextLab
from ...analysis.pages import render
from ...storage import write_text
from . import images, lines

ASSETS = Path(__file__).parent / "assets"
SHARED_SCRIPTS = ("payload.js", "numbers.js", "products.js", "activations.js", "layers.js", "sliders.js")


def write_page(run, path):
    """Write the page of a trained Run to the file `path`; returns the path.  ScratchVAEError: a page can't show such a model."""
    kind = lines if isinstance(run.lab, TextLab) else images
    told, arrays = kind.contents(run)
    write_text(path, render(ASSETS, told=told | {"arrays": arrays.places}, payload=arrays.text(), body=kind.BODY,
                            scripts=(*SHARED_SCRIPTS, *kind.SCRIPTS)))
    return path
