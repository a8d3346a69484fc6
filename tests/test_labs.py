"""The labs: models as printed, right gradients, the files of their runs, and reproducible bits."""

import functools
import json
import os
import shutil
import signal
from dataclasses import replace
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from helpers import HOSTS, assert_same_gradients, bits, is_picture, write_idx_files

from scratchvae import labs
from scratchvae.data import images
from scratchvae.data.idx import read_content, write_idx
from scratchvae.gradcheck.check import check_model
from scratchvae.labs import figures, measured, mnist_batchnorm_deep
from scratchvae.runs.record import Record
from scratchvae.storage import read_arrays
from scratchvae.training.history import COLUMNS, History
from scratchvae.training.loop import Training

TABLES = {  # the parameters of the layers, as the sheets' tables have them: encoder, decoder
    "mnist-dense": ((200_960, 514, 514), (768, 201_488)),
    "fashion-autoencoder": (
        (320, 18_496, 73_856, 0, 4_098),
        (6_144, 0, 147_584, 73_792, 18_464, 289),
    ),
    "fashion-conv": (
        (320, 18_496, 73_856, 0, 4_098, 4_098),
        (6_144, 0, 147_584, 73_792, 18_464, 289),
    ),
    "mnist-conv": ((320, 18_496, 0, 50_192, 34, 34), (9_408, 0, 36_928, 18_464, 289)),
    "mnist-latent8": (
        (1_088, 0, 65_600, 0, 65_600, 0, 0, 25_096, 25_096),
        (216, 1_225, 0, 1_088, 0, 65_600, 0, 65_600, 0, 9_835_280, 0),
    ),
    "mnist-batchnorm": (
        (80, 32, 1_168, 64, 0, 15_700, 80, 42, 42),
        (2_352, 3_136, 0, 2_320, 64, 1_160, 32, 73),
    ),
    "shapes-beta": (
        (272, 4_112, 8_224, 16_416, 0, 131_328, 2_570, 2_570),
        (2_816, 131_584, 0, 16_416, 8_208, 4_112, 257),
    ),
    "mnist-batchnorm-deep": (
        (1_280, 512, 295_168, 1_024, 1_180_160, 2_048, 4_719_616, 4_096, 0, 1_003_540, 80, 42, 42),
        (
            150_528,
            200_704,
            0,
            9_438_208,
            4_096,
            4_719_104,
            2_048,
            1_179_904,
            1_024,
            295_040,
            512,
            1_153,
        ),
    ),
}
TOTALS = {
    "mnist-dense": 404_244,
    "fashion-autoencoder": 96_770 + 246_273,
    "fashion-conv": 100_868 + 246_273,
    "mnist-conv": 134_165,
    "mnist-latent8": 10_151_489,
    "mnist-batchnorm": 26_345,
    "shapes-beta": 328_885,
    "mnist-batchnorm-deep": 7_207_608 + 15_992_321,
}
TRAINABLE = {"mnist-batchnorm": 24_641, "mnist-batchnorm-deep": 23_091_857}
PLANE = {
    "loss_curves.png",
    "latent_scatter.png",
    "manifold.png",
    "reconstructions.png",
    "samples.png",
}
FIGURES = {
    "mnist-dense": PLANE,
    "fashion-autoencoder": {
        "loss_curves.png",
        "latent_scatter.png",
        "grids.png",
        "reconstructions.png",
    },
    "fashion-conv": PLANE | {"grids.png"},
    "mnist-conv": PLANE,
    "mnist-latent8": {
        "loss_curves.png",
        "loss_by_step.png",
        "progress.png",
        "samples.png",
        "histogram.png",
        "traversal",
        "traversal.gif",
        "traversal.png",
        "latent_scatter.png",
        "reconstructions.png",
    },
    "mnist-batchnorm": PLANE,
    "shapes-beta": {
        "loss_curves.png",
        "traversals.png",
        "information.png",
        "reconstructions.png",
        "samples.png",
    },
    "mnist-batchnorm-deep": PLANE,
}
SMALLER = {  # settings from the command line that make training quick
    "mnist-dense": ["intermediate_dim=16"],
    "fashion-autoencoder": ["filters=2"],
    "fashion-conv": ["filters=2"],
    "mnist-conv": ["filters=2"],
    "mnist-latent8": ["filters=2", "keep_prob=0.8"],
    "mnist-batchnorm": [],
    "shapes-beta": ["filters=2"],
    "mnist-batchnorm-deep": [],
}
LIMITED = {"shapes-beta": ["--limit", 20]}    # its data are always whole
TINY = (
    (2, 2),
    (3, 2),
    (4, 1),
    (5, 1),
)  # the deep network's stages, in place of its 23 million parameters
IMAGE_LABS = [name for name, lab in labs.LABS.items() if lab.kind == "images"]
EVERY_LAB = pytest.mark.parametrize("name", IMAGE_LABS)


@pytest.fixture
def small_labs(monkeypatch):
    """Make the deep network as small as its baseline; record mnist-latent8 every second step."""
    monkeypatch.setattr(mnist_batchnorm_deep, "STAGES", TINY)
    monkeypatch.setitem(
        labs.LABS, "mnist-latent8", replace(labs.LABS["mnist-latent8"], record_every=2)
    )


@pytest.fixture
def no_figures(small_labs, monkeypatch):
    """Nothing is drawn: where it does not matter, this is quicker."""
    for name, lab in labs.LABS.items():
        monkeypatch.setitem(labs.LABS, name, replace(lab, figures=()))


@pytest.fixture
def train(run, small_labs, tmp_path):
    """Train a small lab on random images: train(name, folder, ...) returns folder and output."""
    write_idx_files(tmp_path / "data" / "mnist")
    write_idx_files(tmp_path / "data" / "fashion-mnist", seed=1)

    def call(name, folder, *options, epochs=1, batch_size=10, data="data"):
        settings = [part for setting in SMALLER[name] for part in ("--set", setting)]
        code, output, errors = run(
            "train",
            name,
            "--out",
            folder,
            "--data-dir",
            data,
            "--epochs",
            epochs,
            "--batch-size",
            batch_size,
            *settings,
            *LIMITED.get(name, []),
            *options,
        )
        assert code == 0, errors
        return tmp_path / folder, output

    return call


@functools.cache
def table(name):
    """Return a lab's layer sizes by network, last summary line, trained count and output shape."""
    lab = labs.get(name)
    model = lab.make_model(lab.settings)
    model.build(lab.example_shape)
    text = model.summary()
    networks = [
        tuple(
            int(line.split()[-1].replace(",", ""))
            for line in network.splitlines()
            if "(None" in line
        )
        for network in text.split("Model: ")[1:]
    ]
    return networks, text.splitlines()[-1], model.parameters.count, model.decoder.output_shape


# The models, as printed.


@EVERY_LAB
def test_the_summary_is_the_sheet_s_table_row_by_row(name):
    (encoder, decoder), last, trainable, output_shape = table(name)
    assert (encoder, decoder) == TABLES[name]
    assert sum(encoder) + sum(decoder) == TOTALS[name] == labs.get(name).parameters
    assert trainable == TRAINABLE.get(name, TOTALS[name])
    assert last.startswith(f"Total: {TOTALS[name]:,} parameters")
    assert (f"{trainable:,} of them trained by gradients" in last) == (name in TRAINABLE)
    assert output_shape == labs.get(name).example_shape


def test_every_lab_is_tested_here():
    assert set(TABLES) == set(TOTALS) == set(FIGURES) == set(SMALLER) == set(IMAGE_LABS)


@EVERY_LAB
def test_a_lab_is_consistent(name):
    lab = labs.get(name)
    assert lab.name == name and set(lab.small_settings) <= set(lab.settings) | {"side", "divide"}
    assert lab.beside is None or labs.get(lab.beside).beside == name
    shown = lab.prepare(np.ones((3, 28, 28, 1), np.float32))
    assert shown.shape == (3, *lab.example_shape) and shown.sum() == 3 * 784


def test_padded_images_have_a_black_border():
    image = np.random.default_rng(0).random((1, 28, 28, 1)).astype(np.float32)
    padded = labs.get("fashion-conv").prepare(image)
    np.testing.assert_array_equal(padded[:, 2:30, 2:30], image)


@EVERY_LAB
def test_losses_are_on_the_sheet_s_scale(name, small_labs, rng):
    """An untrained decoder answers 1/2: ln 2 nats a pixel, or a squared error of 1/12."""
    lab = labs.get(name)
    x = rng.random((4, *lab.example_shape)).astype(np.float32)
    changes = dict(setting.split("=") for setting in SMALLER[name])
    model = lab.make_model(lab.with_settings(changes))
    model.build(lab.example_shape)
    reconstruction, _ = model.forward(x)
    pixel = 1 / 12 if name == "mnist-latent8" else np.log(2)
    scale = {
        "fashion-conv": 500,
        "fashion-autoencoder": 1,
        "mnist-batchnorm": 1,
        "mnist-batchnorm-deep": 1,
        "shapes-beta": 4096,
    }.get(name, 784)
    assert reconstruction.mean() == pytest.approx(scale * pixel, rel=0.25)


# Gradients.


@pytest.mark.slow
@EVERY_LAB
def test_gradients(name, monkeypatch):
    lab = labs.get(name)
    if name == "mnist-dense":
        monkeypatch.setitem(lab.small_settings, "intermediate_dim", 2)
    if name == "mnist-batchnorm-deep":  # so narrow here that nothing is gained by dividing
        monkeypatch.setattr(mnist_batchnorm_deep, "STAGES", TINY)
        lab = replace(lab, small_settings={"side": 4})
    elif "side" in lab.small_settings:
        side = lab.small_settings["side"] // 2
        lab = replace(lab, small_settings=lab.small_settings | {"side": side})
    model = lab.make_small_model("cpu")
    rng = np.random.default_rng(0)
    for parameter in model.parameters.names:  # biases away from 0, where relu has its kink
        model.parameters[parameter][...] += 0.3 * rng.standard_normal(
            model.parameters[parameter].shape
        )
    examples = (
        rng.random((1, *model.input_shape)) if name in ("mnist-dense", "mnist-latent8") else None
    )
    report = check_model(model, examples)
    assert report.passed and max(row.error for row in report.rows) <= 1e-6, report
    assert {row.parameter for row in report.rows} == {"input", *model.parameters.names}


@EVERY_LAB
def test_backends_have_the_same_gradients(name, rng):
    models = [labs.get(name).make_small_model(backend) for backend in HOSTS]
    assert_same_gradients(models, rng.random((3, *models[0].input_shape)))


# Runs from the command line.


@pytest.mark.slow
@pytest.mark.usefixtures("coarse_figures")
@EVERY_LAB
def test_a_run_has_all_that_its_sheet_asks_for(name, train, run):
    folder, output = train(name, "a")
    record = {"record.npz"} if name == "mnist-latent8" else set()
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "history.csv",
        "weights.npz",
        "checkpoint.npz",
        "figures",
        "report.html",
        "progress.json",
        ".lock",
    } | record
    assert {path.name for path in (folder / "figures").iterdir()} == FIGURES[name]
    for figure in FIGURES[name] - {"traversal"}:
        assert f"figures/{figure}" in output
        assert is_picture(folder / "figures" / figure)
    if name == "mnist-latent8":
        assert [path.name for path in sorted((folder / "figures" / "traversal").iterdir())] == [
            f"frame_{i:02d}.png" for i in range(50)
        ]

    shutil.rmtree(folder / "figures")
    code, again, errors = run("plot", folder)
    assert code == 0, errors
    assert {path.name for path in (folder / "figures").iterdir()} == FIGURES[name]
    assert set(again.split()) >= {
        line for line in output.split() if "figures" in line and line.startswith(str(folder))
    }
    code, output, errors = run("evaluate", folder)
    assert code == 0, errors
    measured = json.loads((folder / "evaluation.json").read_text())
    assert (
        measured["examples"] == 20
        and f"{measured['loss']:.4f}" in output
        and labs.get(name).unit in output
    )
    if not labs.get(name).validation_split:
        assert measured["loss"] == History.read_csv(folder / "history.csv")["val_loss"][-1]
    assert run("reconstruct", folder, "--count", 3)[0] == 0
    code, _, errors = run("sample", folder, "--count", 3)
    if name == "fashion-autoencoder":  # has no distribution to sample from, and says so
        assert code == 1 and "Autoencoder" in errors and "AttributeError" not in errors
    else:
        assert code == 0, errors


@pytest.mark.parametrize(
    "first, second, of_first, of_second",
    [
        ("fashion-autoencoder", "fashion-conv", {"latent_scatters.png"}, {"latent_scatters.png"}),
        (
            "mnist-batchnorm-deep",
            "mnist-batchnorm",
            {"latent_scatters.png", "manifolds.png"},
            {"latent_scatters.png", "manifolds.png"},
        ),
    ],
)
def test_a_partner_in_the_neighbouring_directory_is_drawn_beside(
    first, second, of_first, of_second, train, run
):
    a, _ = train(first, first)
    assert {path.name for path in (a / "figures").iterdir()} == FIGURES[first]
    b, output = train(second, second)
    assert {path.name for path in (b / "figures").iterdir()} == FIGURES[second] | of_second
    assert all(f"figures/{figure}" in output for figure in of_second)
    assert run("plot", a)[0] == 0
    assert {path.name for path in (a / "figures").iterdir()} == FIGURES[first] | of_first


def test_a_partner_elsewhere_is_not_drawn_beside_unless_named(train, run):
    a, _ = train("fashion-autoencoder", "elsewhere/fashion-autoencoder")
    b, _ = train("fashion-conv", "fashion-conv")
    assert not (b / "figures" / "latent_scatters.png").exists()
    assert run("plot", b, "--beside", a)[0] == 0
    assert (b / "figures" / "latent_scatters.png").exists()


def test_a_partner_that_has_not_ended_an_epoch_is_no_hindrance(train):
    """Of two labs trained side by side, one may end before the other's first epoch."""
    a, _ = train("fashion-autoencoder", "fashion-autoencoder")
    (a / "history.csv").unlink()
    train("fashion-conv", "fashion-conv")


def test_a_partner_with_another_latent_space_is_no_hindrance(train):
    train("fashion-autoencoder", "fashion-autoencoder", "--set", "latent_dim=1")
    train("fashion-conv", "fashion-conv")


@EVERY_LAB
def test_the_references_of_a_whole_run_can_be_drawn(name, tmp_path):
    history = History()
    for epoch in range(1, labs.get(name).epochs + 1):
        history.append(**{column: 1.0 for column in COLUMNS} | {"epoch": epoch})
    run = SimpleNamespace(
        lab=labs.get(name),
        history=history,
        epoch=len(history),
        references=labs.get(name).references,
        figures=tmp_path,
        note="",
    )
    path, = figures.loss_curves(run)
    assert path.exists()


# The same bits, every time.

BITS = pytest.mark.parametrize(
    "name, settings", [("mnist-batchnorm", []), ("mnist-latent8", ["--set", "filters=16"])]
)


def large(tmp_path):
    """Enough random images for several batches, and for several threads."""
    write_idx_files(tmp_path / "large" / "mnist", train=400, test=30)
    return "large"


@BITS
def test_same_bits_whatever_the_threads(name, settings, train, no_figures, tmp_path):
    options = dict(epochs=2, batch_size=64, data=large(tmp_path))
    a, b = (
        train(name, f"threads-{n}", *settings, "--threads", n, **options)[0]
        for n in (1, numba.config.NUMBA_NUM_THREADS)
    )
    assert bits(a) == bits(b)
    weights, _ = read_arrays(a / "weights.npz", "model")
    assert any("moving_mean" in array for array in weights) == (name == "mnist-batchnorm")


@BITS
def test_stopped_after_an_epoch_and_resumed_gives_the_same_bits(
    name, settings, train, no_figures, run, tmp_path
):
    options = dict(batch_size=64, data=large(tmp_path))
    whole, stopped = (
        train(name, folder, *settings, epochs=epochs, **options)[0]
        for folder, epochs in (("whole", 3), ("stopped", 1))
    )
    code, _, errors = run("train", name, "--resume", stopped, "--epochs", 3)
    assert code == 0, errors
    assert bits(stopped) == bits(whole)
    assert_same_record(stopped, whole)


@BITS
def test_interrupted_in_an_epoch_and_resumed_gives_the_same_bits(
    name, settings, train, no_figures, run, tmp_path, monkeypatch
):
    options = dict(epochs=3, batch_size=64, data=large(tmp_path))
    whole, _ = train(name, "whole", *settings, **options)
    train_batch = Training.train_batch
    steps = []

    def interrupted(self, indices):
        steps.append(indices)
        if len(steps) == 8:
            os.kill(os.getpid(), signal.SIGINT)
        train_batch(self, indices)

    changes = [part for setting in SMALLER[name] for part in ("--set", setting)]
    with monkeypatch.context() as patch:
        patch.setattr(Training, "train_batch", interrupted)
        code, _, errors = run(
            "train",
            name,
            "--out",
            "stopped",
            "--data-dir",
            "large",
            "--epochs",
            3,
            "--batch-size",
            64,
            *changes,
            *settings,
        )
    assert code == 130 and "nothing is lost" in errors and len(steps) == 8
    if name == "mnist-latent8":
        assert len(Record.load("stopped/record.npz", None).losses) == 8
    code, _, errors = run("train", name, "--resume", "stopped")
    assert code == 0, errors
    assert bits(tmp_path / "stopped") == bits(whole)
    assert_same_record(tmp_path / "stopped", whole)


def assert_same_record(a, b):
    """Both runs recorded the same, or neither records."""
    assert (a / "record.npz").exists() == (b / "record.npz").exists()
    if (a / "record.npz").exists():
        one, other = (read_arrays(folder / "record.npz", "record")[0] for folder in (a, b))
        assert {name: array.tobytes() for name, array in one.items()} == {
            name: array.tobytes() for name, array in other.items()
        }
        assert len(one["losses"]) == 3 * 7 and one["recorded"].tolist() == list(range(2, 22, 2))


# Data: what trains and what validates.


def test_the_last_fifth_of_the_training_images_validates():
    data = SimpleNamespace(x_train=np.arange(60_000), x_test=np.arange(10_000))
    for lab in map(labs.get, IMAGE_LABS):
        train, validation = lab.split(data.x_train, data.x_test)
        if lab.validation_split:
            assert "batchnorm" in lab.name and (
                train[0],
                train[-1],
                validation[0],
                validation[-1],
            ) == (0, 47_999, 48_000, 59_999)
        else:
            assert train is data.x_train and validation is data.x_test


def test_training_does_not_see_what_validates(train, no_figures, run, tmp_path):
    folder = tmp_path / "other" / "mnist"
    shutil.copytree(tmp_path / "data" / "mnist", folder)
    path = folder / "train-images-idx3-ubyte.gz"
    x = images.parse_idx(read_content(path), path).copy()
    x[32:] = 255 - x[32:]  # 32 of 40 train
    write_idx(path, x)
    a, output = train("mnist-batchnorm", "a", epochs=2)
    b, _ = train("mnist-batchnorm", "b", epochs=2, data="other")
    (weights_a, history_a) = bits(a)
    (weights_b, history_b) = bits(b)
    assert "of these 32 and 8 used" in output and "held-out" in output
    assert weights_a == weights_b
    assert [row["loss"] for row in history_a] == [row["loss"] for row in history_b]
    assert all(one["val_loss"] != other["val_loss"] for one, other in zip(history_a, history_b))


# Settings.


@pytest.mark.parametrize(
    "name, setting, message",
    [
        (
            "mnist-latent8",
            "activations=relu",
            "activations must be one of none, deepobs, got 'relu'",
        ),
        ("mnist-latent8", "keep_prob=0", "Dropout: rate must be in [0, 1), got 1.0"),
        ("mnist-latent8", "keep_prob=1.2", "rate must be in [0, 1), got -0.19"),
        (
            "mnist-latent8",
            "keep_prob=most",
            "setting keep_prob: expected a number, got 'most'; the default is 1.0",
        ),
        (
            "mnist-latent8",
            "learning_rate=-1",
            "learning_rate must be a number of at least 0, got -1.0",
        ),
        ("fashion-conv", "filters=0", "filters must be a positive integer, got 0"),
        (
            "fashion-conv",
            "filters=1.5",
            "setting filters: expected an integer, got '1.5'; the default is 32",
        ),
        (
            "fashion-conv",
            "reconstruction_scale=-1",
            "reconstruction_scale must be a number of at least 0, got -1.0",
        ),
        (
            "fashion-autoencoder",
            "kl_weight=1",
            "fashion-autoencoder has no setting 'kl_weight'; allowed: filters=32",
        ),
        ("fashion-autoencoder", "latent_dim=0", "must be a positive integer, got 0"),
        (
            "mnist-conv",
            "kl_schedule=sudden",
            "kl_schedule must be one of constant, linear, cyclical, got 'sudden'",
        ),
        ("mnist-batchnorm", "kl_weight=-0.1", "kl_weight must be a number of at least 0, got -0.1"),
        ("mnist-batchnorm-deep", "divide=2", "mnist-batchnorm-deep has no setting 'divide'"),
    ],
)
def test_wrong_settings_get_one_clear_line(name, setting, message, run, small_data, tmp_path):
    code, _, errors = run("train", name, "--set", setting, "--out", "a", "--data-dir", small_data)
    assert code == 2 and message in " ".join(errors.split()), errors
    assert "Traceback" not in errors and not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "name, settings, notes",
    [
        ("mnist-latent8", {}, ["the sheet's convolutions are linear", "dropout keeps everything"]),
        ("mnist-latent8", {"activations": "deepobs"}, ["dropout keeps everything"]),
        ("mnist-latent8", {"activations": "deepobs", "keep_prob": "0.8"}, []),
        ("mnist-batchnorm", {}, ["has no KL term"]),
        ("mnist-batchnorm-deep", {}, ["has no KL term"]),
        ("mnist-batchnorm", {"kl_weight": "0.001"}, []),
        ("fashion-conv", {}, ["those of the last batch alone"]),
        ("mnist-conv", {}, []),
        ("shapes-beta", {}, ["half the filters of the papers"]),
    ],
)
def test_peculiarities_of_the_print(name, settings, notes):
    lab = labs.get(name)
    lines = list(lab.peculiarities(lab.with_settings(settings)))
    assert len(lines) == len(notes) and all(note in line for note, line in zip(notes, lines))


def test_training_says_what_is_peculiar(train, no_figures):
    lines = train("mnist-batchnorm", "a")[1].splitlines()
    assert (
        sum(
            line.startswith("note: the loss that the sheet compiles has no KL term")
            for line in lines
        )
        == 1
    )
    assert "note:" not in train("mnist-batchnorm", "b", "--set", "kl_weight=0.001")[1]


def test_activations_of_mnist_latent8():
    lab = labs.get("mnist-latent8")
    for choice, encode, decode in (
        ("none", "linear", "linear"),
        ("deepobs", "leaky_relu(0.3)", "relu"),
    ):
        config = lab.make_model(lab.with_settings({"activations": choice})).get_config()
        for part, activation in (("encoder", encode), ("decoder", decode)):
            assert {
                layer["activation"] for layer in config[part] if "Conv2D" in layer["class"]
            } == {activation}


def test_the_measured_objectives_are_of_labs_and_settings_that_exist():
    rows = measured.rows()
    assert {row["lab"] for row in rows} <= set(labs.LABS)
    for lab in {row["lab"] for row in rows}:
        lines = measured.table(lab)
        assert len(lines) == 2 + len(measured.of(lab))
        assert lines[1].split()[:3] == ["objective", "loss", "reconstruction"]
    for row in rows:
        assert float(row["loss"]) > 0 and float(row["cpu_minutes"]) >= 0
    bound, = (row for row in measured.of("mnist-dense") if row["objective"] == "elbo")
    assert float(bound["nll"]) < float(bound["loss"]) < 200


def test_a_lab_that_was_not_measured_has_no_table():
    assert measured.table("table") == []
