"""The command line, as a person uses it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import bits, is_picture, write_idx_files

from scratchvae import cli, labs
from scratchvae.models import VAE
from scratchvae.runs import make_run, open_run
from scratchvae.runs.lock import training_lock
from scratchvae.training.history import COLUMNS, History

QUICK = ["--epochs", "2", "--batch-size", "10", "--set", "intermediate_dim=16"]


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """The directory of a small run, trained once for all tests."""
    folder = tmp_path_factory.mktemp("trained")
    data = write_idx_files(folder / "data" / "mnist").parent
    options = ["--seed", "3", "--data-dir", str(data), "--out", str(folder / "a")]
    cli.cli.main(["train", "mnist-dense", *QUICK, *options], standalone_mode=False)
    return folder / "a"


@pytest.fixture
def trained(trained_once, tmp_path):
    """The directory of a small run, for the test alone."""
    return shutil.copytree(trained_once, tmp_path / "a")


def test_help_of_every_command(run):
    for command in (
        [],
        ["labs"],
        ["summary"],
        ["train"],
        ["evaluate"],
        ["score"],
        ["card"],
        ["demo"],
        ["sample"],
        ["reconstruct"],
        ["plot"],
        ["gradcheck"],
        ["trace"],
        ["bench"],
        ["data"],
        ["data", "list"],
        ["data", "fetch"],
        ["data", "verify"],
    ):
        code, output, _ = run(*command, "--help")
        assert code == 0 and output.startswith("Usage: scratchvae")


def test_labs(run):
    code, output, _ = run("labs")
    assert code == 0 and "mnist-dense" in output and "404,244" in output
    listed = json.loads(run("labs", "--json")[1])
    assert [lab["name"] for lab in listed] == list(labs.LABS) and listed[0]["parameters"] == 404_244
    assert {"name", "data", "parameters", "epochs", "batch_size", "settings", "references"} <= set(
        listed[0]
    )


def test_summary_is_the_sheet_s_table_row_by_row(run):
    _, output, _ = run("summary", "mnist-dense")
    rows = [line.split("  ") for line in output.splitlines() if "(None" in line]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells == [
        ["dense (Dense)", "(None, 256)", "200,960"],
        ["z_mean (Dense)", "(None, 2)", "514"],
        ["z_log_var (Dense)", "(None, 2)", "514"],
        ["dense (Dense)", "(None, 256)", "768"],
        ["dense_1 (Dense)", "(None, 784)", "201,488"],
    ]
    assert output.rstrip().endswith("Total: 404,244 parameters")


def test_a_run_directory_holds_what_it_should(trained, small_data, run):
    assert {path.name for path in trained.iterdir()} == {
        "config.json",
        "history.csv",
        "weights.npz",
        "checkpoint.npz",
        "figures",
        "report.html",
        "progress.json",
        ".lock",
    }
    assert {path.name for path in (trained / "figures").iterdir()} == {
        "loss_curves.png",
        "latent_scatter.png",
        "manifold.png",
        "reconstructions.png",
        "samples.png",
    }
    config = json.loads((trained / "config.json").read_text())
    assert (config["lab"], config["epochs"], config["batch_size"], config["seed"]) == (
        "mnist-dense",
        2,
        10,
        3,
    )
    assert config["settings"]["intermediate_dim"] == 16
    assert "other images than the published" in config["data"]
    header = (trained / "history.csv").read_text().splitlines()[0]
    assert (
        header
        == ",".join(COLUMNS)
        == "epoch,loss,reconstruction,kl,val_loss,val_reconstruction,val_kl,seconds,"
        "kl_weight,learning_rate,val_active_units"
    )
    history = History.read_csv(trained / "history.csv")
    assert history["epoch"] == [1, 2] and history["loss"][1] < history["loss"][0]
    vae = VAE.load(trained / "weights.npz")
    assert vae.sample(3).shape == (3, 784)


def test_every_output_says_that_a_subset_was_used(run, small_data, tmp_path):
    _, output, _ = run("train", "mnist-dense", *QUICK, "--data-dir", small_data)
    # At the start and beside the result.
    assert output.count("other images than the published MNIST") == 2
    for path in (
        "loss_curves.png",
        "latent_scatter.png",
        "manifold.png",
        "reconstructions.png",
        "samples.png",
        "history.csv",
        "weights.npz",
    ):
        assert path in output
    assert "other images than" in run("evaluate", "runs/mnist-dense", "--data-dir", small_data)[1]
    assert (
        "other images than"
        in json.loads((tmp_path / "runs/mnist-dense/evaluation.json").read_text())["data"]
    )


def test_runs_don_t_overwrite_each_other(run, trained, small_data, tmp_path):
    for name in ("mnist-dense", "mnist-dense-2"):
        assert run("train", "mnist-dense", *QUICK, "--data-dir", small_data)[0] == 0
        assert (tmp_path / "runs" / name / "weights.npz").exists()
    code, _, errors = run(
        "train", "mnist-dense", *QUICK, "--data-dir", small_data, "--out", trained
    )
    assert code == 1 and "holds a run already; resume it with --resume" in errors


@pytest.mark.usefixtures("coarse_figures")
def test_commands_on_a_run(run, trained):
    code, output, _ = run("evaluate", trained)
    measured = json.loads((trained / "evaluation.json").read_text())
    assert code == 0 and f"{measured['loss']:.4f}" in output
    assert measured["loss"] == History.read_csv(trained / "history.csv")["val_loss"][-1]
    for command, figure in (("sample", "samples"), ("reconstruct", "reconstructions")):
        (trained / "figures" / f"{figure}.png").unlink()
        code, output, _ = run(command, trained, "--count", 7)
        assert code == 0 and output.splitlines()[-1].endswith(f"{figure}.png")
        assert is_picture(trained / "figures" / f"{figure}.png")
    code, output, _ = run("plot", trained)
    assert code == 0 and output.count(".png") == 5


def test_same_seed_same_bits_whatever_the_threads(run, trained, small_data, tmp_path):
    run(
        "train",
        "mnist-dense",
        *QUICK,
        "--data-dir",
        small_data,
        "--out",
        tmp_path / "b",
        "--seed",
        3,
        "--threads",
        1,
    )
    assert bits(trained) == bits(tmp_path / "b")
    run(
        "train",
        "mnist-dense",
        *QUICK,
        "--data-dir",
        small_data,
        "--out",
        tmp_path / "c",
        "--seed",
        4,
    )
    assert bits(trained) != bits(tmp_path / "c")


def test_resume_extends_a_run_to_the_same_bits(run, trained, small_data, tmp_path):
    code, _, errors = run("train", "mnist-dense", "--resume", trained, "--epochs", 4)
    assert code == 0, errors
    run(
        "train",
        "mnist-dense",
        *QUICK,
        "--epochs",
        4,
        "--data-dir",
        small_data,
        "--out",
        tmp_path / "b",
        "--seed",
        3,
    )
    assert bits(trained) == bits(tmp_path / "b")


@pytest.mark.slow
def test_ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on(run, tmp_path):
    """In a process of its own, with real signals, in the middle of an epoch."""
    write_idx_files(tmp_path / "mnist", train=400)
    options = ["--batch-size", "2", "--seed", "1", "--data-dir", str(tmp_path), "--epochs", "3"]
    process = subprocess.Popen(
        [sys.executable, "-m", "scratchvae", "train", "mnist-dense", *options, "--out", "a"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "a" / "history.csv").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (
        process.returncode == 130
        and "Resume with:  scratchvae train mnist-dense --resume a" in errors
        and "Traceback" not in errors
    )
    assert len(History.read_csv(tmp_path / "a" / "history.csv")) < 3
    assert run("train", "mnist-dense", "--resume", "a")[0] == 0
    assert run("train", "mnist-dense", *options, "--out", "b")[0] == 0
    assert bits(tmp_path / "a") == bits(tmp_path / "b")


def test_a_start_that_fails_leaves_nothing_behind(run, small_data, tmp_path):
    for options in (["--threads", 4096], ["--set", "latent_dim=0"], ["--set", "learning_rate=-1"]):
        assert run(
            "train", "mnist-dense", *QUICK, "--data-dir", small_data, "--out", "a", *options
        )[0] in (1, 2)
        assert not (tmp_path / "a").exists()
    (small_data / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"?")
    assert run("train", "mnist-dense", *QUICK, "--data-dir", small_data, "--out", "a")[0] == 1
    assert not (tmp_path / "a").exists()


def test_a_run_is_trained_by_one_process_at_a_time(run, trained):
    with training_lock(trained):
        before = bits(trained)
        code, _, errors = run("train", "mnist-dense", "--resume", trained, "--epochs", 5)
        assert (
            code == 1
            and errors
            == f"Error: {trained}: is being trained by another process; "
            "wait until it ends, or stop it\n"
        )
        assert bits(trained) == before
        assert run("evaluate", trained)[0] == 0
        assert (
            'http-equiv="refresh"' in (trained / "report.html").read_text()
        )  # the page goes on to look for the next epoch
    assert run("evaluate", trained)[0] == 0
    assert 'http-equiv="refresh"' not in (trained / "report.html").read_text()
    assert run("train", "mnist-dense", "--resume", trained, "--epochs", 3)[0] == 0


def test_what_can_not_be_written_is_named(run, trained, small_data):
    shutil.rmtree(trained / "figures")
    (trained / "figures").write_text("in the way")
    page = trained / "weights.npz" / "page.html"
    for command, path, reason in (
        (
            ["trace", "mnist-dense", "--data-dir", small_data, "--batch-size", 2, "--html", page],
            page.parent,
            "File exists",
        ),
        (["explore", trained, "--out", page], page.parent, "File exists"),
        (["sample", trained], trained / "figures", "cannot be made: File exists"),
    ):
        code, _, errors = run(*command)
        assert (
            code == 1 and errors.startswith(f"Error: {path}: ") and errors.endswith(f"{reason}\n")
        ), errors


def test_a_refused_resume_leaves_the_run_as_it_was(run, trained, tmp_path):
    before = {path.name: path.read_bytes() for path in trained.iterdir() if path.is_file()}
    other = write_idx_files(tmp_path / "other" / "mnist", seed=9).parent
    for options, message in (
        (["--epochs", 5, "--data-dir", other], "was trained with data"),
        (["--epochs", 1], "has 2 epochs already"),
    ):
        code, _, errors = run("train", "mnist-dense", "--resume", trained, *options)
        assert code == 1 and message in errors
        assert {
            path.name: path.read_bytes() for path in trained.iterdir() if path.is_file()
        } == before


def test_a_finished_run_can_be_resumed_and_is_left_as_it_is(run, trained):
    before = bits(trained)
    assert run("train", "mnist-dense", "--resume", trained)[0] == 0
    assert bits(trained) == before


def test_resume_does_what_a_kill_after_the_checkpoint_left_undone(run, trained):
    before = bits(trained)
    history = (trained / "history.csv").read_text().splitlines(keepends=True)
    (trained / "history.csv").write_text("".join(history[:-1]))
    (trained / "weights.npz").unlink()
    assert run("train", "mnist-dense", "--resume", trained)[0] == 0
    assert bits(trained) == before


def test_outputs_say_what_a_limit_left_and_compare_only_what_is_comparable(
    run, small_data, tmp_path
):

    code, output, _ = run(
        "train", "mnist-dense", *QUICK, "--limit", 15, "--data-dir", small_data, "--out", "a"
    )
    assert code == 0 and "of these 15 and 15 used" in output.splitlines()[-9]
    a = open_run("a")
    assert "of these 15 and 15 used" in a.note and a.references == ()
    own = {
        **a.config,
        "settings": a.lab.settings,
        "batch_size": 100,
        "limit": None,
        "complete": True,
    }
    assert make_run("a", own).references == a.lab.references
    for change in (
        {"complete": False},
        {"limit": 10},
        {"batch_size": 10},
        {"settings": {**a.lab.settings, "kl_weight": 2.0}},
    ):
        assert make_run("a", {**own, **change}).references == ()


@pytest.mark.parametrize("latent_dim, figures", [(1, 3), (3, 4)])
def test_other_latent_dimensions(run, small_data, latent_dim, figures):
    code, output, errors = run(
        "train",
        "mnist-dense",
        *QUICK,
        "--set",
        f"latent_dim={latent_dim}",
        "--data-dir",
        small_data,
        "--out",
        "a",
    )
    assert code == 0 and output.count(".png") == figures, errors


def test_limits_and_batches_larger_than_the_data(run, small_data):
    code, _, errors = run(
        "train",
        "mnist-dense",
        "--epochs",
        1,
        "--limit",
        9999,
        "--batch-size",
        9999,
        "--data-dir",
        small_data,
    )
    assert code == 0, errors


def test_a_run_can_be_used_from_another_folder_and_without_its_data(
    run, small_data, tmp_path, monkeypatch
):
    import shutil

    assert run("train", "mnist-dense", *QUICK, "--data-dir", "data", "--out", "a")[0] == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("evaluate", "../a")[0] == 0
    shutil.rmtree(small_data)
    assert run("sample", "../a")[0] == 0
    code, _, errors = run("evaluate", "../a")
    assert code == 1 and "no MNIST there" in errors


@pytest.mark.slow
def test_gradcheck_of_a_lab(run, monkeypatch):
    monkeypatch.setitem(labs.LABS["mnist-dense"].small_settings, "intermediate_dim", 2)
    code, output, _ = run("gradcheck", "mnist-dense")
    assert (
        code == 0
        and "all gradients are right" in output
        and "decoder/dense_1/kernel" in output
        and "2 x 784" in output
    )


def test_gradcheck_fails_on_a_wrong_gradient(run, monkeypatch):
    from scratchvae import kernels
    from scratchvae.gradcheck import suite as gradcheck_suite
    from scratchvae.layers import Activation

    monkeypatch.setattr(gradcheck_suite, "layer_cases", lambda: [(Activation("tanh"), (3,))])
    monkeypatch.setattr(gradcheck_suite, "model_cases", lambda backend: [])
    monkeypatch.setattr(labs, "LABS", {})
    assert run("gradcheck")[0] == 0
    reference = kernels.load("reference")
    monkeypatch.setattr(
        reference,
        "activation_backward",
        lambda dout, y, dx, activation: np.multiply(dout, 1 - y, out=dx),
    )
    code, output, _ = run("gradcheck", "--backend", "reference")
    assert code == 1 and "WRONG" in output


def test_bench_measures_and_writes_json(run, small_data, tmp_path, monkeypatch):
    from scratchvae.analysis import bench

    monkeypatch.setattr(bench, "SECONDS", 0.02)
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)
    write_idx_files(small_data / "mnist", train=200)
    code, output, errors = run(
        "bench",
        "mnist-dense",
        "--rounds",
        2,
        "--json",
        tmp_path / "b.json",
        "--data-dir",
        small_data,
    )
    assert code == 0, errors
    (result,) = json.loads((tmp_path / "b.json").read_text())
    assert result["mflop_a_step"] == pytest.approx(201.6256) and result["sgemm_gflops"] > 1
    ((name, row),) = result["frameworks"].items()
    assert name.startswith("scratchvae") and row["ratio"] == 1 and len(row["rounds_ms"]) == 2
    assert "PyTorch is not installed" in output and "sgemm peak" in output


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (
            ["train", "mnist"],
            2,
            "Invalid value for 'LAB': 'mnist' is not one of 'mnist-dense', 'fashion-autoencoder'",
        ),
        (["train", "mnist-dense", "--epochs", "0"], 2, "0 is not in the range x>=1"),
        (["train", "mnist-dense", "--epochs", "x"], 2, "'x' is not a valid integer"),
        (["train", "mnist-dense", "--backend", "gpu"], 2, "unknown backend 'gpu'; allowed: cpu"),
        (["train", "mnist-dense", "--set", "kl_weight"], 2, "expected name=value, got 'kl_weight'"),
        (
            ["train", "mnist-dense", "--set", "beta=2"],
            2,
            "has no setting 'beta'; allowed: intermediate_dim=256, latent_dim=2",
        ),
        (
            ["train", "mnist-dense", "--set", "latent_dim=two"],
            2,
            "setting latent_dim: expected an integer, got 'two'; the default is 2",
        ),
        (
            ["train", "mnist-dense", "--set", "kl_schedule=sudden"],
            2,
            "kl_schedule must be one of constant, linear, cyclical, got 'sudden'",
        ),
        (
            ["train", "mnist-dense", "--set", "kl_weight=-1"],
            2,
            "kl_weight must be a number of at least 0, got -1.0",
        ),
        (["train", "mnist-dense", "--data-dir", "nowhere"], 2, "'nowhere' does not exist"),
        (["train", "mnist-dense", "--resume", "nowhere"], 2, "'nowhere' does not exist"),
        (
            ["train", "mnist-dense", "--resume", "."],
            1,
            "not a run directory (config.json is missing)",
        ),
        (
            ["train", "mnist-dense", "--threads", "4096", "--data-dir", "data"],
            1,
            "threads: 4096 is out of range; allowed: 1 to",
        ),
        (["evaluate", "nowhere"], 1, "nowhere: not a run directory"),
        (
            ["bench", "--against", "theano", "--data-dir", "data"],
            1,
            "unknown framework 'theano'; allowed: torch, tensorflow, jax",
        ),
        (["data", "fetch", "cifar"], 2, "'cifar' is not one of 'mnist', 'fashion-mnist'"),
        (["train", "mnist-dense", "--out", ""], 2, "'' cannot be a directory"),
        (["polish"], 2, "No such command 'polish'"),
    ],
)
def test_wrong_use_gets_one_clear_line_and_the_right_exit_code(
    run, small_data, arguments, code, message
):
    got, _, errors = run(*arguments)
    assert got == code and message in " ".join(errors.split()), errors
    assert "Traceback" not in errors


def test_resume_keeps_the_run_s_settings(run, trained):
    code, _, errors = run(
        "train", "mnist-dense", "--resume", trained, "--batch-size", 5, "--seed", 1
    )
    assert code == 2 and "--batch-size, --seed cannot be changed" in errors


@pytest.mark.parametrize(
    "file, content, message",
    [
        ("weights.npz", b"PK", "weights.npz: damaged, truncated, or not a file of scratchvae"),
        ("weights.npz", b"\x93NUMPY\x01\x00", "weights.npz: damaged"),
        ("config.json", b"{", "config.json: damaged"),
        ("config.json", b"[]", "config.json: damaged (missing: "),
        ("config.json", b'{"lab": "mnist-dense"}', "config.json: damaged (missing: "),
        ("history.csv", b"", "history.csv: damaged"),
        ("history.csv", b"epoch,loss\nx,y\n", "history.csv: damaged"),
        (
            "history.csv",
            None,
            "history.csv: not found; the first epoch is not complete yet",
        ),
    ],
)
def test_a_damaged_run_is_recognised(run, trained, file, content, message):
    (trained / file).unlink()
    if content is not None:
        (trained / file).write_bytes(content)
    code, _, errors = run("plot", trained)
    assert code == 1 and message in errors


def test_debug_shows_where(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["scratchvae", "--debug", "evaluate", "nowhere"])
    with pytest.raises(Exception, match="not a run directory"):
        cli.main()


def test_data_commands(run, small_data, tmp_path):
    code, output, _ = run("data", "list")
    assert code == 0 and "mnist: MNIST (CC BY-SA 3.0" in output and "fashion-mnist" in output
    code, output, _ = run("data", "verify", "mnist", "--data-dir", small_data)
    assert code == 0 and "not the whole published set" in output
    (small_data / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"?")
    code, _, errors = run("data", "verify", "mnist", "--data-dir", small_data)
    assert code == 1 and "t10k-labels-idx1-ubyte.gz: not an IDX file" in errors


def test_the_program_starts_without_loading_what_it_does_not_need():
    """matplotlib, scipy and pooch take seconds to import: training must not wait for them."""
    code = (
        "import sys, scratchvae.cli, scratchvae.runs.run, scratchvae.models; "
        "heavy = ('matplotlib', 'scipy', 'pooch', 'requests', 'rich'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert result.stdout.strip() == "[]"


def test_another_package_named_kernels_does_not_matter(tmp_path):
    (tmp_path / "kernels.py").write_text("")
    code = (f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
            "import kernels, scratchvae.models; print(kernels.__file__)")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == str(tmp_path / "kernels.py"), result.stderr


@pytest.mark.slow
def test_the_cache_is_shown_and_cleared(run, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "compiled"))
    code = ("import numpy; from scratchvae import kernels; x = numpy.ones(2); "
            "kernels.load('cpu').activation_forward(x, x, 'relu')")
    subprocess.run([sys.executable, "-c", code], check=True)
    code, output, errors = run("cache")
    assert code == 0, errors
    kernels_line, data_line, classifiers_line, tokens_line = output.splitlines()
    assert kernels_line.endswith(str(tmp_path / "compiled" / "scratchvae" / "kernels"))
    assert float(kernels_line.split()[1]) > 0
    assert data_line.startswith("data ")
    assert classifiers_line.startswith("classifiers ")
    assert tokens_line.startswith("tokens ")
    code, output, errors = run("cache", "clear", "kernels")
    assert output.startswith("deleted ") and not list((tmp_path / "compiled").rglob("*.nbc"))
