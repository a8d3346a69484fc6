"""A run: a lab that is trained with certain settings, and the directory that holds the results."""
from pathlib import Path

from .. import labs
from ..errors import ScratchVAEError
from .config import new_config, read_config
from .image_run import ImageRun
from .text_run import TextRun

CLASSES = {"images": ImageRun, "text": TextRun}         # of the kinds of labs


def make_run(folder, config):
    """Return a run without touching its directory.

    Parameters
    ----------
    folder : path
    config : dict
        As new_config or read_config returns it.

    Returns
    -------
    Run
        Of the class that belongs to the kind of its lab.
    """
    lab = labs.get(config["lab"])
    return CLASSES[lab.kind](folder, config)


def create_run(folder, config):
    """Return a new run. Its directory is created when training begins.

    Parameters
    ----------
    folder : path or None
        None takes the first of runs/LAB, runs/LAB-2, ... that does not exist.
    config : dict
        As new_config returns it.

    Returns
    -------
    Run

    Raises
    ------
    ScratchVAEError
        If the directory holds a run already.
    """
    if folder is None:
        folder = _free_folder(Path("runs") / config["lab"])
    if (Path(folder) / "config.json").exists():
        raise ScratchVAEError(f"{folder}: holds a run already; resume it with --resume "
                              f"{folder}, or choose another --out")
    return make_run(folder, config)


def _free_folder(base):
    """Return the first of base, base-2, base-3, ... that does not exist."""
    folder = base
    number = 1
    while folder.exists():
        number += 1
        folder = base.with_name(f"{base.name}-{number}")
    return folder


def open_run(folder, data_dir=None):
    """Return the run that a directory holds.

    Parameters
    ----------
    folder : path
    data_dir : path, optional
        Where its data are now, if they have moved since training.

    Returns
    -------
    Run

    Raises
    ------
    ScratchVAEError
        If the directory holds no run, or its config.json is damaged.
    """
    return make_run(folder, read_config(folder, data_dir))
