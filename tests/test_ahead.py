"""Kernels that are compiled beside a training, and once where processes start together."""
import io
import subprocess
import sys

import filelock
import numba
import numpy as np
import pytest
from helpers import write_idx_files, write_play
from scratchvae.kernels.cpu import cache
from scratchvae.kernels.cpu.optimizers import _adam

from scratchvae import labs
from scratchvae.runs import beside, create_run, new_config


def run_of(lab, folder):
    """Return a run whose training has begun, and its examples and targets."""
    data = folder.parent / "data"
    data.mkdir()
    if lab == "text-gru":
        write_play(data / "play.txt")
        options = {"text": str(data / "play.txt")}
    else:
        write_idx_files(data)
        options = {"data_dir": str(data)}
    run = create_run(folder, new_config(labs.LABS[lab], epochs=1, **options))
    x, y, _ = run.examples()
    run.model = run.make_model()
    run.write_config()
    return run, *run.model.as_pair(x, y)


@pytest.mark.slow
@pytest.mark.parametrize("lab", ["mnist-dense", "text-gru"])
def test_all_kernels_of_a_step_are_called_last_first(lab, tmp_path):
    run, x, y = run_of(lab, tmp_path / "run")
    examples = io.BytesIO()
    np.savez(examples, x=x[:2], y=y[:2])
    code = ("import sys; from pathlib import Path; from scratchvae.runs import ahead; "
            f"ahead.mark_of = lambda config: Path({str(tmp_path / 'mark')!r}); "
            "noting = ahead.noting; "
            "ahead.noting = lambda operation, calls: noting(named(operation), calls); "
            "named = lambda operation: __import__('functools').wraps(operation)("
            "lambda *arguments: print(operation.__name__) or operation(*arguments)); "
            "ahead.main(Path(sys.argv[1]))")
    done = subprocess.run([sys.executable, "-c", code, run.folder], input=examples.getvalue(),
                          capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    called = done.stdout.decode().split()
    assert called[0].endswith("_update") and len(set(called)) == len(called)
    backward = [name for name in called if name.endswith("_backward")]
    for name in backward:
        assert called.index(name.replace("backward", "forward")) > called.index(name)
    assert "dense_backward" in backward and (tmp_path / "mark").exists()


@pytest.fixture
def started(monkeypatch, tmp_path):
    """The commands that would be started, with a cache that has no kernels."""
    commands = []

    class Process:
        def __init__(self, command, **_):
            commands.append(command)
            self.stdin = open(tmp_path / "examples.npz", "wb")

        def kill(self):
            pass
    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setattr(beside, "mark_of", lambda config: tmp_path / "mark")
    monkeypatch.setattr(numba, "get_num_threads", lambda: 2)
    return commands


def test_a_process_starts_beside_the_first_training_only(started, tmp_path):
    run, x, y = run_of("mnist-dense", tmp_path / "run")
    beside.compile_beside(run, x, y)
    assert started == [[sys.executable, "-m", "scratchvae.runs.ahead", run.folder]]
    assert np.load(tmp_path / "examples.npz")["x"].shape == (2, 784)
    (tmp_path / "mark").touch()
    beside.compile_beside(run, x, y)
    assert len(started) == 1


def test_no_process_starts_where_it_would_only_disturb(started, tmp_path, monkeypatch):
    run, x, y = run_of("mnist-dense", tmp_path / "run")
    run.config["backend"] = "reference"
    beside.compile_beside(run, x, y)
    run.config["backend"] = "cpu"
    monkeypatch.setattr(numba, "get_num_threads", lambda: 1)
    beside.compile_beside(run, x, y)
    assert not started


def test_the_mark_is_another_one_for_other_sources(tmp_path, monkeypatch):
    def mark(lab):
        return beside.mark_of({"lab": lab})
    before = mark("mnist-dense")
    assert before == mark("mnist-dense") != mark("mnist-conv")
    monkeypatch.setattr(numba, "__version__", "another")
    assert mark("mnist-dense") != before


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return cache.Cache(_adam.py_func)


def test_a_kernel_that_another_process_compiles_is_waited_for(own_cache, monkeypatch):
    answers = iter([None, "compiled by another"])
    monkeypatch.setattr(own_cache, "_load", lambda *_: next(answers))
    assert own_cache.load_overload((), None) == "compiled by another"
    assert not own_cache._lock.is_locked


def test_a_process_that_gets_no_lock_compiles_by_itself(own_cache, monkeypatch):
    own_cache._impl.locator.ensure_cache_path()
    own_cache._lock.timeout = 0.01
    with filelock.FileLock(own_cache._lock.lock_file, is_singleton=False):
        assert own_cache.load_overload((), None) is None
    assert not own_cache._lock.is_locked


def test_where_there_are_no_locks_each_process_compiles(own_cache, monkeypatch):
    def refuse():
        raise NotImplementedError("no locks on this file system")
    monkeypatch.setattr(own_cache._lock, "acquire", refuse)
    assert own_cache.load_overload((), None) is None
    own_cache.save_overload(None, None)


def test_an_interrupted_compilation_does_not_keep_the_lock(own_cache):
    own_cache.load_overload((), None)                   # Ctrl-C here: nothing is saved
    own_cache.load_overload((), None)
    own_cache.save_overload(None, None)
    assert not own_cache._lock.is_locked


def test_the_lock_is_held_until_the_code_is_saved(own_cache):
    assert own_cache.load_overload((), None) is None
    assert own_cache._lock.is_locked
    own_cache.save_overload(None, None)
    assert not own_cache._lock.is_locked
