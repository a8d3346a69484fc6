"""Sweeps whose settings Optuna proposes."""
import sys

import pytest
from test_sweep import read_csv

from scratchvae import labs
from scratchvae.errors import ScratchVAEError
from scratchvae.runs import open_run
from scratchvae.sweeps import SearchFolder, SweepFolder, make_plan, make_search

optuna = pytest.importorskip("optuna", reason="needs Optuna: pip install 'scratchvae[optuna]'")
LAB = labs.LABS["mnist-dense"]
LISTS = [("learning_rate", "0.0001..0.01"), ("latent_dim", "2,4,8"),
         ("intermediate_dim", "8..64"), ("kl_steps", "3..5")]


@pytest.fixture
def end(monkeypatch):
    """Let the runs of points end without a training: end(folder, points). Their losses differ."""
    def value(folder, trial):
        return abs(trial.params["intermediate_dim"] - 40) + trial.params["learning_rate"]
    monkeypatch.setattr(SearchFolder, "_value", value)

    def finish(folder, points):
        for point in points:
            folder.run(point).mkdir()
            (folder.run(point) / "history.csv").write_text("")
            folder.finish(point)
    return finish


def test_trials_are_within_their_ranges_and_have_the_settings_types(tmp_path):
    folder = SearchFolder(tmp_path / "s", make_search(LAB, LISTS, 12))
    space = folder._space()
    assert {name: (type(part).__name__, getattr(part, "log", None))
            for name, part in space.items()} == {
        "learning_rate": ("FloatDistribution", True),       # over a decade
        "latent_dim": ("CategoricalDistribution", None),
        "intermediate_dim": ("IntDistribution", False), "kl_steps": ("IntDistribution", False)}
    points = folder.more(12)
    assert [point.name for point in points] == [f"trial={number}" for number in range(12)]
    for point in points:
        settings = LAB.with_settings(point.settings)
        assert 0.0001 <= settings["learning_rate"] <= 0.01
        assert settings["latent_dim"] in (2, 4, 8)
        assert 8 <= settings["intermediate_dim"] <= 64
    low = sum(float(point.settings["learning_rate"]) < 0.001 for point in points)
    assert 4 <= low <= 8                # half of them; on a linear scale 1
    whole = make_search(LAB, [("kl_weight", "1..20")], 2)
    assert SearchFolder(tmp_path / "f", whole)._space()["kl_weight"].log
    assert "." in SearchFolder(tmp_path / "f", whole).more(1)[0].settings["kl_weight"]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_proposals_depend_neither_on_a_stop_nor_on_which_run_is_faster(jobs, tmp_path, end):
    plan = make_search(LAB, LISTS, 12)
    whole = SearchFolder(tmp_path / "a whole? 100%20", plan)
    while points := whole.more(jobs):
        end(whole, points)
    assert (whole.folder / "optuna.db").exists()
    expected = whole.points()
    assert len(expected) == 12

    waiting = []
    while True:                         # a new process for each step, and the last run ends first
        folder = SearchFolder(tmp_path / "parts", plan)
        assert {point.name for point in folder.left()} == {point.name for point in waiting}
        waiting += folder.more(jobs)
        if not waiting:
            break
        end(folder, [waiting.pop()])
    assert folder.points() == expected
    assert folder.best()[0] == whole.best()[0]
    assert folder.best()[1] == min(
        trial.value for trial in whole.study.trials) < whole.study.trials[0].value


def test_more_trials_go_on_and_a_failed_one_is_not_trained_again(tmp_path, end):
    folder = SearchFolder(tmp_path / "s", make_search(LAB, LISTS, 2))
    first, = folder.more(1)
    folder.fail(first)
    second, = folder.more(1)
    end(folder, [second])
    assert folder.more(1) == []
    folder = SearchFolder(tmp_path / "s", make_search(LAB, LISTS, 3))
    assert folder.left() == []
    assert folder.best()[0] == second
    third, = folder.more(1)
    assert third.name == "trial=2"
    with pytest.raises(ScratchVAEError, match="holds another sweep: grid is"):
        SearchFolder(tmp_path / "s", make_search(LAB, LISTS[:1], 3))
    plan = make_plan(LAB, [("latent_dim", "2,4,8"), ("intermediate_dim", "8,9")])
    search = make_search(LAB, [("latent_dim", "2,4,8"), ("intermediate_dim", "8,9")], 3)
    SearchFolder(tmp_path / "t", search)
    with pytest.raises(ScratchVAEError, match="optuna is True there and None here"):
        SweepFolder(tmp_path / "t", plan)


def test_the_kl_weight_is_not_rewarded_for_being_small():
    assert make_search(LAB, [("kl_weight", "0.1..4")], 2).objective == (
        "val_reconstruction", "val_kl")
    assert make_search(LAB, [*LISTS, ("kl_weight", "4")], 2).objective == ("val_loss",)


@pytest.mark.parametrize("options, message", [
    (["--set", "latent_dim=2,4"], "there are only 2 choices of settings; leave out --optuna"),
    (["--set", "latent_dim=2"], "there is nothing to search"),
    ([], "there is nothing to search"),
    (["--set", "learning_rate=0.1..0.01"], "a range is LOW..HIGH with LOW below HIGH"),
    (["--set", "learning_rate=0.1.."], "a range is LOW..HIGH"),
    (["--set", "learning_rate=a..b"], "a range is LOW..HIGH"),
    (["--set", "latent_dim=0..4"], "latent_dim must be a positive integer, got 0"),
    (["--set", "latent_dim=1.5..4"], "setting latent_dim: expected an integer, got '1.5'"),
    (["--set", "kl_schedule=1..2"], "kl_schedule"),
    (["--set", "kl_wait=1..2"], "mnist-dense has no setting 'kl_wait'"),
    (["--set", "latent_dim=2..9", "--seeds", 2], "--random and --seeds cannot be given with it"),
])
def test_what_cannot_be_searched_is_refused(options, message, run, tmp_path):
    code, _, errors = run("sweep", "mnist-dense", "--optuna", 5, *options)
    assert code == 2
    assert message in errors
    assert not (tmp_path / "sweeps").exists()


def test_losses_of_several_scales_are_refused():
    with pytest.raises(ScratchVAEError, match="losses of several scales cannot be compared"):
        make_search(labs.get("fashion-conv"), [("reconstruction_scale", "1..500")], 3)


def test_a_range_without_optuna_is_explained(run):
    code, _, errors = run("sweep", "mnist-dense", "--set", "learning_rate=0.001..0.1")
    assert code == 2
    assert "a range such as 0.001..0.1 is searched by --optuna TRIALS" in errors


def test_a_missing_or_damaged_storage_is_said_in_a_line(run, monkeypatch, tmp_path):
    command = ["sweep", "mnist-dense", "--optuna", 2, "--set", "latent_dim=2..9"]
    SearchFolder(tmp_path / "sweeps/mnist-dense", make_search(LAB, [("latent_dim", "2..9")], 2))
    (tmp_path / "sweeps/mnist-dense/optuna.db").write_text("no database " * 100)
    code, _, errors = run(*command)
    assert code == 1
    assert errors.startswith("Error: ") and "optuna.db: damaged" in errors
    monkeypatch.setitem(sys.modules, "optuna", None)
    code, _, errors = run(*command)
    assert (code, errors) == (1, "Error: --optuna: the package optuna is not installed. Install it "
                                 "with: pip install 'scratchvae[optuna]'\n")


@pytest.mark.slow
def test_a_search_trains_says_what_failed_and_which_is_best(run, small_data, tmp_path):
    """Learning rates so large that some trials diverge."""
    command = ["sweep", "mnist-dense", "--optuna", 3, "--set", "learning_rate=0.001,1e30",
               "--set", "intermediate_dim=4..8", "--epochs", 1, "--batch-size", 10, "--jobs", 2,
               "--data-dir", small_data]
    code, output, errors = run(*command)
    folder = tmp_path / "sweeps" / "mnist-dense"
    rows = read_csv(folder / "results.csv")
    losses = {row["run"]: float(row["val_loss"]) for row in rows if row["val_loss"]}
    assert 0 < len(losses) < 3
    best = min(losses, key=losses.get)
    assert f"with val_loss {losses[best]:.5g}: {best}\n" in output
    rate = open_run(best).config["settings"]["learning_rate"]
    assert f"--set learning_rate={rate:.6g}" in output
    assert code == 1
    assert "failed:\n  trial=" in errors
    assert "diverged" in errors
    assert (folder / "compare.html").exists()
    code, again, _ = run(*command)
    assert code == 0
    assert "3 of them finished" in again
    assert f"with val_loss {losses[best]:.5g}: {best}\n" in again
