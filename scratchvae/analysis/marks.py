"""A mark in pictures, by which this program knows those that it wrote: it removes no others."""
from pathlib import Path

from PIL import Image


def mark(path):
    """Return the comment of a picture that is written to a path."""
    return f"scratchvae: {Path(path).name}"


def is_marked(path):
    """Return whether a PNG or GIF file was written by this program, under the name that it has."""
    try:
        with Image.open(path) as image:
            comment = image.info.get("Comment") or image.info.get("comment", b"").decode()
    except (OSError, ValueError, SyntaxError):
        return False
    return comment == mark(path)
