"""What a notebook shows: the examples as notebooks, and how results represent themselves there."""
import html
import importlib.util
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import small_vae, write_idx_files, write_play
from matplotlib import pyplot
from trace_subjects import no_benchmark, quick, subject  # noqa: F401 (a fixture)

from scratchvae import notebook
from scratchvae.analysis import plots
from scratchvae.layers import BatchNormalization, Dense
from scratchvae.models import VAE, Sequential
from scratchvae.teaching import explore
from scratchvae.training import History

pytest_plugins = "explore_runs"
FOLDER = Path(__file__).parents[1] / "examples" / "notebooks"
PICTURES = {                    # of each notebook
    "1_one_layer": 1,
    "2_dense_net": 1,
    "3_reparameterization": 1,
    "4_vae_in_eighty_lines": 1,
    "5_from_numpy_to_the_microkernel": 1,
    "anomaly": 2,
    "classifier": 2,
    "disentanglement": 3,
    "fashion_autoencoder": 4,
    "fashion_conv": 8,
    "iwae": 0,
    "mnist_batchnorm": 5,
    "mnist_batchnorm_deep": 6,
    "mnist_conv": 5,
    "mnist_dense": 5,
    "mnist_latent8": 9,
    "posterior_collapse": 1,
    "shakespeare_onehot": 0,
    "shakespeare_vae": 1,
    "shapes_beta": 5,
    "table": 4,
    "text_gru": 1,
}
TABLES = {"disentanglement": 0, "fashion_conv": 2, "iwae": 0, "mnist_batchnorm_deep": 2,
          "posterior_collapse": 0, "shakespeare_onehot": 2,
          **dict.fromkeys((name for name in PICTURES if name[0] in "12345"), 0)}
SMALL = {"EPOCHS": "1", "BASELINE_EPOCHS": "1", "LIMIT": "1000", "DRAWS": "100", "EVERY": "1",
         "UNITS": "8", "SEEDS": "1"}


def load_build():
    """Return the program that builds the notebooks, as a module."""
    specification = importlib.util.spec_from_file_location("build", FOLDER / "build.py")
    build = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(build)
    return build


# The notebooks.


def test_the_notebooks_are_what_the_scripts_say():
    """If not: python examples/notebooks/build.py"""
    build = load_build()
    expected = {build.notebook_of(script): build.build(script) for script in build.scripts()}
    assert sorted(path.stem for path in expected) == sorted(PICTURES)
    assert sorted(FOLDER.glob("*.ipynb")) == sorted(expected)
    old = [path.name for path, text in expected.items() if path.read_text() != text]
    assert not old


def test_the_first_cell_installs_only_what_is_missing(monkeypatch):
    installed = []
    code = load_build().INSTALL.replace("%pip install", "pip(r'''") .replace("]\"", "]\"''')")
    exec(code, {"pip": installed.append})
    assert installed == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(code, {"pip": installed.append})
    assert installed == [' -q "../..[notebook]"']
    assert (FOLDER / "../../setup.cfg").exists()


@pytest.mark.notebooks
@pytest.mark.parametrize("name", PICTURES)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    """Without an error and a warning; each figure is shown once, and nothing is written."""
    nbclient = pytest.importorskip("nbclient")
    import nbformat
    data = tmp_path / "data"
    write_idx_files(data / "mnist")
    write_idx_files(data / "fashion-mnist", seed=1)
    write_play(data / "shakespeare" / "tinyshakespeare.txt", speeches=200)
    monkeypatch.setenv("SCRATCHVAE_DATA", str(data))
    for option, value in SMALL.items():
        monkeypatch.setenv(f"SCRATCHVAE_{option}", value)
    here = tmp_path / "here"
    here.mkdir()
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3",
                            resources={"metadata": {"path": str(here)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    errors = [output.text for output in outputs if output.get("name") == "stderr"]
    kinds = [kind for output in outputs for kind in output.get("data", ())]
    assert not [text for text in errors if "ScratchVAEWarning" not in text]
    assert sum(kind in ("image/png", "image/gif") for kind in kinds) == PICTURES[name]
    assert kinds.count("text/html") == TABLES.get(name, 1)
    text = (FOLDER / f"{name}.ipynb").read_text()
    trains = "fit(" in text or "train_classifier(" in text
    assert trains == ("application/vnd.jupyter.widget-view+json" in kinds) or name[0] in "24"
    assert bool(list(here.iterdir())) == (name == "mnist_latent8")      # its animation


# What lets a script be a notebook.


def test_options_come_from_the_command_line_of_a_script(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["script", "--epochs", "3", "--data-dir", "there"])
    monkeypatch.setenv("SCRATCHVAE_EPOCHS", "4")
    monkeypatch.setenv("SCRATCHVAE_LIMIT", "5")
    options = notebook.read_options(epochs=50, limit=None, data_dir=None, out="here")
    assert vars(options) == {"epochs": 3, "limit": 5, "data_dir": Path("there"),
                             "out": Path("here")}


KERNEL = SimpleNamespace(config={"IPKernelApp": {}})


@pytest.mark.parametrize("shell, expected", [(KERNEL, True), (SimpleNamespace(config={}), False),
                                             (None, False)])
def test_a_terminal_of_ipython_is_no_notebook(shell, expected, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert notebook.in_notebook() == expected


def test_in_a_notebook_the_kernels_command_line_is_not_read(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel.json"])
    monkeypatch.setattr(notebook, "in_notebook", lambda: True)
    assert vars(notebook.read_options(epochs=50, limit=None)) == {"epochs": 50, "limit": None}


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--epochs", "many"], ["--other", "1"]])
def test_a_wrong_option_is_refused(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["script", *arguments])
    with pytest.raises(SystemExit) as ended:
        notebook.read_options(epochs=50)
    assert ended.value.code == 2
    assert re.search("positive integer, got|unrecognized arguments", capsys.readouterr().err)


def test_a_script_writes_figures_and_prints_the_rest(tmp_path, capsys):
    path = tmp_path / "deep" / "a.png"
    figure = plots.step_curve([1, 2], [3.0, 2.0], title="t")
    notebook.show(figure, path)
    notebook.show(History())
    assert path.exists()
    assert capsys.readouterr().out == f"{path}\nHistory of 0 epochs\n"


def test_a_notebook_displays_each_figure_once(monkeypatch, tmp_path):
    shown = []
    display = SimpleNamespace(display=shown.append, Image=lambda path: ("image", path))
    monkeypatch.setattr(notebook, "in_notebook", lambda: True)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    figure = pyplot.figure()
    for thing in (figure, tmp_path / "a.gif"):
        notebook.show(thing, tmp_path / "a.png")
    assert shown == [figure, ("image", tmp_path / "a.gif")]
    assert figure.number not in pyplot.get_fignums()
    assert not list(tmp_path.iterdir())


# Representations.


def test_a_model_shows_its_table(x):
    vae = small_vae()
    assert repr(vae) == vae._repr_html_() == "VAE, not built: it has no parameters yet"
    vae.build((12,))
    assert repr(vae) == vae.summary()
    table = vae._repr_html_()
    cells = re.findall("<td>(.*?)</td>", table)
    assert cells[:3] == ["dense (Dense)", "(None, 7)", "91"]
    assert len(cells) == 3 * len(vae.layers)
    assert "decoder: 108 parameters" in table
    assert "Total: 247 parameters" in table


def test_a_network_of_a_model_shows_its_own_table(x):
    vae = VAE([Dense(7), BatchNormalization()], 3, [Dense(12, "sigmoid")])
    vae.build((12,))
    assert repr(vae.encoder).splitlines()[-1] == (
        "Total: 119 parameters, 105 of them trained by gradients, 14 moving averages")
    assert "sequential: 119 parameters" in vae.encoder._repr_html_()
    assert repr(Sequential([Dense(3)])).startswith("Sequential, not built")


def history(epochs, validated=True):
    """Return a history whose losses fall from 99.25 by 1 in each epoch."""
    validation = 0.5 if validated else None
    return History({"epoch": epoch, "loss": 100.25 - epoch, "reconstruction": 90.0, "kl": 4.0,
                    "val_loss": validation, "seconds": 1.25} for epoch in range(1, epochs + 1))


def test_a_history_shows_its_last_epochs():
    heading, names, *rows = repr(history(7)).splitlines()
    assert heading == "History of 7 epochs; the last 5"
    assert names.split() == ["epoch", "loss", "reconstruction", "kl", "val_loss", "seconds"]
    assert [row.split()[0] for row in rows] == list("34567")
    assert rows[-1].split() == ["7", "93.25", "90", "4", "0.5", "1.2"]
    assert len({len(row) for row in rows}) == 1
    heading, names, row = repr(history(1, validated=False)).splitlines()
    assert heading == "History of 1 epoch"
    assert "val_loss" not in names
    assert repr(History()) == History()._repr_html_() == "History of 0 epochs"


def test_a_history_shows_its_curves():
    page = history(7)._repr_html_()
    assert page.count("<tr>") == 1 + 5
    assert page.count('<circle class="training"') == 7
    assert page.count('<circle class="validation"') == 7
    assert '<circle class="validation"' not in history(7, validated=False)._repr_html_()


def page_in(frame):
    """Return the page in a frame."""
    text, = re.findall(r'^<iframe srcdoc="([^"]*)"[^>]*></iframe>$', frame)
    return html.unescape(text)


def test_a_trace_shows_its_page_and_prints_one_line(x):
    trace = quick(subject(small_vae(), x))
    page = page_in(trace._repr_html_())
    assert page.startswith("<!doctype html>")
    assert "encoder/dense" in page
    assert re.fullmatch(r".*: step 2, batch of .*", repr(trace))


def test_explore_shows_the_page_that_it_writes(runs, tmp_path):
    run = runs("mnist-dense")
    path = explore.write_page(run, tmp_path / "page.html")
    assert page_in(explore.show(run.folder)._repr_html_()) == path.read_text()
    assert len(repr(explore.show(run.folder))) < 200


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("stream, drawn", [(Terminal, True), (io.StringIO, False)])
def test_fit_draws_its_bar_on_a_terminal_alone(stream, drawn, x, monkeypatch):
    errors = stream()
    monkeypatch.setattr(sys, "stderr", errors)
    small_vae().fit(x, epochs=2)
    assert ("epoch 2/2" in errors.getvalue()) == drawn
