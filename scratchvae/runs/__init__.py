"""A run: a lab that is trained with certain settings, and the directory that holds the results."""
from pathlib import Path

from .. import kernels, labs
from ..errors import ScratchVAEError
from ..storage import sweep
from .config import new_config, read_config, run_name
from .image_run import ImageRun
from .lock import check_unused, take_over
from .table_run import TableRun
from .text_run import TextRun

CLASSES = {"images": ImageRun, "tables": TableRun, "text": TextRun}      # of the kinds of labs


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
    """Return a new run in a directory of its own, which is made at once.

    Parameters
    ----------
    folder : path or None
        A directory that is empty or does not exist. None takes the first of runs/LAB,
        runs/LAB-2, ... that does not exist, or was left by a run that was killed before it began.
        For images or a table of one's own it is runs/LAB-NAME and so on.
    config : dict
        As new_config returns it.

    Returns
    -------
    Run

    Raises
    ------
    ScratchVAEError
        If the directory holds anything, or cannot be made.
    """
    try:
        if folder is None:
            folder = _new_folder(Path("runs") / run_name(config["lab"], config))
        else:
            Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScratchVAEError(f"{error.filename}: cannot be made: {error.strerror}") from None
    check_unused(folder)
    return make_run(folder, config)


def _new_folder(base):
    """Make the first of base, base-2, base-3, ... that does not exist or can be taken over.

    Two processes never get the same one.
    """
    base.parent.mkdir(parents=True, exist_ok=True)
    folder = base
    number = 1
    while True:
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            if take_over(folder):
                return folder
            number += 1
            folder = base.with_name(f"{base.name}-{number}")


def open_run(folder, data_dir=None, text=None, images=None, csv=None, backend=None):
    """Return the run that a directory holds.

    Parameters
    ----------
    folder : path
    data_dir : path, optional
        Where its data are now, if they have moved since training.
    text : path, optional
        Where its text is now, if it was trained on a file that has moved.
    images : path, optional
        Where its images are now, if it was trained on images of one's own that have moved.
    csv : path, optional
        Another table with the same columns, or where the table of its training is now.
    backend : str, optional
        The backend that computes, if it is another than in training.

    Returns
    -------
    Run

    Raises
    ------
    ScratchVAEError
        If the directory holds no run, or its config.json is damaged.
    """
    config = read_config(folder, data_dir, text, images, csv)
    if backend:
        config["backend"] = kernels.canonical(backend)
    for place in (Path(folder), Path(folder) / "figures"):
        sweep(place)
    return make_run(folder, config)
