"""The files of the course."""
import re
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = FOLDER / "files"
HINTS = FOLDER / "hints"
HEADING = re.compile(r"^## (\w+)\n", re.MULTILINE)
HINT = re.compile(r"^[12]\. ", re.MULTILINE)


def template(file):
    """Return the text of a template: file is its name without .py."""
    return (FILES / f"{file}.py").read_text(encoding="utf-8")


def hints(file):
    """Return the hints on the operations of a file.

    Parameters
    ----------
    file : str
        The name of the file without .py.

    Returns
    -------
    dict of str -> tuple of str
        For each operation a nudge, and nearly the formula, each a paragraph without line breaks.
    """
    _, *parts = HEADING.split((HINTS / f"{file}.md").read_text(encoding="utf-8"))
    return {name: tuple(" ".join(hint.split()) for hint in HINT.split(text)[1:])
            for name, text in zip(parts[::2], parts[1::2])}
