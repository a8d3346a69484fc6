"""The page to hand in: what a learner's kernels are proven to do, what they trained, the notes."""
import base64
import datetime
import json
from pathlib import Path

from ... import __version__
from ...analysis.pages import render
from ...errors import ScratchVAEError
from ...runs import open_run
from ...storage import write_text
from ..course.folder import HINTS_SHOWN, OPERATIONS, progress

HERE = Path(__file__).parent
FIGURES = ("manifold", "latent_scatter", "reconstructions", "samples")
MOST_FIGURES = 2                # of a run


def write_page(folder, verdict):
    """Write report.html into a learner's folder, and return its path.

    Parameters
    ----------
    folder : path
    verdict : Verdict
        On the whole folder.
    """
    folder = Path(folder)
    path = folder / "report.html"
    write_text(path, render(
        HERE, title=f"Kernels in {folder.name}", date=datetime.date.today().isoformat(),
        version=__version__, place=folder.name, summary=summary(verdict),
        stages=stages(folder, verdict), wrong=verdict.wrong,
        right=sorted(verdict.right, key=lambda judgement: [*OPERATIONS, judgement.operation].index(
            judgement.operation)), hints=hints_taken(folder),
        runs=runs_with(folder), notes=notes(folder)))
    return path


def summary(verdict):
    """Return one sentence: how many operations are written and right."""
    count = len(verdict.judgements)
    if not count:
        return "Nothing is written yet."
    return f"{count} operations are written, {len(verdict.right)} of them are right."


def stages(folder, verdict):
    """Return what the table of progress shows."""
    right = {judgement.operation for judgement in verdict.right}
    found = []
    for stage, written in progress(folder):
        good = sum(name in right for name in written)
        state = "done" if good == len(stage.operations) else "wrong" if good < len(written) else (
            "begun" if written else "")
        found.append({"name": stage.name, "file": stage.file, "written": len(written),
                      "count": len(stage.operations), "right": good, "lab": stage.lab or "",
                      "state": state})
    return found


def hints_taken(folder):
    """Return how many hints were asked for, in words."""
    path = folder / HINTS_SHOWN
    taken = json.loads(path.read_text()) if path.is_file() else {}
    solutions = sum(number == 3 for number in taken.values())
    if not taken:
        return "No hints were asked for."
    return (f"Hints were asked for {len(taken)} operations, down to the solution for {solutions}: "
            f"{', '.join(sorted(taken))}.")


def runs_with(folder):
    """Return the runs below the working directory's runs/ that were trained with these kernels."""
    found = []
    for config in sorted(Path("runs").glob("*/config.json")):
        try:
            if json.loads(config.read_text()).get("backend") != str(Path(folder).resolve()):
                continue
            run = open_run(config.parent)
            last = run.history.rows[run.epoch - 1]
        except (ScratchVAEError, ValueError, IndexError):
            continue
        found.append({"lab": run.lab.name, "folder": str(run.folder), "epoch": last["epoch"],
                      "loss": f"{last['loss']:.5g}",
                      "computed_by": run.config.get("computed_by") or "",
                      "data": run.config["data"], "figures": figures_of(run)})
    return found


def figures_of(run):
    """Return the first figures of a run, as images for a page."""
    paths = [run.figures / f"{name}.png" for name in FIGURES]
    return [{"name": path.stem, "source": "data:image/png;base64,"
             + base64.b64encode(path.read_bytes()).decode()}
            for path in paths if path.is_file()][:MOST_FIGURES]


def notes(folder):
    """Return the learner's notes as HTML."""
    from markdown_it import MarkdownIt  # takes long to import
    from markupsafe import Markup
    path = folder / "notes.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else "*no notes.md*"
    return Markup(MarkdownIt("js-default", {"html": False}).render(text))
