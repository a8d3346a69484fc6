"""The example scripts run as they are, and say the same as the labs they show."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import is_picture, write_idx_files, write_play

from scratchvae import labs, notebook
from scratchvae.data import load_mnist
from scratchvae.labs import mnist_batchnorm_deep
from scratchvae.models import Model

pytestmark = pytest.mark.slow        # each trains, some in a process of its own

EXAMPLES = Path(__file__).parents[1] / "examples"
TINY = ((2, 2), (3, 2), (4, 1), (5, 1))  # in place of the deep network's 23 million parameters
FIGURES = {
    "mnist_dense": {"loss_curves", "latent_scatter", "manifold", "reconstructions", "samples"},
    "mnist_conv": {"loss_curves", "latent_scatter", "manifold", "reconstructions", "samples"},
    "mnist_batchnorm": {"loss_curves", "latent_scatter", "manifold", "reconstructions", "samples"},
    "mnist_batchnorm_deep": {
        "loss_curves_baseline",
        "loss_curves_deep",
        "latent_scatters",
        "manifolds",
        "reconstructions",
        "samples",
    },
    "mnist_latent8": {
        "loss_curves",
        "loss_by_step",
        "progress",
        "samples",
        "histogram",
        "traversal",
        "latent_scatter",
        "reconstructions",
    },
    "shapes_beta": {"data", "loss_curves", "reconstructions", "traversals", "information"},
    "fashion_autoencoder": {"loss_curves", "latent_scatter", "grids", "reconstructions"},
    "fashion_conv": {
        "loss_curves",
        "loss_curves_autoencoder",
        "latent_scatters",
        "grids",
        "grids_autoencoder",
        "manifold",
        "reconstructions",
        "samples",
    },
}
TEXTS = {  # scripts about text: what they print, and options that make them quick
    "shakespeare_onehot": (
        ["target: the word itself; argmax", "target: the next word; drawn", "The text itself: "],
        [],
    ),
    "text_gru": (["Reconstructions (BLEU-2 ", "Variations of: ", "From: ", "loss_curves.png"], []),
    "shakespeare_vae": (
        ["nats a word, perplexity ", "New lines:", "slang: ", "From: ", "loss_curves.png"],
        ["--units", "8"],
    ),
}
GUIDE = {  # the way to the labs, in order: what each script draws and prints
    "1_one_layer": (
        "step_size.png",
        [
            "dW (3, 5)  largest error",
            "the kernel gives the same",
            "the layer gives the same",
            "passed",
        ],
    ),
    "2_dense_net": ("dense_net.png", ["dW1: largest error", "of it read right"]),
    "3_reparameterization": (
        "estimators.png",
        ["dmu: largest error", "dlv: largest error", "score function"],
    ),
    "4_vae_in_eighty_lines": ("vae.png", ["epoch 1: loss", " + KL "]),
    "5_from_numpy_to_the_microkernel": ("rates.png", ["the microkernel (scratchvae)",
                                                      "the library behind NumPy"]),
}
OTHERS = {                      # that belong to no lab
    "anomaly": {"detection", "extremes"},
    "classifier": {"extremes", "loss_curves"},
    "disentanglement": {"measures", "beta-vae-4", "beta-tc-6"},
    "iwae": set(),
    "posterior_collapse": {"samples"},
}
LABS = {
    "mnist_batchnorm_deep": ["mnist-batchnorm", "mnist-batchnorm-deep"],
    "fashion_conv": ["fashion-autoencoder", "fashion-conv"],
}


@pytest.fixture
def data_dir(small_data):
    """A folder with a small data set of random images under each name."""
    write_idx_files(small_data / "fashion-mnist", seed=1)
    return small_data


def test_there_is_a_script_for_every_lab():
    scripts = sorted(path.stem for path in EXAMPLES.glob("*.py"))
    assert scripts[: len(GUIDE)] == list(GUIDE)
    assert (
        set(scripts[len(GUIDE) :]) - set(OTHERS)
        == {name.replace("-", "_") for name in labs.LABS}
        == {*FIGURES, *TEXTS, "table"}
    )


@pytest.mark.parametrize("script", GUIDE)
def test_a_script_of_the_guide_runs_by_itself(script, small_data, tmp_path):
    figure, printed = GUIDE[script]
    small = {
        "SCRATCHVAE_EPOCHS": "1",
        "SCRATCHVAE_LIMIT": "30",
        "SCRATCHVAE_DRAWS": "1000",
        "MPLBACKEND": "agg",
        "SCRATCHVAE_DATA": str(small_data),
    }
    result = subprocess.run(
        [sys.executable, EXAMPLES / f"{script}.py", "--out", "out"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | small,
    )
    assert result.returncode == 0, result.stderr
    assert all(part in result.stdout for part in [f"out/{figure}", *printed]), result.stdout
    assert is_picture(tmp_path / "out" / figure)


@pytest.mark.parametrize("script", [*GUIDE, *FIGURES, *TEXTS, *OTHERS])
def test_a_script_is_a_notebook(script):
    """Its cells are prose or code; the first one is its title."""
    text = (EXAMPLES / f"{script}.py").read_text()
    before, *cells = text.split("# %%")
    title = f"{script[0]}. " if script in GUIDE else "" if script in OTHERS else "The lab "
    assert not before
    assert cells[0].startswith(f" [markdown]\n# # {title}")
    assert f"python examples/{script}.py" in cells[0]
    for cell in cells:
        kind, _, content = cell.partition("\n")
        if kind == " [markdown]":
            assert all(line.startswith("#") for line in content.strip().splitlines())
        else:
            assert not kind
            compile(content, script, "exec")
    assert [kind for kind in (cell.startswith(" [markdown]") for cell in cells)].count(True) >= 5


def test_eighty_lines_are_not_more():
    text, _, _ = (
        (EXAMPLES / "4_vae_in_eighty_lines.py").read_text().partition("# ## What it has learnt")
    )
    assert sum(bool(line.strip()) and not line.startswith("#") for line in text.splitlines()) <= 80


def test_a_script_runs_by_itself(data_dir, tmp_path):
    result = subprocess.run(
        [
            sys.executable,
            EXAMPLES / "mnist_dense.py",
            "--epochs",
            "1",
            "--limit",
            "20",
            "--data-dir",
            data_dir,
            "--out",
            tmp_path / "out",
        ],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(".png") == 5


@pytest.fixture
def fits(monkeypatch):
    """Return a list that receives (model, x, options) of every call of fit."""
    calls = []
    fit = Model.fit

    def fit_and_keep(self, x, **options):
        calls.append((self, x, options))
        return fit(self, x, **options, progress=False)

    monkeypatch.setattr(Model, "fit", fit_and_keep)
    return calls


@pytest.fixture
def call(monkeypatch, capsys):
    """Return a function that runs a script with options; it returns its output and defaults."""
    given = {}
    read_options = notebook.read_options

    def read_and_keep(**defaults):
        given.update(defaults)
        return read_options(**defaults)

    def run(script, *options):
        path = str(EXAMPLES / f"{script}.py")
        monkeypatch.setattr(sys, "argv", [path, *map(str, options)])
        runpy.run_path(path, run_name="__main__")
        return capsys.readouterr().out, given

    monkeypatch.setattr(notebook, "read_options", read_and_keep)
    return run


def assert_trained_as_its_lab(model, options, lab, **changes):
    """The model, the optimizer and the batch size are the lab's, with these settings changed."""
    expected = lab.make_model(lab.settings | changes)
    expected.build(model.input_shape)
    assert json.dumps(model.get_config()) == json.dumps(expected.get_config())
    assert options["optimizer"].get_config() == lab.make_optimizer(lab.settings).get_config()
    assert options["batch_size"] == lab.batch_size
    assert options.get("shuffle", True) == lab.shuffle


@pytest.mark.parametrize("script", FIGURES)
def test_example_draws_its_figures_and_trains_as_its_lab_does(
    script, data_dir, tmp_path, monkeypatch, fits, call
):
    out = tmp_path / "out"
    monkeypatch.setattr(mnist_batchnorm_deep, "STAGES", TINY)
    more = {"mnist_batchnorm_deep": ["--baseline-epochs", 1], "mnist_latent8": ["--every", 1]}
    data = [] if script == "shapes_beta" else ["--data-dir", data_dir]      # it draws its own
    output, defaults = call(script, "--epochs", 1, "--limit", 20, "--out", out, *data,
                            *more.get(script, []))
    drawn = list(out.glob("*.png"))
    assert {path.stem for path in drawn} == FIGURES[script]
    assert all(str(path) in output for path in drawn)
    if script == "mnist_latent8":
        assert (out / "traversal.gif").exists()
        assert len(list((out / "traversal").iterdir())) == 50

    shown = [labs.get(name) for name in LABS.get(script, [script.replace("_", "-")])]
    assert len(fits) == len(shown)
    for (model, x, options), lab in zip(fits, shown):
        assert_trained_as_its_lab(model, options, lab)
        assert x.shape == (20 - lab.validation_split * 20, *lab.example_shape)
        assert len(options["validation_data"]) == (4 if lab.validation_split else 20)
    assert defaults["epochs"] == shown[-1].epochs


def test_example_of_tables_draws_its_figures_and_trains_as_its_lab_does(tmp_path, fits, call):
    out = tmp_path / "out"
    output, defaults = call("table", "--epochs", 1, "--out", out)
    assert {path.stem for path in out.glob("*.png")} == {
        "loss_curves", "marginals", "correlations", "detection"}
    (model, x, options), = fits
    lab = labs.get("table")
    assert_trained_as_its_lab(model, options, lab)
    assert x.shape == (2500, 13) and defaults["epochs"] == lab.epochs
    assert "filled in by the model" in output and "ROC area" in output


@pytest.mark.parametrize("script", TEXTS)
def test_example_writes_text_and_trains_as_its_lab_does(script, tmp_path, monkeypatch, fits, call):
    monkeypatch.chdir(tmp_path)
    write_play(tmp_path / "tinyshakespeare.txt", speeches=200)
    printed, more = TEXTS[script]
    output, _ = call(script, "--epochs", 1, "--data-dir", ".", *more)
    assert all(part in output for part in printed), output

    lab = labs.get(script.replace("_", "-"))
    kl_weights = [1.0, 0.01] if script == "shakespeare_onehot" else [lab.settings["kl_weight"]]
    assert len(fits) == len(kl_weights)
    for (model, _, options), kl_weight in zip(fits, kl_weights):
        changes = {"kl_weight": kl_weight, "vocabulary_size": words_of(model)}
        if script == "shakespeare_vae":
            changes["units"] = 8
        assert_trained_as_its_lab(model, options, lab, **changes)


def words_of(model):
    """Return the size of the vocabulary that a model writes."""
    return model.decoder.output_shape[-1]


def test_a_script_of_a_lab_imports_its_model_and_states_none():
    for name in labs.LABS:
        script = name.replace("-", "_")
        text = (EXAMPLES / f"{script}.py").read_text()
        assert re.search(rf"from scratchvae\.labs(\.{script} import|.*\b{script}\b)", text)
        assert "scratchvae.layers" not in text
        assert "scratchvae.models import" not in text


def test_the_anomaly_is_not_seen_in_training(data_dir, tmp_path, fits, call):
    out = tmp_path / "out"
    output, _ = call("anomaly", "--digit", 4, "--epochs", 1, "--data-dir", data_dir, "--out", out)
    (model, x, options), = fits
    assert_trained_as_its_lab(model, options, labs.get("mnist-dense"))
    data = load_mnist(data_dir)
    np.testing.assert_array_equal(x, data.x_train[data.y_train != 4].reshape(-1, 784))
    assert {path.stem for path in out.glob("*.png")} == OTHERS["anomaly"]
    assert len(re.findall(r"^ROC area of .* [01]\.\d{3}$", output, re.M)) == 4


def test_the_classifier_is_trained_and_measured(data_dir, tmp_path, call):
    out = tmp_path / "out"
    output, _ = call("classifier", "--epochs", 1, "--data-dir", data_dir, "--out", out)
    assert "Classifier(sparse_categorical_crossentropy, softmax): passed" in output
    assert re.search(r"^accuracy on the test set: \d+\.\d\d%$", output, re.M)
    assert {path.stem for path in out.glob("*.png")} == OTHERS["classifier"]


def test_importance_weights_are_compared(data_dir, call):
    output, _ = call("iwae", "--epochs", 1, "--limit", 200, "--draws", 3, "--data-dir", data_dir)
    rows = re.findall(r"^ +(\d+) +[\d.]+ +[\d.]+ +([\d.]+) +[\d.]+$", output, re.M)
    assert rows == [("1", "86.76"), ("5", "85.54"), ("50", "84.78")]


def test_remedies_of_a_collapse_are_compared(data_dir, tmp_path, call):
    out = tmp_path / "out"
    output, _ = call("posterior_collapse", "--epochs", 1, "--limit", 128, "--draws", 2,
                     "--data-dir", data_dir, "--out", out)
    assert len(re.findall(r"^\S.* \d of 8 +[\d.]+$", output, re.M)) == 8
    assert {path.stem for path in out.glob("*.png")} == OTHERS["posterior_collapse"]


def test_objectives_are_compared_by_how_they_keep_factors_apart(tmp_path, call):
    out = tmp_path / "out"
    output, _ = call("disentanglement", "--epochs", 1, "--limit", 300, "--seeds", 1, "--out", out)
    mig = output.split("MIG: ")[1].splitlines()[1:5]
    assert [line[:17].strip() for line in mig] == ["VAE", "beta-VAE, 4", "beta-VAE, 6",
                                                    "beta-TC, 6"]
    assert all(0 <= float(line.split()[-4]) <= 1 for line in mig)
    assert {path.stem for path in out.glob("*.png")} == OTHERS["disentanglement"]


@pytest.mark.parametrize("digit", ["10", "-1", "one"])
def test_another_digit_is_refused(digit, call, capsys):
    with pytest.raises(SystemExit) as ended:
        call("anomaly", "--digit", digit)
    assert ended.value.code == 2
    assert re.search("a digit from 0 to 9, got|expected one argument", capsys.readouterr().err)
