"""A learner's folder: made once, never overwritten, and what it has so far."""
import importlib
import inspect
import json
import re
from pathlib import Path
from typing import NamedTuple

from ... import kernels
from ...errors import ScratchVAEError
from ...kernels.operation import is_operation
from .content import FILES, hints, template
from .stages import STAGES

HINTS_SHOWN = ".hints.json"     # operation -> how many hints were asked for
OPERATIONS = {name: stage for stage in STAGES for name in stage.operations}


class Progress(NamedTuple):
    """How far a stage has come.

    Attributes
    ----------
    stage : Stage
    written : tuple of str
        The operations that are the learner's.
    """
    stage: object
    written: tuple

    @property
    def done(self):
        """Whether all operations of the stage are written."""
        return len(self.written) == len(self.stage.operations)


def make_folder(folder):
    """Write the files of the course into a folder that lacks them, and return their paths.

    Parameters
    ----------
    folder : path
        New, empty, or a folder of the course: what is there stays as it is.

    Raises
    ------
    ScratchVAEError
        If the folder holds other things.
    """
    folder = Path(folder)
    names = [path.name for path in sorted(FILES.iterdir()) if path.suffix in (".py", ".md")]
    if folder.exists() and not folder.is_dir():
        raise ScratchVAEError(f"{folder}: is a file; name a new folder")
    if folder.is_dir() and any(folder.iterdir()) and not is_course(folder):
        raise ScratchVAEError(f"{folder}: holds other files; name a new or empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name in names:
        path = folder / name
        if not path.exists():
            text = (FILES / name).read_text(encoding="utf-8")
            path.write_text(text.replace("DIR", str(folder)) if name == "README.md" else text,
                            encoding="utf-8")
            made.append(path)
    for stage in STAGES:
        path = folder / f"try_{stage.file}.py"
        if stage.program and not path.exists():
            path.write_text(stage.program.replace("DIR", str(folder.resolve())), encoding="utf-8")
            made.append(path)
    return made


def is_course(folder):
    """Return whether a folder is one of the course: kernels, with its notes or its README."""
    folder = Path(folder)
    readme = folder / "README.md"
    title = (FILES / "README.md").read_text(encoding="utf-8").splitlines()[0]
    marked = (folder / "notes.md").is_file() or (
        readme.is_file() and readme.read_text(encoding="utf-8").startswith(title))
    return marked and any((folder / f"{stage.file}.py").is_file() for stage in STAGES)


def progress(folder):
    """Return the Progress of every stage."""
    written = kernels.load(str(folder)).written
    return [Progress(stage, tuple(name for name in stage.operations if name in written))
            for stage in STAGES]


def next_operation(folder):
    """Return the (Stage, operation) to write next, or None when all are written."""
    for stage, written in progress(folder):
        for name in stage.operations:
            if name not in written:
                return stage, name
    return None


def next_hint(folder, operation):
    """Return (number, text) of the next hint on an operation: a nudge, a formula, the solution.

    Parameters
    ----------
    folder : path
        The learner's folder, which remembers what was asked for.
    operation : str

    Raises
    ------
    ScratchVAEError
        If the course has no such operation.
    """
    if operation not in OPERATIONS:
        close = [name for name in OPERATIONS if operation.split("_")[0] in name]
        allowed = ", ".join(close or OPERATIONS)
        raise ScratchVAEError(f"--hint: unknown operation {operation!r}; allowed: {allowed}")
    if not is_course(folder):
        raise ScratchVAEError(f"{folder}: not a folder of the course; scratchvae learn {folder} "
                              "makes it")
    path = Path(folder) / HINTS_SHOWN
    shown = json.loads(path.read_text()) if path.is_file() else {}
    number = min(shown.get(operation, 0) + 1, 3)
    path.write_text(json.dumps(shown | {operation: number}) + "\n")
    if number < 3:
        return number, hints(OPERATIONS[operation].file)[operation][number - 1]
    return number, solution(operation)


def solution(operation):
    """Return the source of the reference's function, without its declaration.

    Helpers that it calls and that the template lacks follow it.
    """
    function = inspect.unwrap(getattr(kernels.load("reference"), operation))
    source = inspect.getsource(function)
    parts = [source[source.index("def "):]]
    given = template(OPERATIONS[operation].file)
    for name in function.__code__.co_names:
        helper = function.__globals__.get(name)
        if (inspect.isfunction(helper) and helper.__module__ == function.__module__
                and not is_operation(helper) and f"def {name}(" not in given):
            parts.append(inspect.getsource(helper))
    return "\n\n".join(parts)


def reference_file(file):
    """Return a file of the reference as it stands in a folder of the user's own.

    Parameters
    ----------
    file : str
        Its name without .py.
    """
    module = importlib.import_module(f"scratchvae.kernels.reference.{file}")
    source = inspect.getsource(module).replace("from ..", "from scratchvae.kernels.")
    lines = source.splitlines(keepends=True)
    kept = []
    inside = False                      # a declaration, which may take several lines
    for line in lines:
        inside = inside or line.startswith("@operation(")
        if not inside:
            kept.append(line)
        elif re.search(r"\)\s*$", line):
            inside = False
    source = "".join(kept)
    return source.replace("from scratchvae.kernels.operation import operation\n", "")
