"""Commands on the cache: compiled kernels, fetched data sets, classifiers, and split words."""
import shutil

import click

from ..kernels import folders

PARTS = {"kernels": folders.kernels_home, "data": folders.data_home,
         "classifiers": folders.classifiers_home, "tokens": folders.tokens_home}


@click.group(invoke_without_command=True)
@click.pass_context
def cache(context):
    """Show where compiled kernels, fetched data sets, classifiers and words that nltk has split are
    kept, and their sizes.

    NUMBA_CACHE_DIR moves the kernels, XDG_CACHE_HOME all of them.
    """
    if context.invoked_subcommand:
        return
    for part, home in PARTS.items():
        folder = home()
        click.echo(f"{part:<11} {megabytes(folder):6.1f} MB  {folder}")
    if folders.note():
        click.echo(f"note: {folders.note()}")


@cache.command()
@click.argument("part", type=click.Choice(PARTS))
def clear(part):
    """Delete PART of the cache; what is needed is compiled, fetched or trained again."""
    folder = PARTS[part]()
    size = megabytes(folder)
    if folder and folder.exists():
        shutil.rmtree(folder)
    click.echo(f"deleted {size:.1f} MB: {folder}")


def megabytes(folder):
    """Return the size of all files in a folder, 0 if there is none."""
    files = folder.rglob("*") if folder else ()
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
