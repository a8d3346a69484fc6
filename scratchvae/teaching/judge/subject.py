"""What `scratchvae check` is asked to judge."""
import inspect
from pathlib import Path
from typing import NamedTuple

from ... import kernels
from ...errors import ScratchVAEError
from ...kernels.backend import operations
from ...kernels.own import operations_of_file


class Subject(NamedTuple):
    """A backend, or a part of it.

    Attributes
    ----------
    backend : str
        Its name, or its folder.
    trusted : str
        The backend that it is compared with.
    operations : list of str
        What is judged, forward passes first.
    whole : bool
        Whether these are all of the backend's own operations.
    """
    backend: str
    trusted: str
    operations: list
    whole: bool


def open_subject(text):
    """Return the Subject that a name, a folder or a file stands for.

    Raises
    ------
    ScratchVAEError
        If there is nothing to judge.
    """
    path = Path(text)
    if text not in kernels.BACKENDS and path.suffix == ".py":
        if not path.is_file():
            raise ScratchVAEError(f"{text}: no such file")
        backend = kernels.load(str(path.resolve().parent))
        chosen = [name for name in operations_of_file(path.stem) if name in backend.written]
        if not chosen:
            known = ", ".join(operations_of_file(path.stem)) or "none"
            raise ScratchVAEError(f"{text}: no operation is written yet; this file can have: "
                                  f"{known}")
        return Subject(str(path.resolve().parent), "reference", in_order(chosen), False)
    backend = kernels.load(text)
    trusted = "cpu" if text == "reference" else "reference"
    if hasattr(backend, "written"):
        return Subject(str(path.resolve()), trusted, in_order(backend.written), True)
    return Subject(text, trusted, in_order(operations(backend)), True)


def in_order(names):
    """Return names of operations so that each comes after those that it builds upon."""
    return sorted(names, key=lambda name: ("backward" in name, not name.startswith("activation"),
                                           name))


def place_of(backend, name):
    """Return (file, line) where an operation is written, the file as short as possible."""
    function = inspect.unwrap(getattr(kernels.load(backend), name))
    file = Path(inspect.getsourcefile(function))
    lines, first = inspect.getsourcelines(function)
    return shortened(file), first + next(i for i, line in enumerate(lines)
                                         if line.lstrip().startswith("def "))


def shortened(file):
    """Return a path relative to the working directory if it lies below it."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return str(file)
