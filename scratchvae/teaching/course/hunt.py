"""A hunt: the reference in a folder of its own, with one mistake that nobody names."""
from pathlib import Path

import numpy as np

from ...errors import ScratchVAEError
from ...kernels.own import FILES
from ..sabotage import MISTAKES
from .folder import reference_file

RAISING = ("dense-transpose",)          # it stops every training: there is nothing to hunt
README = """\
# A hunt

These files are the library's reference kernels, with one mistake in them: in a forward pass, in a
backward pass, or in both. Training still runs. Find it, and mend it.

    scratchvae labs                                                # what there is to train
    scratchvae train LAB --limit 1000 --epochs 2 --backend {folder}     # look at what it does
    scratchvae trace LAB --backend {folder}                        # one step, layer by layer
    scratchvae check --symptom                                     # what to check first
    scratchvae check {folder}                                      # the judge, when you give up

A lab shows the mistake only if it uses the file that has it: mnist-dense may look healthy. Nobody
has written down which mistake it is. When `scratchvae check {folder}` finds nothing, you have
found it.
"""


def make_hunt(folder, seed=None):
    """Write the reference's files with one of the known mistakes into a new folder.

    Parameters
    ----------
    folder : path
        New or empty.
    seed : int, optional
        Chooses the mistake; by default it is drawn anew each time.

    Raises
    ------
    ScratchVAEError
        If the folder holds anything.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ScratchVAEError(f"{folder}: is not empty; name a new folder for the hunt")
    names = [name for name in MISTAKES if name not in RAISING]
    plant(MISTAKES[names[np.random.default_rng(seed).integers(len(names))]], folder)
    (folder / "README.md").write_text(README.format(folder=folder), encoding="utf-8")


def plant(mistake, folder):
    """Write the reference's files into a folder, with a mistake in them.

    Parameters
    ----------
    mistake : Mistake
    folder : Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        source = reference_file(Path(name).stem)
        for edit in mistake.edits:
            if edit.file == Path(name).stem:
                source = planted_in(source, edit)
        (folder / name).write_text(source, encoding="utf-8")


def planted_in(source, edit):
    """Return the source of a file with an edit of one of its functions."""
    start = source.index(f"def {edit.operation}(")
    end = source.find("\ndef ", start)
    end = len(source) if end < 0 else end
    function = source[start:end]
    return source[:start] + function.replace(edit.right, edit.wrong) + source[end:]
