"""Nothing of the user's is lost: what a run writes, removes, and finds in its way."""
import errno
import fcntl
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import write_idx_files
from PIL import Image

from scratchvae import cli, labs, storage
from scratchvae.runs import create_run, new_config
from scratchvae.runs.lock import training_lock

SMALL = ("--epochs", 1, "--batch-size", 20, "--set", "intermediate_dim=4")
TRAIN = ("train", "mnist-dense", "--data-dir", "data", *SMALL)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with data, and a run that was trained on them."""
    folder = tmp_path_factory.mktemp("finished")
    write_idx_files(folder / "data" / "mnist")
    subprocess.run([sys.executable, "-m", "scratchvae", *map(str, TRAIN), "--out", "a"],
                   cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def trained(finished, tmp_path):
    """A copy of the run, beside the data."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return tmp_path / "a"


@pytest.fixture
def data(tmp_path):
    return write_idx_files(tmp_path / "data" / "mnist").parent


def contents(folder):
    """path -> content of all files in a folder."""
    return {path.relative_to(folder): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def fail_for(monkeypatch, name, ending, error):
    """Let a function of os raise an error for paths that end so."""
    original = getattr(os, name)

    def call(*arguments, **options):
        if any(str(argument).endswith(ending) for argument in arguments):
            raise OSError(error, os.strerror(error))
        return original(*arguments, **options)
    monkeypatch.setattr(os, name, call)


# Where a run may begin.

def test_a_run_never_begins_among_the_user_s_files(run, data, tmp_path):
    project = tmp_path / "project"
    (project / "figures").mkdir(parents=True)
    for name in ("figures/my_plot.png", "report.html", "weights.npz"):
        (project / name).write_text("mine")
    before = contents(project)
    code, _, errors = run(*TRAIN, "--out", project)
    assert code == 1
    assert errors == (f"Error: {project}: is not empty (it holds figures, report.html, "
                      "weights.npz); choose a new or empty directory for the run\n")
    assert contents(project) == before


def test_an_empty_folder_will_do(run, data, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run(*TRAIN, "--out", tmp_path / "empty")[0] == 0


def test_runs_that_begin_at_once_get_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab = labs.get("mnist-dense")
    with ThreadPoolExecutor(8) as threads:
        runs = threads.map(lambda seed: create_run(None, new_config(lab, seed=seed)), range(40))
    assert len({made.folder for made in runs}) == 40


def test_folders_of_runs_that_were_killed_before_they_began_are_used_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab = labs.get("mnist-dense")
    left = [tmp_path / "runs" / name for name in ("mnist-dense", "mnist-dense-2")]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / ".lock").write_text("")
    (left[1] / "notes.txt").write_text("mine")
    with ThreadPoolExecutor(8) as threads:
        runs = threads.map(lambda seed: create_run(None, new_config(lab, seed=seed)), range(40))
    folders = {made.folder.resolve() for made in runs}
    assert len(folders) == 40
    assert left[0] in folders and left[1] not in folders


def test_a_run_that_loads_its_data_keeps_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab = labs.get("mnist-dense")
    loading = create_run(None, new_config(lab))
    with training_lock(loading.folder):
        assert create_run(None, new_config(lab)).folder.name == "mnist-dense-2"
    assert create_run(None, new_config(lab)).folder == loading.folder


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_loads_leaves_its_folder_to_the_next(run, data, tmp_path):
    code = ("import os; from scratchvae import cli; from scratchvae.data import images;"
            "images.locate = lambda *_: os.kill(os.getpid(), 9); cli.main()")
    killed = subprocess.run([sys.executable, "-c", code, *map(str, TRAIN)], cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    assert contents(tmp_path / "runs" / "mnist-dense").keys() == {Path(".lock")}
    code, _, errors = run(*TRAIN)
    assert code == 0, errors
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mnist-dense"]


def test_a_run_that_cannot_begin_leaves_no_folder(run, tmp_path):
    code, _, errors = run("train", "mnist-dense", "--out", "a", "--data-dir", tmp_path)
    assert code == 1 and "no MNIST there" in errors
    assert not (tmp_path / "a").exists()


@pytest.mark.slow
def test_a_resumed_run_removes_only_its_own_figures(run, trained):
    own = trained / "figures" / "loss_curves.png"
    stale = trained / "figures" / "samples.png"
    mine = trained / "figures" / "my_plot.png"
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(mine)
    copied = trained / "figures" / "copy of samples.png"
    shutil.copy(stale, copied)
    before = own.read_bytes()
    code, output, errors = run("train", "mnist-dense", "--resume", trained, "--epochs", 2)
    assert code == 0, errors
    assert own.read_bytes() != before
    assert mine.exists() and copied.exists()


# Before the first checkpoint.

@pytest.mark.slow
def test_a_run_that_was_stopped_before_its_first_checkpoint_can_be_resumed(
        run, trained, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        fail_for(patched, "replace", "checkpoint.npz", errno.ENOSPC)
        code, _, errors = run(*TRAIN, "--out", "b")
    assert code == 1 and errors == (f"Error: b{os.sep}checkpoint.npz: cannot be written: "
                                    "No space left on device\n")
    code, output, errors = run("train", "mnist-dense", "--resume", "b")
    assert code == 0, errors
    assert (tmp_path / "b" / "weights.npz").read_bytes() == (trained / "weights.npz").read_bytes()


# Side products are no conditions, the checkpoint is.

@pytest.mark.parametrize("name", ["report.html", "progress.json", "history.csv"])
def test_a_side_product_that_is_held_by_another_program(run, data, tmp_path, monkeypatch, name):
    monkeypatch.setattr(storage, "PAUSES", (0.0,))
    fail_for(monkeypatch, "replace", name, errno.EACCES)
    command = run(*TRAIN, "--out", "a")
    assert (tmp_path / "a" / "checkpoint.npz").exists()
    assert (tmp_path / "a" / "weights.npz").exists()
    assert command[1].count(f"{name}: cannot be written: Permission denied; everything else") == 1
    assert not list(tmp_path.rglob("*.part"))


def test_a_file_that_is_held_for_a_moment_is_tried_again(tmp_path, monkeypatch):
    original = os.replace
    held = [True, True]

    def replace(*paths):
        if held and held.pop():
            raise PermissionError(errno.EACCES, "held")
        original(*paths)
    monkeypatch.setattr(os, "replace", replace)
    storage.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("name, error", [("fsync", errno.EINVAL), ("chmod", errno.EPERM)])
def test_file_systems_that_lack_a_function(tmp_path, monkeypatch, name, error):
    fail_for(monkeypatch, name, "", error)
    storage.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_full_disk_is_not_passed_over(tmp_path, monkeypatch):
    storage.write_text(tmp_path / "a.txt", "old")
    fail_for(monkeypatch, "fsync", "", errno.ENOSPC)
    with pytest.raises(storage.Unwritable, match="a.txt: cannot be written: No space left"):
        storage.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(run, data, monkeypatch, error):
    def flock(*_):
        raise OSError(error, os.strerror(error))
    monkeypatch.setattr(fcntl, "flock", flock)
    code, output, errors = run(*TRAIN, "--out", "a")
    assert code == 0, errors
    assert "note: a: the file system has no locks" in output


@pytest.mark.parametrize("name", ["report.html", "evaluation.json"])
def test_a_run_that_cannot_be_written_is_evaluated(run, trained, monkeypatch, name):
    monkeypatch.setattr(storage, "PAUSES", ())
    fail_for(monkeypatch, "replace", name, errno.EROFS)
    code, output, errors = run("evaluate", trained)
    assert code == 0, errors
    assert "reconstruction" in output and "Read-only file system; everything else" in output


# The data of the training, and others.

def test_a_run_says_when_other_data_are_used(run, trained, tmp_path):
    assert "note: these are not the data" not in run("plot", trained)[1]
    other = write_idx_files(tmp_path / "other" / "mnist", seed=5).parent
    code, output, errors = run("plot", trained, "--data-dir", other)
    assert code == 0, errors
    assert "note: these are not the data of the training, other images" in output
    code, output, errors = run("evaluate", trained, "--data-dir", other)
    assert str(other) in (trained / "evaluation.json").read_text()


# What killed processes leave.

def test_parts_of_killed_processes_are_swept(run, trained):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = trained / "mine.part"
    mine.write_text("")
    living = trained / f"weights.npz.{storage._HOST}-{os.getpid()}-x1.part"
    living.write_text("")
    dead = [folder / f"file.{storage._HOST}-{ended.pid}-x2.part"
            for folder in (trained, trained / "figures")]
    for path in dead:
        path.write_text("")
    assert run("evaluate", trained)[0] == 0
    assert mine.exists() and living.exists()
    assert not any(path.exists() for path in dead)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1", "SIGTERM"])
def test_a_signal_to_stop_leaves_a_checkpoint(data, tmp_path, name):
    command = [sys.executable, "-m", "scratchvae", *map(str, TRAIN), "--out", "a",
               "--epochs", "1000000"]
    # The tests themselves may run under nohup.
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(getattr(signal, name), signal.SIG_DFL))
    while not (tmp_path / "a" / "history.csv").exists():
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Resume with:  scratchvae train mnist-dense --resume a" in errors
    assert 'http-equiv="refresh"' not in (tmp_path / "a" / "report.html").read_text()


def test_under_nohup_a_hangup_is_ignored(data, tmp_path):
    code = ("import signal; from scratchvae.training.interrupts import raise_at_signals;"
            "raise_at_signals(); signal.raise_signal(signal.SIGHUP); print('goes on')")
    result = subprocess.run(["nohup", sys.executable, "-c", code], capture_output=True, text=True,
                            cwd=tmp_path)
    assert result.stdout == "goes on\n", result.stderr


def test_a_resume_on_another_processor_says_that_bits_may_differ(run, trained):
    config = (trained / "config.json").read_text()
    assert '"llvm"' in config and '"processor"' in config
    (trained / "config.json").write_text(config.replace('"numba": "', '"numba": "0.1, not '))
    code, output, errors = run("train", "mnist-dense", "--resume", trained, "--epochs", 2)
    assert code == 0, errors
    assert output.count("note: the run began with ") == 1
    assert "numba 0.1, not" in output and "its bits may differ" in output


# What is printed.

@pytest.mark.parametrize("name", ["my run", "it's", "$(touch x)", "-a", "Wörter"])
def test_commands_that_are_printed_can_be_pasted(run, data, tmp_path, monkeypatch, name):
    with monkeypatch.context() as patched:
        fail_for(patched, "replace", "checkpoint.npz", errno.ENOSPC)
        run(*TRAIN, "--out", f"./{name}")
    code, _, errors = run(*TRAIN, "--out", f"./{name}")
    option = errors.partition("--resume ")[2].partition(", or choose")[0]
    command = f"train mnist-dense --resume {option}"
    arguments = subprocess.run(rf"printf '%s\n' {command}", shell=True, cwd=tmp_path,
                               capture_output=True, text=True).stdout.splitlines()
    code, _, errors = run(*arguments)
    assert code == 0, errors
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["data", name])


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_output_that_is_not_utf_8_is_never_an_error(data, tmp_path, monkeypatch, encoding):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").rename(tmp_path / "δεδομένα")
    for arguments in (["labs"], ["summary", "mnist-dense"],
                      ["data", "verify", "mnist", "--data-dir", "δεδομένα"]):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        monkeypatch.setattr(sys, "argv", ["scratchvae", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        for stream in streams:
            stream.flush()
        printed, errors = (stream.buffer.getvalue() for stream in streams)
        assert not ended.value.code and printed, errors
    assert (tmp_path / "δεδομένα").exists()


# Going on.

def test_from_begins_a_new_run_with_the_weights_of_another(run, trained, tmp_path):
    code, output, errors = run(*TRAIN, "--out", "b", "--from", trained,
                               "--set", "learning_rate=1e-30")
    assert code == 0, errors
    with np.load(trained / "weights.npz") as old, np.load(tmp_path / "b" / "weights.npz") as new:
        for name in set(old.files) - {"description.json"}:
            np.testing.assert_array_equal(old[name], new[name])
    assert (tmp_path / "b" / "history.csv").read_text().splitlines()[1].startswith("1,")
    write_idx_files(tmp_path / "data" / "fashion-mnist")
    code, _, errors = run("train", "fashion-conv", "--from", trained, "--data-dir", "data")
    assert code == 1 and errors == (f"Error: --from {trained}: is a run of mnist-dense, "
                                    "not of fashion-conv\n")
    assert not (tmp_path / "runs" / "fashion-conv").exists()
