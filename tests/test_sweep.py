"""Sweeps of runs, and the page that compares runs."""
import csv
import html
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from xml.etree import ElementTree

import pytest
from browser import brightness, emulate, open_page, requests_of
from helpers import bits, write_play

from scratchvae import charts, labs
from scratchvae.analysis.compare import Comparison
from scratchvae.analysis.compare.groups import with_spread
from scratchvae.errors import ScratchVAEError
from scratchvae.runs import open_run
from scratchvae.runs.lock import training_lock
from scratchvae.sweeps import Plan, Processes, SweepFolder, make_plan

SMALL = ["--batch-size", "10", "--set", "intermediate_dim=8"]
LAB = labs.LABS["mnist-dense"]


def read_csv(path):
    """Return the rows of a CSV file as dicts."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def text_of(path):
    """Return the text of a page, without its tags and with single spaces."""
    source = re.sub(r"<style>.*?</style>", "", path.read_text(encoding="utf-8"), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", source)).split())


# The plan.

def test_a_plan_has_a_run_for_each_choice_and_seed():
    plan = make_plan(LAB, [("kl_weight", "0.5, 1"), ("latent_dim", "8"),
                           ("intermediate_dim", "3,4")],
                     seeds=2, options={"epochs": 3, "text": None})
    points = plan.points()
    assert [point.name for point in points[:4]] == [
        "kl_weight=0.5,intermediate_dim=3,seed=0", "kl_weight=0.5,intermediate_dim=4,seed=0",
        "kl_weight=1,intermediate_dim=3,seed=0", "kl_weight=1,intermediate_dim=4,seed=0"]
    assert len({point.name for point in points}) == 8
    assert plan.train_words(points[-1]) == [
        "--seed", 1, "--epochs", 3, "--set", "kl_weight=1", "--set", "latent_dim=8",
        "--set", "intermediate_dim=4"]
    own = make_plan(LAB, [], options={"images": "/i", "size": [8, 9], "grey": True})
    assert own.train_words(own.points()[0]) == ["--seed", 0, "--images", "/i", "--size", "8x9",
                                                "--grey"]
    assert [point.name for point in make_plan(LAB, [], seeds=2).points()] == ["seed=0", "seed=1"]


def test_a_random_plan_draws_without_repetition_and_always_the_same():
    lists = [("latent_dim", ",".join(map(str, range(1, 1001)))),
             ("kl_weight", ",".join(map(str, range(1000))))]
    plan = make_plan(LAB, lists, random=9)
    assert len({point.name for point in plan.points()}) == 9
    assert plan.points() == make_plan(LAB, lists, random=9).points()
    whole = make_plan(LAB, [("latent_dim", "2,3,4")], random=3)
    assert whole.choices() == make_plan(LAB, [("latent_dim", "2,3,4")]).choices()


@pytest.mark.parametrize("options, message", [
    (["--set", "kl_wait=1,2"], "mnist-dense has no setting 'kl_wait'; allowed: "),
    (["--set", "latent_dim=2,two"], "setting latent_dim: expected an integer, got 'two'"),
    (["--set", "latent_dim=2,"], "setting latent_dim: expected an integer, got ''"),
    (["--set", "latent_dim=2,0"], "latent_dim must be a positive integer, got 0"),
    (["--set", "kl_weight=1,4,1.0"], "kl_weight=1 and kl_weight=1.0 are the same settings"),
    (["--set", "kl_weight=1", "--set", "kl_weight=4"], "put commas between its values: "
                                                       "kl_weight=1,4"),
    (["--set", "kl_weight=1,4", "--random", 3], "the grid has 2 choices of settings, got 3"),
    (["--text", __file__], "mnist-dense learns from images"),
    (["--grey"], "--grey belongs to images of your own"),
])
def test_what_is_wrong_is_refused_before_anything_starts(options, message, run, tmp_path):
    code, _, errors = run("sweep", "mnist-dense", *options)
    assert code == 2
    assert message in errors
    assert not (tmp_path / "sweeps").exists()


def test_a_folder_holds_one_sweep(tmp_path):
    plan = Plan("mnist-dense", {"latent_dim": ["2", "3"]}, seeds=2)
    folder = SweepFolder(tmp_path / "a", plan)
    folder.finish(plan.points()[1])
    assert SweepFolder(tmp_path / "a", plan).left() == plan.points()    # it has no run
    (tmp_path / "a" / plan.points()[1].name).mkdir()
    (tmp_path / "a" / plan.points()[1].name / "history.csv").write_text("epoch,loss\n1,2\n2,1\n")
    again = SweepFolder(tmp_path / "a", plan)
    assert again.left() == [plan.points()[0], *plan.points()[2:]]
    assert [again.epochs(point) for point in plan.points()] == [0, 2, 0, 0]
    with pytest.raises(ScratchVAEError, match="another sweep: seeds is 2 there and 3 here"):
        SweepFolder(tmp_path / "a", replace(plan, seeds=3))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").write_text("")
    with pytest.raises(ScratchVAEError, match="is not empty"):
        SweepFolder(tmp_path / "b", plan)
    (tmp_path / "a" / "sweep.json").write_text('{"plan": 3}')
    with pytest.raises(ScratchVAEError, match="damaged"):
        SweepFolder(tmp_path / "a", plan)


# The processes, and the jobs of a scheduler.

needs_submitit = pytest.mark.skipif(find_spec("submitit") is None, reason="needs submitit")
HOW = [(), pytest.param(("--launcher", "local"), marks=needs_submitit)]


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_a_run_that_fails_does_not_stop_the_others(how, run, small_data, tmp_path):
    command = ["sweep", "mnist-dense", "--set", "learning_rate=1e30,0.001", "--jobs", 2, *how,
               "--epochs", 1, "--data-dir", small_data, *SMALL]
    code, output, errors = run(*command)
    folder = tmp_path / "sweeps" / "mnist-dense"
    good = folder / "learning_rate=0.001,seed=0"
    log = "sweeps/mnist-dense/logs/learning_rate=1e30,seed=0.log"
    assert code == 1
    assert re.search(rf"1 run failed:\n  learning_rate=1e30,seed=0: Error: .*\n    {log}\n"
                     r"try them again with:  scratchvae sweep mnist-dense --set "
                     r"learning_rate=1e30,0.001 --set intermediate_dim=8 ", errors), errors
    assert f"{good.name}: finished" in output
    assert "Error: " in (tmp_path / log).read_text()
    assert (good / "figures" / "samples.png").exists()
    assert read_csv(folder / "results.csv")[0]["run"] == f"sweeps/mnist-dense/{good.name}"
    assert "learning_rate" in text_of(folder / "compare.html")
    # The same bits as those of `train`.
    config = open_run(good).config
    assert (config["epochs"], config["batch_size"], config["seed"]) == (1, 10, 0)
    assert run("train", "mnist-dense", "--epochs", 1, "--data-dir", small_data, *SMALL,
               "--out", "alone")[0] == 0
    assert bits(good) == bits(tmp_path / "alone")


@needs_submitit
@pytest.mark.skipif(shutil.which("srun") is not None, reason="SLURM is here")
def test_a_scheduler_that_is_not_here_is_named(run, small_data):
    code, _, errors = run("sweep", "mnist-dense", "--launcher", "slurm", "--data-dir", small_data)
    assert code == 1
    assert errors.startswith("Error: --launcher slurm: ") and "srun" in errors


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_ctrl_c_stops_all_runs_and_the_same_command_goes_on(how, run, small_data, tmp_path):
    """In a process of its own, with real signals, in the middle of a run."""
    options = ["sweep", "mnist-dense", "--set", "latent_dim=2", "--seeds", "2", "--jobs", "1",
               *how, "--out", "s", "--data-dir", str(small_data), *SMALL, "--epochs"]
    process = subprocess.Popen([sys.executable, "-m", "scratchvae", *options, "4000"],
                               cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    first = tmp_path / "s" / "seed=0"
    while not (first / "history.csv").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "Go on with:  scratchvae sweep mnist-dense --set latent_dim=2 " in errors
    assert "Resume with:" in (tmp_path / "s" / "logs" / "seed=0.log").read_text()
    assert not open_run(first).is_trained
    assert not (tmp_path / "s" / "seed=1").exists()
    assert (tmp_path / "s" / "jobs").exists() == bool(how)

    # As if the command had asked for a few epochs more than are done.
    epochs = len(open_run(first).history) + 1
    for path in (first / "config.json", tmp_path / "s" / "sweep.json"):
        path.write_text(path.read_text().replace('"epochs": 4000', f'"epochs": {epochs}'))
    code, output, errors = run(*options, epochs)
    assert code == 0, errors
    assert "0 of them finished" in output
    histories = [open_run(tmp_path / "s" / f"seed={seed}").history for seed in (0, 1)]
    assert [len(history) for history in histories] == [epochs, epochs]
    code, output, _ = run(*options, epochs)
    assert code == 0
    assert "2 of them finished" in output


def test_a_run_that_another_process_still_trains_is_waited_for(tmp_path):
    """A sweep that was killed leaves such processes."""
    plan = Plan("mnist-dense", {"latent_dim": ["2"]})
    processes = Processes(SweepFolder(tmp_path, plan), jobs=2)
    with training_lock(tmp_path / plan.points()[0].name):
        assert next(processes.train(plan.points())) == []
        assert not processes.running


# The comparison.

@pytest.fixture
def trained(run, small_data, monkeypatch):
    """Train a small mnist-dense with two figures: trained(folder, *options)."""
    figures = (lambda run: [run.draw_samples(4), run.draw_reconstructions(4)],)
    reduced = replace(LAB, figures=figures)
    monkeypatch.setitem(labs.LABS, "mnist-dense", reduced)

    def train(folder, *options):
        code, _, errors = run("train", "mnist-dense", "--out", folder, "--data-dir", small_data,
                              *SMALL, *options)
        assert code == 0, errors
    return train


def test_runs_are_compared_over_seeds(trained, run, tmp_path):
    for weight in (1, 4):
        for seed in (0, 1, 2):
            trained(f"runs/{weight}-{seed}", "--seed", seed, "--set", f"kl_weight={weight}",
                    "--epochs", 3)
    run("evaluate", "runs/4-1")
    shutil.rmtree("runs/1-2/figures")
    code, output, errors = run("compare", "runs", "runs/4-1", "--csv", "table.csv")
    assert code == 0, errors
    assert output.endswith("compare.html\ntable.csv\n")
    rows = read_csv("table.csv")
    assert len(rows) == 6
    assert list(rows[0])[:8] == ["run", "state", "kl_weight", "seed", "epoch", "val_loss",
                                 "val_loss_mean", "val_loss_std"]
    losses = [float(row["val_loss"]) for row in rows if row["kl_weight"] == "4.0"]
    mean = sum(losses) / 3
    std = (sum((loss - mean) ** 2 for loss in losses) / 2) ** 0.5
    for row in rows:
        if row["kl_weight"] == "4.0":
            assert float(row["val_loss_mean"]) == pytest.approx(mean)
            assert float(row["val_loss_std"]) == pytest.approx(std)
    assert [row["test_loss"] != "" for row in rows].count(True) == 1
    text = text_of(tmp_path / "compare.html")
    assert "mnist-dense: 6 runs" in text
    assert f"4.0 3 {with_spread(mean, std)}" in text
    assert "The loss depends on kl_weight itself" in text
    assert "Smallest" not in text
    assert "intermediate_dim 8" in text                 # what all have in common
    page = (tmp_path / "compare.html").read_text()
    assert page.count("<img ") == 2 * 2                 # figures of each group
    assert page.count("<polygon ") == 6 * 2


def test_curves_and_bands_are_those_of_the_histories(trained):
    for seed in (0, 1):
        trained(f"a{seed}", "--seed", seed, "--epochs", 3)
    group, = Comparison(["a0", "a1"]).groups
    assert group.label == "mnist-dense"
    epochs, means, lows, highs = group.curve("val_loss")
    pairs = list(zip(*(open_run(folder).history["val_loss"] for folder in ("a0", "a1"))))
    assert epochs == [1, 2, 3]
    assert means == pytest.approx([sum(pair) / 2 for pair in pairs])
    assert (lows, highs) == ([min(pair) for pair in pairs], [max(pair) for pair in pairs])


def test_a_run_that_is_not_complete_does_not_count_beside_complete_ones(trained, tmp_path):
    for seed in (0, 1, 2):
        trained(f"a{seed}", "--seed", seed, "--epochs", 2)
    history = tmp_path / "a1" / "history.csv"
    history.write_text("\n".join(history.read_text().splitlines()[:2]) + "\n")
    (tmp_path / "a2" / "history.csv").unlink()
    comparison = Comparison(["a0", "a1", "a2"])
    group, = comparison.groups
    assert group.count == "1 of 3"
    assert [entry.state for entry in group.entries] == ["complete", "1 of 2 epochs",
                                                        "0 of 2 epochs"]
    assert group.mean("val_loss") == open_run("a0").history["val_loss"][-1]
    assert group.label == "mnist-dense"         # nothing differs but the seed


def test_runs_of_different_labs_are_compared(trained, run, tmp_path):
    trained("images", "--epochs", 1)
    play = write_play(tmp_path / "play.txt")
    code, _, errors = run("train", "shakespeare-vae", "--text", play, "--out", "lines",
                          "--epochs", 2, "--batch-size", 8, "--set", "units=4",
                          "--set", "embedding_dim=4", "--set", "latent_dim=3",
                          "--set", "min_count=1")
    assert code == 0, errors
    assert run("compare", "images", "lines", "--out", "both.html")[0] == 0
    text = text_of(tmp_path / "both.html")
    assert "mnist-dense, shakespeare-vae: 2 runs" in text
    assert "The losses have different units (nats an image; " in text
    assert "Settings that differ images lines lab mnist-dense shakespeare-vae" in text
    assert "embedding_dim – 4 " in text


def test_what_is_no_run_is_refused(run, tmp_path):
    code, _, errors = run("compare", tmp_path)
    assert code == 1
    assert "neither a run directory (config.json is missing) nor a directory with runs" in errors


@pytest.mark.parametrize("mean, deviation, text", [
    (237.117, 1.965, "237.1 ± 2.0"),
    (249.5, 17.2, "250 ± 17"),
    (0.12345, 0.00012, "0.12345 ± 0.00012"),
    (2.0, 0.0, "2 ± 0"),
    (115.3, None, "115.30"),
    (2.0, None, "2"),
])
def test_spreads_have_two_digits(mean, deviation, text):
    assert with_spread(mean, deviation) == text


def test_a_band_lies_between_its_curves():
    svg = ElementTree.fromstring(charts.chart("l", "", [("a", "a", [1, 2], [2.0, 2.0])],
                                              bands=[("a", [1, 2], [1.0, 1.5], [4.0, 3.0])]))
    assert [child.tag for child in svg].index("polygon") < [
        child.tag for child in svg].index("polyline")
    corners = [float(point.split(",")[1]) for point in svg.find("polygon").get("points").split()]
    low, low2, high2, high = corners
    assert high < high2 < low2 < low                    # y grows downwards
    middle = float(svg.find("polyline").get("points").split()[0].split(",")[1])
    assert high < middle < low


@pytest.mark.slow
def test_the_page_loads_nothing_and_fits_a_telephone(trained, run, browser, tmp_path):
    trained("a", "--epochs", 2)
    trained("b", "--epochs", 2, "--set", "latent_dim=3")
    run("compare", "a", "b")
    page = tmp_path / "compare.html"
    try:
        for width, scheme in ((390, "light"), (1366, "dark")):
            emulate(browser, width, 740, width < 600, scheme)
            open_page(browser, page)
            assert requests_of(browser) == [f"file://{page}"]
            assert not browser.get_log("browser")
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            text = brightness(browser, "color")
            background = brightness(browser, "backgroundColor")
            assert (text < background) == (scheme == "light")
    finally:
        emulate(browser)
