"""The report of a run: report.html, a self-contained page that also shows training in progress."""
import time
from pathlib import Path

from markupsafe import Markup

from ...charts import chart
from ...storage import write_text
from ...training.history import COLUMNS, History, wide
from ..pages import render
from . import facts
from .images import embedded
from .progress import Progress

HERE = Path(__file__).parent
CAPTIONS = {                    # of the figures, in the order in which the page shows them
    "latent_scatter": "Latent codes of held-out examples. Each point is the mean of one example's "
                      "code; its colour is the class.",
    "latent_scatters": "Latent codes of the same examples in this lab's model and its partner's.",
    "manifold": "Images decoded from a grid over the latent plane, at equal steps of the prior's "
                "probability.",
    "manifolds": "The decoded latent plane of this lab beside its partner's.",
    "grids": "The latent plane decoded over three ranges. Each row is one value of the first "
             "coordinate, each column one value of the second.",
    "reconstructions": "Test examples, each above its reconstruction.",
    "samples": "New examples, decoded from points drawn from the prior.",
    "scores": "The examples with the lowest and the highest scores.",
    "loss_by_step": "The loss of each batch, and its running median.",
    "progress": "An input and its reconstruction at several steps of training.",
    "histogram": "The distribution of one latent coordinate over the test set, and the density of "
                 "the prior.",
    "traversal": "Images decoded while one latent coordinate changes and the others stay fixed.",
    "kl_by_dimension": "The KL divergence of each latent dimension, largest first. The decoder "
                       "does not use a dimension near 0.",
}
TEXTS = {                       # titles of the text files, in the same way
    "samples": "New lines, decoded from points drawn from the prior",
    "reconstructions": "Held-out lines and their reconstructions",
    "scores": "Lines with the lowest and the highest scores",
    "variations": "A line, and lines decoded near its latent code",
    "interpolation": "Lines decoded on the straight path between two latent codes",
}
TERMS = {"loss": "Loss", "reconstruction": "Reconstruction", "kl": "KL divergence"}
LONGEST_WAIT = 30               # seconds before a live page reloads itself, at most
FIRST_WAIT = 5                  # seconds before it reloads itself while no epoch has ended
UNITS = {"h": 3600, "min": 60, "s": 1}          # in seconds, the longest first


def write_report(run, live=False, problem="", current=True):
    """Write the run's report.html and return its path.

    Parameters
    ----------
    run : Run
        The run to describe; its directory receives the page.
    live : bool, default False
        Training is in progress, so the page reloads itself.
    problem : str, default ""
        The message of the error that ended training early, if there was one.
    current : bool, default True
        The figures, texts and measures in the directory belong to the model as it is now.
        If False, the page leaves them out.

    Returns
    -------
    Path
    """
    history = run.folder / "history.csv"
    rows = History.read_csv(history).rows if history.exists() else []
    content = {"figures": [], "texts": [], "document": "", "measures": [], "measured_on": ""}
    if current:
        content["figures"] = figures(run)
        content["texts"] = texts(run)
        content["document"] = own_report(run)
        content["measures"], content["measured_on"] = facts.measures(run)
    page = render(
        HERE,
        run=run,
        lab=run.lab,
        rows=rows,
        columns=COLUMNS,
        live=live,
        problem=problem,
        facts=facts,
        duration=duration,
        wait=wait(rows),
        patience=patience(rows),
        remaining=remaining(run, rows),
        charts=charts(run, rows),
        progress=Progress(run.folder).content,
        now=time.time(),
        date=time.strftime("%d %B %Y, %H:%M:%S"),
        held_out=run.lab.held_out,
        **content,
    )
    path = run.folder / "report.html"
    write_text(path, page)
    return path


def wait(rows):
    """Return the seconds after which a live page reloads itself: about the time of an epoch."""
    if not rows:
        return FIRST_WAIT
    return max(2, min(LONGEST_WAIT, round(rows[-1]["seconds"])))


def patience(rows):
    """Return the seconds without an update after which training was probably killed."""
    if not rows:
        return 3600
    return 60 + 5 * max(row["seconds"] for row in rows)


def remaining(run, rows):
    """Return the time that the remaining epochs will take, in words; empty if it is unknown or 0.

    Parameters
    ----------
    run : Run
    rows : list of dict
        The rows of its history.

    Returns
    -------
    str
    """
    left = run.config["epochs"] - len(rows)
    if not rows or left <= 0:
        return ""
    seconds = sorted(row["seconds"] for row in rows)
    median = seconds[len(seconds) // 2]
    return f"about {duration(left * median)} left"


def duration(seconds):
    """Return a duration in the unit that suits it, such as "71 s" or "2.5 min"."""
    fitting = [unit for unit, size in UNITS.items() if seconds >= 2 * size]
    unit = fitting[0] if fitting else "s"
    number = seconds / UNITS[unit]
    return f"{number:.2g} {unit}" if number < 10 else f"{number:.0f} {unit}"


def charts(run, rows):
    """Return the charts of the loss and its terms by epoch.

    A run without a KL divergence has a chart of the loss alone, as the loss has one term.

    Parameters
    ----------
    run : Run
    rows : list of dict
        The rows of its history.

    Returns
    -------
    list of (str, Markup)
        The title and the SVG of each chart.
    """
    if not rows:
        return []
    has_kl = any(row["kl"] for row in rows)
    columns = TERMS if has_kl else ["loss"]
    return [(TERMS[column], _chart(run, rows, column)) for column in columns]


def _chart(run, rows, column):
    """Return the SVG of one column of the history, with reference runs if it is the loss."""
    epochs = [row["epoch"] for row in rows]
    training = [row[column] for row in rows]
    validation = [row["val_" + column] for row in rows]
    lines = [("training", "training", epochs, training),
             ("validation", "validation", epochs, validation)]
    points = []
    if column == "loss":
        points = [(reference.epoch, reference.val_loss, f"validation, {reference.source}")
                  for reference in run.references
                  if isinstance(reference.val_loss, float) and reference.epoch <= len(rows)]
    log = column != "kl" and wide(training)
    return Markup(chart(TERMS[column], _unit(run, column), lines, points, log))


def _unit(run, column):
    """Return the unit of a column of the history."""
    if column == "kl":
        return "nats"
    if column == "reconstruction":
        return run.lab.unit.replace(", + KL", "").replace(" + KL", "")
    return run.lab.unit


def figures(run):
    """Return (caption, image) of each file in figures/, without the loss curves of the charts."""
    paths = {path.stem: path
             for pattern in ("*.png", "*.gif")
             for path in sorted(run.figures.glob(pattern))}
    known = [name for name in CAPTIONS if name in paths]
    others = [name for name in paths if name not in CAPTIONS and name != "loss_curves"]
    return [(CAPTIONS.get(name, name.replace("_", " ").capitalize()), embedded(paths[name]))
            for name in known + others]


def texts(run):
    """Return (title, content) of each text file that a text run wrote."""
    paths = {title: run.folder / f"{name}.txt" for name, title in TEXTS.items()}
    return [(title, path.read_text(encoding="utf-8"))
            for title, path in paths.items() if path.exists()]


def own_report(run):
    """Return the report.md of a lab that writes one, as HTML; an empty string without the file.

    HTML in the file is escaped, and its links and images stay text: the page loads nothing.
    """
    path = run.folder / "report.md"
    if not path.exists():
        return ""
    from markdown_it import MarkdownIt
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.disable(["link", "image", "autolink", "reference"])
    return Markup(reader.render(path.read_text(encoding="utf-8")))
