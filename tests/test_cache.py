"""The cache of compiled kernels saves time, and is never a condition."""
import os
import subprocess
import sys

import pytest
from numba import types
from scratchvae.kernels.cpu.linking import dtypes_of

DAMAGES = {                     # kernel -> the ending of the file that is cut short, and its length
    "whole": None,
    "code_of_0_bytes": (".nbc", 0),
    "code_of_200_bytes": (".nbc", 200),
    "index_of_0_bytes": (".nbi", 0),
    "index_of_50_bytes": (".nbi", 50),
    "without_files": None,
}
BEGIN = """
import numpy as np
from scratchvae.kernels.cpu import jit
"""
KERNEL = """
@jit.jit
def {name}(x):
    for i in range(x.size):
        x[i] *= 2

x = np.arange(3.0)
{name}(x)
assert x.tolist() == [0, 2, 4]
print("{name}", {name}.stats.cache_hits and "loaded" or "compiled")
"""


def call(folder, cache):
    """Run the test's own kernels in a process of their own; return kernel -> what it says."""
    file = folder / "program.py"
    file.write_text(BEGIN + "".join(KERNEL.format(name=name) for name in DAMAGES))
    result = subprocess.run([sys.executable, str(file)], capture_output=True, text=True,
                            env=os.environ | {"NUMBA_CACHE_DIR": str(cache)})
    assert result.returncode == 0, result.stderr
    return dict(line.split() for line in result.stdout.splitlines())


@pytest.mark.slow
def test_code_is_kept_and_damaged_files_are_made_anew(tmp_path):
    cache = tmp_path / "cache"
    assert call(tmp_path, cache) == dict.fromkeys(DAMAGES, "compiled")
    for name, damage in DAMAGES.items():
        if damage:
            file, = cache.rglob(f"*.{name}-*{damage[0]}")
            os.truncate(file, damage[1])
    for file in cache.rglob("*.without_files-*"):
        file.unlink()
    assert call(tmp_path, cache) == dict.fromkeys(DAMAGES, "compiled") | {"whole": "loaded"}
    assert call(tmp_path, cache) == dict.fromkeys(DAMAGES, "loaded")


@pytest.mark.slow
def test_where_nothing_can_be_written_kernels_are_compiled_each_time(tmp_path):
    (tmp_path / "file").write_text("")
    assert call(tmp_path, tmp_path / "file") == dict.fromkeys(DAMAGES, "compiled")


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


def test_code_for_float32_needs_the_linked_functions_for_float32_only():
    single = types.Array(types.float32, 2, "C")
    offsets = types.Array(types.int32, 1, "C")
    assert dtypes_of((single, types.float64)) == {types.float32}
    in_tuples = types.Tuple((types.UniTuple(single, 2), types.int64))
    assert dtypes_of((types.boolean, offsets, in_tuples)) == {types.float32, types.int32}
