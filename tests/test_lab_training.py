"""The settings of training that all labs have in common: what they do, and that runs keep them."""
import json

import pytest
from helpers import bits

from scratchvae import labs
from scratchvae.errors import ScratchVAEError
from scratchvae.labs.common import COMMON
from scratchvae.labs.lab import Lab
from scratchvae.runs import new_config, open_run
from scratchvae.runs.config import read_config
from scratchvae.training.loop import Training

EVERY_LAB = pytest.mark.parametrize("name", labs.LABS)
QUICK = ["--epochs", 20, "--batch-size", 10, "--seed", 3, "--set", "intermediate_dim=16",
         "--set", "learning_rate=0.02"]
STOPPING = ["--set", "early_stopping=2"]
PLATEAU = ["--set", "learning_rate_schedule=plateau"]


class Killed(Exception):
    """A process that ends without a warning."""


@pytest.fixture
def train(run, small_data, tmp_path, monkeypatch):
    """Train mnist-dense in a folder of a name; return the folder and what was printed."""
    monkeypatch.setattr(Lab, "draw", lambda lab, run: [])

    def call(name, *options):
        code, output, errors = run("train", "mnist-dense", *QUICK, *options, "--out", name,
                                   "--data-dir", small_data)
        assert code == 0, errors
        return tmp_path / name, output
    return call


def settings_of(*options):
    """Return {name: value} of options such as STOPPING."""
    return dict(option.split("=") for option in options[1::2])


@EVERY_LAB
def test_every_lab_has_them(name):
    lab = labs.get(name)
    settings = lab.with_settings({"early_stopping": "4", "learning_rate_schedule": "cosine",
                                  "warmup_steps": "10", "global_clipnorm": "0.5"})
    optimizer = lab.make_optimizer(settings, 100)
    rate = settings["learning_rate"]
    assert optimizer.global_clipnorm == 0.5
    assert [optimizer.learning_rate(step) for step in (0, 10, 55, 100)] == pytest.approx(
        [0, rate, rate / 2, 0])
    stopping, = lab.make_callbacks(settings, validated=False)
    assert (stopping.monitor, stopping.patience) == ("loss", 4)


@EVERY_LAB
def test_they_are_off_and_not_in_the_configuration_then(name):
    lab = labs.get(name)
    assert lab.make_callbacks(lab.settings, validated=True) == []
    assert lab.make_optimizer(lab.settings).learning_rate == lab.settings["learning_rate"]
    off = {setting: f"{value}" for setting, value in COMMON.items() if setting not in lab.settings}
    assert lab.with_settings(off) == lab.settings
    assert new_config(lab)["settings"] == lab.settings


def test_the_learning_rate_falls_in_steps():
    lab = labs.get("mnist-dense")
    settings = lab.with_settings({"learning_rate_schedule": "step"})
    rate = lab.make_optimizer(settings, 100).learning_rate
    assert [rate(step) for step in (0, 50, 51, 75, 76, 200)] == pytest.approx(
        [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])


@pytest.mark.parametrize("setting, message", [
    ("early_stopping=-1", "early_stopping must be an integer of at least 0, got -1"),
    ("early_stopping=soon", "setting early_stopping: expected an integer, got 'soon'"),
    ("learning_rate_schedule=fast", "must be one of constant, cosine, step, plateau, got 'fast'"),
    ("global_clipnorm=-1", "global_clipnorm must be a number of at least 0, got -1.0"),
    ("warmup_steps=-1", "warmup_steps must be an integer of at least 0, got -1"),
])
def test_wrong_values_get_one_clear_line(setting, message):
    with pytest.raises(ScratchVAEError, match=message):
        labs.get("mnist-conv").with_settings(settings_of("--set", setting))


def test_a_plateau_must_be_left_before_training_stops():
    with pytest.raises(ScratchVAEError, match="must be 0 or above 3 with .* plateau, .*, got 3"):
        labs.get("mnist-conv").with_settings({"learning_rate_schedule": "plateau",
                                              "early_stopping": "3"})


def test_a_warmup_before_steps_is_refused():
    with pytest.raises(ScratchVAEError, match="allowed with learning_rate_schedule constant and "
                                              "cosine, got step"):
        labs.get("mnist-conv").with_settings({"learning_rate_schedule": "step",
                                              "warmup_steps": "5"})


def test_the_configuration_of_an_older_run_is_read(tmp_path):
    lab = labs.get("shakespeare-vae")
    config = new_config(lab)
    config["settings"]["clipnorm"] = 2 * config["settings"].pop("global_clipnorm")
    (tmp_path / "config.json").write_text(json.dumps(config))
    settings = read_config(tmp_path)["settings"]
    assert settings == lab.settings | {"global_clipnorm": 10.0}
    assert lab.make_optimizer(settings).global_clipnorm == 10


def test_a_run_that_stops_early_has_its_best_weights(train, run):
    folder, output = train("a", *STOPPING)
    trained = open_run(folder)
    losses = trained.history["val_loss"]
    best = losses.index(min(losses)) + 1
    assert best + 2 == len(losses) < 20
    assert (trained.config["best_epoch"], trained.config["stopped_epoch"]) == (best, best + 2)
    assert trained.epoch == best
    assert f"epoch {best} was the best, and the weights are its own; training ended" in output
    assert trained.model.evaluate(trained.x_test, 3)["loss"] == min(losses)
    page = (folder / "report.html").read_text()
    assert f"20 at most; stopped after {best + 2}; the weights are those of epoch {best}" in page
    assert f"of {best + 2} epochs, epoch {best} was the\nbest" in page
    assert f"mean over epoch {best}, while" in page and "Nothing is lost" not in page
    before = bits(folder)
    assert run("train", "mnist-dense", "--resume", folder)[0] == 0
    assert bits(folder) == before
    assert open_run(folder).epoch == best


@pytest.mark.slow
@pytest.mark.parametrize("options", [
    STOPPING,
    PLATEAU,
    [*PLATEAU, "--set", "early_stopping=5", "--set", "global_clipnorm=1"],
    ["--set", "learning_rate_schedule=cosine", "--set", "warmup_steps=9"],
    ["--set", "learning_rate_schedule=step"],
], ids=["stopping", "plateau", "both", "cosine", "step"])
def test_a_killed_run_is_resumed_to_the_same_bits(options, train, run, monkeypatch):
    folder, _ = train("whole", *options)
    expected = bits(folder)
    steps = 4 * len(expected[1])
    train_batch = Training.train_batch
    for place, name in ((0.4, "a"), (0.9, "b")):

        def killed(self, indices, last=int(place * steps)):
            if self._done() == last:
                raise Killed
            train_batch(self, indices)

        with monkeypatch.context() as patch:
            patch.setattr(Training, "train_batch", killed)
            with pytest.raises(AssertionError, match="Error: Killed"):
                train(name, *options)
        code, _, errors = run("train", "mnist-dense", "--resume", name)
        assert code == 0, errors
        assert bits(folder.with_name(name)) == expected
        ends = [open_run(path).config.get("best_epoch") for path in (folder, name)]
        assert ends[0] == ends[1]


def test_a_schedule_that_follows_the_epochs_cannot_be_extended(train, run):
    folder, _ = train("a", "--set", "learning_rate_schedule=cosine")
    assert open_run(folder).make_optimizer().learning_rate.decay_steps == 20 * 4
    before = bits(folder)
    code, _, errors = run("train", "mnist-dense", "--resume", folder, "--epochs", 30)
    assert code == 2
    assert "--from begins another run with its weights" in " ".join(errors.split())
    assert bits(folder) == before
    code, _, errors = run("train", "mnist-dense", "--resume", folder, "--epochs", 20)
    assert code == 0, errors


def test_gradients_are_clipped(train):
    free, _ = train("free")
    loose, _ = train("loose", "--set", "global_clipnorm=1e30")
    tight, _ = train("tight", "--set", "global_clipnorm=0.01")
    assert bits(free) == bits(loose)
    assert bits(free)[0] != bits(tight)[0]
