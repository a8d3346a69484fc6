"""Build the notebooks from the scripts: python examples/notebooks/build.py

A notebook is the script of the same name, behind a cell that installs the package.
"""
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).parent
INSTALL = """\
# Installs scratchvae where it is missing, from a copy of its repository; no package index has it.
# ../.. is the folder of the copy that this notebook lies in. Elsewhere, give the path of one.
import importlib.util

if importlib.util.find_spec("scratchvae") is None:
    %pip install -q "../..[notebook]"
"""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def scripts():
    """Return the paths of the scripts, in the order of their names."""
    return sorted(HERE.parent.glob("*.py"))


def notebook_of(script):
    """Return the path of a script's notebook."""
    return HERE / f"{script.stem}.ipynb"


def build(script):
    """Return the notebook of a script as text, without outputs."""
    notebook = jupytext.read(script)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(INSTALL.rstrip()))
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i}"           # the same in every build
        cell.metadata = {}
    notebook.metadata = METADATA
    notebook.nbformat_minor = 5
    return nbformat.writes(notebook) + "\n"


if __name__ == "__main__":
    for script in scripts():
        notebook_of(script).write_text(build(script), encoding="utf-8")
        print(notebook_of(script))
