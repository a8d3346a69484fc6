"""The cache of compiled kernels saves time, and is never a condition."""
import os
import shutil
import subprocess
import sys

import pytest

CODE = """
import sys
import numpy as np
from scratchvae.kernels.cpu import jit

@jit.jit
def double(x):
    for i in range(x.size):
        x[i] *= 2

x = np.arange(3.0)
double(x)
print(x.tolist(), double.stats.cache_hits and "loaded" or "compiled")
"""


def call(folder, cache):
    """Run a kernel of the test's own in a process of its own; return what it prints."""
    file = folder / "double.py"
    file.write_text(CODE)
    result = subprocess.run([sys.executable, str(file)], capture_output=True, text=True,
                            env=os.environ | {"NUMBA_CACHE_DIR": str(cache)})
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder whose cache has been filled."""
    folder = tmp_path_factory.mktemp("filled")
    assert call(folder, folder / "cache") == "[0.0, 2.0, 4.0] compiled"
    return folder


@pytest.fixture
def folder(filled, tmp_path):
    """A copy of it."""
    return shutil.copytree(filled, tmp_path / "copy")


def files(cache, ending):
    """The files of the test's own kernel."""
    return [path for path in cache.rglob(f"*{ending}") if "double" in path.name]


def test_code_is_kept(folder):
    assert call(folder, folder / "cache") == "[0.0, 2.0, 4.0] loaded"


@pytest.mark.parametrize("ending, length", [(".nbc", 0), (".nbc", 200), (".nbi", 0), (".nbi", 50)])
def test_a_truncated_file_is_made_anew(folder, ending, length):
    file, = files(folder / "cache", ending)
    os.truncate(file, length)
    assert call(folder, folder / "cache") == "[0.0, 2.0, 4.0] compiled"
    assert call(folder, folder / "cache") == "[0.0, 2.0, 4.0] loaded"


def test_an_emptied_folder_is_filled_again(folder):
    for file in files(folder / "cache", ""):
        file.unlink()
    assert call(folder, folder / "cache") == "[0.0, 2.0, 4.0] compiled"
    assert call(folder, folder / "cache") == "[0.0, 2.0, 4.0] loaded"


def test_where_nothing_can_be_written_kernels_are_compiled_each_time(tmp_path):
    (tmp_path / "file").write_text("")
    assert call(tmp_path, tmp_path / "file") == "[0.0, 2.0, 4.0] compiled"


def test_without_a_home_the_folder_for_temporary_files_serves(tmp_path):
    code = ("from scratchvae.kernels import folders; print(folders.kernels_home()); "
            "print(folders.note())")
    environment = {"TMPDIR": str(tmp_path), "HOME": "/dev/null", "PATH": os.environ["PATH"]}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            env=environment)
    place, note = result.stdout.splitlines()
    assert place == f"{tmp_path}/scratchvae-{os.getuid()}/kernels"
    assert note == (f"/dev/null/.cache/scratchvae cannot be written: compiled kernels are kept in "
                    f"{tmp_path}/scratchvae-{os.getuid()}")


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root can give files away")
def test_code_is_not_read_from_a_folder_of_another_user(tmp_path):
    prepared = tmp_path / f"scratchvae-{os.getuid()}"
    prepared.mkdir(mode=0o777)
    os.chown(prepared, 54321, 54321)
    code = "from scratchvae.kernels import folders; print(folders.kernels_home())"
    environment = {"TMPDIR": str(tmp_path), "HOME": "/dev/null", "PATH": os.environ["PATH"]}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            env=environment)
    assert result.stdout == "None\n", result.stderr
