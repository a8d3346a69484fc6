"""The command that compares runs."""
import click

from ..storage import write_text


@click.command()
@click.argument("runs", type=click.Path(), metavar="RUN...", nargs=-1, required=True)
@click.option("--out", type=click.Path(dir_okay=False), default="compare.html", show_default=True,
              metavar="FILE", help="The page's file.")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False), metavar="FILE",
              help="Write a table of the runs to this file, too.")
def compare(runs, out, csv_file):
    """Compare runs on one HTML page: curves, settings that differ, measures, figures.

    A RUN can also be a directory with runs, such as a sweep's.  Runs that differ in the seed alone
    are one curve, their mean, with a band from the smallest to the largest value.
    """
    from ..analysis.compare import Comparison, write_page
    from .tables import comparison_table
    comparison = Comparison(runs)
    comparison_table(comparison)
    click.echo(write_page(comparison, out))
    if csv_file:
        write_text(csv_file, comparison.csv())
        click.echo(csv_file)
