"""The code in the READMEs runs as it stands there."""
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from helpers import write_idx_files

from scratchvae.gradcheck import check_layer

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "kernels/README.md", "scratchvae/README.md", "examples/README.md",
         "examples/RESULTS.md", "tests/README.md", "scratchvae/shards/README.md"]


def blocks(path, language):
    """The fenced blocks of a language in a README."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / path).read_text(), re.M | re.S)


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """MNIST of a few random images."""
    write_idx_files(tmp_path / "data" / "mnist", train=200, test=100)
    monkeypatch.setenv("SCRATCHVAE_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def test_the_first_page_is_short_and_its_first_two_blocks_install_and_run():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    first, second, *_ = blocks("README.md", "sh")
    assert first.endswith("scratchvae train mnist-dense\n")
    assert second.endswith("-m pytest\n")


def test_the_python_of_the_first_page_runs(small_mnist, capsys):
    code, = blocks("README.md", "python")
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["images"].shape == (16, 784)
    assert names["z_mean"].shape == (100, 2)
    assert len(names["history"]) == 5
    assert Path("digits.npz").exists()
    assert "passed" in capsys.readouterr().out


def test_the_search_with_scikit_learn_runs():
    pytest.importorskip("sklearn", minversion="1.6")
    code = blocks("examples/README.md", "python")[-1]
    names = {}
    exec(compile(code, "examples/README.md", "exec"), names)
    assert len(names["Z"]) == 200


def test_the_table_of_the_page_is_learnt(capsys):
    code, = [block for block in blocks("examples/README.md", "python") if "load_table" in block]
    exec(compile(code, "examples/README.md", "exec"), {})
    assert "'kind': ['" in capsys.readouterr().out


def test_data_larger_than_the_memory_are_read_as_the_page_says(small_mnist):
    np.save("photos.npy", np.arange(3 * 784, dtype=np.uint8).reshape(3, 784))
    _, code, *_ = blocks("scratchvae/README.md", "python")
    names = {}
    exec(compile(code, "scratchvae/README.md", "exec"), names)
    assert names["first"].dtype == np.float32
    assert names["z_mean"].shape == (3, 2)


def test_a_training_that_may_stop_early_runs():
    _, _, code, *_ = blocks("scratchvae/README.md", "python")
    names = {}
    exec(compile(code, "scratchvae/README.md", "exec"), names)
    history = names["history"]
    assert history.best_epoch <= len(history) <= 30
    assert history.columns[-1] == "val_spread"


def test_a_conditional_model_runs(small_mnist):
    _, _, _, code, *_ = blocks("scratchvae/README.md", "python")
    names = {}
    exec(compile(code, "scratchvae/README.md", "exec"), names)
    assert names["sevens"].shape == (16, 784)
    assert names["style"].shape == (10, 784)


def test_a_model_that_leaves_and_comes_back_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("safetensors")
    monkeypatch.chdir(tmp_path)
    code, = [block for block in blocks("scratchvae/README.md", "python") if "exchange" in block]
    exec(code, {})
    assert "encoder/dense/kernel <- encoder.dense (20, 16)" in capsys.readouterr().out
    assert (tmp_path / "there" / "rebuild.py").is_file()


def test_the_layer_of_ones_own_passes_its_check():
    *_, layer = blocks("scratchvae/README.md", "python")
    names = {"__name__": "a_page"}
    exec(compile(layer, "scratchvae/README.md", "exec"), names)
    assert check_layer(names["Scale"](), input_shape=(7,)).passed


def test_the_gradients_of_a_function_are_asserted():
    *_, code, _ = blocks("scratchvae/README.md", "python")
    names = {"np": np}
    exec(compile(code, "scratchvae/README.md", "exec"), names)
    names["test_my_function"]()


def test_the_training_step_in_the_readme_is_that_of_the_code():
    step, *_ = blocks("scratchvae/README.md", "python")
    code = textwrap.dedent((ROOT / "scratchvae/models/vae.py").read_text())
    lines = [line.strip() for line in step.splitlines() if line.strip()]
    code_lines = {line.strip() for line in code.splitlines()}
    assert len(lines) > 15
    assert not [line for line in lines if line not in code_lines]


def test_an_operation_by_hand_runs(capsys):
    declared, code = blocks("kernels/README.md", "python")
    assert declared in (ROOT / "kernels/reference/dense.py").read_text()
    exec(compile(code, "kernels/README.md", "exec"), {})
    assert float(capsys.readouterr().out) < 1e-5


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_to_files(path):
    text = (ROOT / path).read_text()
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    missing = [link for link in links if not ((ROOT / path).parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("path", PAGES)
def test_files_named_in_tables_exist(path):
    text = (ROOT / path).read_text()
    for name in re.findall(r"`((?:test_|golden/)\w+\.\w+)`", text):
        assert (ROOT / "tests" / name).exists(), name
