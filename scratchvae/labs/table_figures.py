"""The figures of labs about tables. Each function draws one of a run, and returns a list of paths.
"""
import numpy as np

from ..data.tables.columns import Numbers
from .figures import loss_curves, title  # noqa: F401 (loss_curves: of all labs)

SHOWN = 500                     # samples that are written
COMPARED = 2000                 # rows, new ones and at most so many of the table
MOST = 12                       # columns of numbers whose correlations are drawn


def codes(run):
    """Draw the latent codes of the test rows, coloured by the first column of categories."""
    from ..analysis import plots
    code = run.codes()
    if code.shape[1] < 2:
        return []
    labels, classes, name = first_categories(run)
    kl = np.square(code).mean(axis=0)                   # dimensions that are used come first
    order = np.argsort(-kl, kind="stable")
    what = f", coloured by {name}" if name else ""
    return [plots.latent_scatter(code[:, order[:2]], labels, classes,
                                 run.figures / "latent_scatter.png",
                                 f"The two widest dimensions of the codes of the test rows{what} "
                                 f"({title(run)})", run.note)]


def first_categories(run):
    """Return labels, names and the title of the first column of categories without missing cells.

    Without one, these are None, () and "".
    """
    x = run.x_test
    for column, here in run.columns.places():
        if not isinstance(column, Numbers) and column.width > 1 and x[:, here].any(axis=1).all():
            return x[:, here].argmax(axis=1), column.categories, column.name
    return None, (), ""


def data_and_samples(run):
    """Return rows of the table and at least as many new ones, {name: values} each."""
    used = run.cells_used(run.rows("all")[:COMPARED])
    numbers = {column.name for column in run.columns.numbers}
    data = {name: [float(cell or "nan") if name in numbers else cell for cell in cells]
            for name, cells in used.items()}
    return data, run.sampled(COMPARED)


def marginals(run):
    """Draw the distribution of each column in the table and in new rows."""
    from ..analysis import plots
    return [plots.marginals(*data_and_samples(run), run.figures / "marginals.png",
                            f"Columns of the table and of new rows ({title(run)})", run.note)]


def correlations(run):
    """Draw the correlations of the columns of numbers in the table and in new rows."""
    from ..analysis import plots
    names = [column.name for column in run.columns.numbers][:MOST]
    if len(names) < 2:
        return []
    parts = {name: {column: values[column] for column in names}
             for name, values in zip(("the table", "new rows"), data_and_samples(run))}
    return [plots.correlations(parts, run.figures / "correlations.png",
                               f"Correlations of the columns ({title(run)})", run.note)]


def samples(run):
    """Write new rows."""
    return [run.draw_samples(SHOWN)]
