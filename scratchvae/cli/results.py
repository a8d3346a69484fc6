"""What commands show of a run."""

import click


def draw_figures(run):
    """Draw all of a run's figures, write its report, and print the paths."""
    try:
        paths = run.lab.draw(run)
    finally:
        report = write_report(run)  # even if drawing fails: the page must not wait for ever
    for path in [*paths, report]:
        click.echo(path)


def write_report(run):
    """Write a run's report; a training in progress writes it again after the epoch."""
    from ..analysis.report import write_report
    from ..runs.lock import is_trained

    return write_report(run, live=is_trained(run.folder))


def print_last_epoch(run):
    """Print the last epoch, and the reference figures for it."""
    last = run.history.rows[-1]
    validation = ""
    if last["val_loss"] is not None:
        validation = (
            f", validation {last['val_loss']:.5g} (mean over the {run.lab.held_out} "
            f"after it{run.model.how_measured})"
        )
    click.echo(
        f"epoch {last['epoch']}: loss {last['loss']:.5g} (mean over the epoch as trained)"
        f"{validation}; {run.config['data']}"
    )
    for reference in run.references:
        if reference.epoch == last["epoch"]:
            click.echo(f"  reference: {reference}")


def echo_written(path):
    """Print the path of what was written, and its content if that is text."""
    if path.suffix == ".txt":
        click.echo(path.read_text(encoding="utf-8"), nl=False)
    click.echo(path)
