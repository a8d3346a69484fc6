"""report.html: a run on one page that needs nothing else, to hand in with a lab, and to watch while training goes on."""
import time
from pathlib import Path

from markupsafe import Markup

from ...training.history import COLUMNS, History, wide
from ...labs.text_lab import TextLab
from ..pages import render
from ...storage import write_text
from . import curves, facts
from .images import embedded
from .progress import Progress

HERE = Path(__file__).parent
CAPTIONS = {                    # of the figures, in their order
    "latent_scatter": "Where the encoder puts examples it has never seen. Each point is the mean of one example's code; colours are classes.",
    "latent_scatters": "The same examples in the latent spaces of this lab's model and of its partner's.",
    "manifold": "What the decoder makes of the latent plane, at equal steps of the prior's probability.",
    "manifolds": "The same beside the plane of this lab's partner.",
    "grids": "The decoded plane over three ranges: each row is one value of the first coordinate, its columns are steps of the second.",
    "reconstructions": "Test examples, and under each what is left of it after the latent space.",
    "samples": "New examples: decoded from points drawn from the prior.",
    "loss_by_step": "The loss of each batch, and its running median.",
    "progress": "An input beside what the model made of it, during training.",
    "histogram": "One latent coordinate over the test set, and the density of the prior.",
    "traversal": "One coordinate of a latent point is moved, the others stay.",
    "kl_by_dimension": "How much each latent dimension tells of a line, the most telling first. Dimensions near 0 are not used.",
}
TEXTS = {"samples": "New lines, from points drawn from the prior", "reconstructions": "Held-out lines, and what comes back",
         "variations": "A line, and lines decoded from its neighbourhood", "interpolation": "On the straight way from one line to another"}
LONGEST_WAIT, FIRST_WAIT = 30, 5        # seconds between two looks at a page that is still growing


def write_report(run, live=False, problem="", current=True):
    """Write the run's report.html; returns its path.

    live: training goes on, so the page loads itself anew.  problem: the error that ended training early, if one did.
    current: the figures, texts and measures in the directory are those of the model as it is now.
    """
    history = run.folder / "history.csv"
    rows = History.read_csv(history).rows if history.exists() else []
    measures, measured_on = facts.measures(run) if current else ([], "")
    drawn, written, document = (figures(run), texts(run), own_report(run)) if current else ([], [], "")
    page = render(
        HERE, run=run, lab=run.lab, rows=rows, columns=COLUMNS, live=live, problem=problem, facts=facts, duration=duration, wait=wait(rows),
        patience=patience(rows), remaining=remaining(run, rows), charts=charts(run, rows), progress=Progress(run.folder).content,
        figures=drawn, texts=written, document=document, measures=measures, measured_on=measured_on,
        now=time.time(), date=time.strftime("%d %B %Y, %H:%M:%S"),
        held_out="held-out examples" if run.lab.validation_split or isinstance(run.lab, TextLab) else "test set")
    write_text(run.folder / "report.html", page)
    return run.folder / "report.html"


def wait(rows):
    """Seconds until the page looks for a newer one of itself: about an epoch."""
    return max(2, min(LONGEST_WAIT, round(rows[-1]["seconds"]))) if rows else FIRST_WAIT


def patience(rows):
    """Seconds after which it is likely that training was killed."""
    return 60 + 5 * max(row["seconds"] for row in rows) if rows else 3600


def remaining(run, rows):
    """How long the epochs that are left will take, in words."""
    left = run.config["epochs"] - len(rows)
    if not rows or left <= 0:
        return ""
    seconds = left * sorted(row["seconds"] for row in rows)[len(rows) // 2]
    return f"about {duration(seconds)} to go"


def duration(seconds):
    """Seconds in the unit that suits them."""
    size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "min"), (1, "s")) if seconds >= 2 * size or size == 1)
    return f"{seconds / size:.2g} {unit}" if seconds < 10 * size else f"{seconds / size:.0f} {unit}"


def charts(run, rows):
    """(title, SVG) of the loss and its terms by epoch; without a KL divergence the loss is all there is."""
    if not rows:
        return []
    columns = {"loss": "Loss", "reconstruction": "Reconstruction", "kl": "KL divergence"}
    result, epochs = [], [row["epoch"] for row in rows]
    for column, title in columns.items() if any(row["kl"] for row in rows) else [("loss", "Loss")]:
        lines = [(kind, name, epochs, [row[prefix + column] for row in rows])
                 for kind, name, prefix in (("training", "training", ""), ("validation", "validation", "val_"))]
        points = [(r.epoch, r.val_loss, f"validation, {r.source}") for r in run.references
                  if column == "loss" and isinstance(r.val_loss, float) and r.epoch <= len(rows)]
        unit = {"loss": run.lab.unit, "reconstruction": run.lab.unit.replace(", + KL", "").replace(" + KL", ""), "kl": "nats"}[column]
        result.append((title, Markup(curves.chart(title, unit, lines, points, log=column != "kl" and wide(lines[0][3])))))
    return result


def figures(run):
    """(caption, image) of the files in figures/, those of the loss curves excepted: the page has its own."""
    paths = {path.stem: path for path in sorted(run.figures.glob("*.png"))} | {path.stem: path for path in run.figures.glob("*.gif")}
    order = [name for name in CAPTIONS if name in paths] + [name for name in paths if name not in CAPTIONS and name != "loss_curves"]
    return [(CAPTIONS.get(name, name.replace("_", " ").capitalize()), embedded(paths[name])) for name in order]


def texts(run):
    """(title, content) of what a run about text wrote."""
    paths = {name: run.folder / f"{name}.txt" for name in TEXTS}
    return [(TEXTS[name], path.read_text(encoding="utf-8")) for name, path in paths.items() if path.exists()]


def own_report(run):
    """The report.md of a lab that writes one, as HTML; what it quotes may neither be HTML nor lead out of the page."""
    from markdown_it import MarkdownIt
    path = run.folder / "report.md"
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink", "reference"])
    return Markup(reader.render(path.read_text(encoding="utf-8"))) if path.exists() else ""
