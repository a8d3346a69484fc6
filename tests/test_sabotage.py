"""Planted mistakes: the check named for each catches it, and passes without it."""
import inspect
from pathlib import Path

import pytest
from scratchvae.kernels.backend import operations
from scratchvae.kernels.own import FILES

from scratchvae import kernels
from scratchvae.gradcheck.check import check_layer
from scratchvae.layers import GRU, Bidirectional, Dense
from scratchvae.teaching.course.folder import reference_file
from scratchvae.teaching.course.hunt import plant
from scratchvae.teaching.judge import operations as judging
from scratchvae.teaching.sabotage import MISTAKES, Ground, Mistake, sabotage
from scratchvae.teaching.sabotage.checks import BESIDE, GOLDEN
from scratchvae.teaching.sabotage.plant import Edit, Verdict, planted
from scratchvae.teaching.sabotage.table import print_results

REFERENCE = kernels.load("reference")
NOT_SEEN_BY_GRADIENT_CHECKS = {         # mistake -> the check that catches it
    "cross-entropy-log": BESIDE,
    "sigma-squared-twice": GOLDEN,
    "dout-overwritten": BESIDE,
    "sigmoid-overflow": BESIDE,
    "softmax-overflow": BESIDE,
    "dropout-not-scaled": GOLDEN,
    "moving-average-swapped": GOLDEN,
    "batchnorm-inference": GOLDEN,
    "convolution-flipped": GOLDEN,
    "padding-side": GOLDEN,
    "transposed-bias": GOLDEN,
    "average-of-border": GOLDEN,
    "pooling-ties": BESIDE,
    "words-not-shifted": BESIDE,
    "gru-gates-swapped": GOLDEN,
    "gru-mask": GOLDEN,
    "lstm-gates-swapped": GOLDEN,
    "adam-no-correction": GOLDEN,
    "adam-step-1": GOLDEN,
    "sgd-velocity": GOLDEN,
    "rmsprop-epsilon": GOLDEN,
    "clip-by-value": GOLDEN,
}
COUNT = 48


def test_there_are_as_many_mistakes_as_the_readme_says():
    assert len(MISTAKES) == COUNT
    assert NOT_SEEN_BY_GRADIENT_CHECKS.keys() < MISTAKES.keys()
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    assert f"{COUNT} classic mistakes" in readme


def test_names_and_titles_occur_once():
    titles = [mistake.title for mistake in MISTAKES.values()]
    assert len(set(titles)) == len(titles)
    for name, mistake in MISTAKES.items():
        assert mistake.name == name
        assert not mistake.title.endswith(".")


@pytest.fixture(scope="module")
def results():
    """name -> Result of every mistake."""
    return {name: sabotage(mistake) for name, mistake in MISTAKES.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_each_is_caught_by_its_check_and_the_right_kernels_pass_it(name, results):
    result = results[name]
    assert not result.named.passed
    assert result.without.passed
    assert result.caught
    assert result.mistake.check_name == NOT_SEEN_BY_GRADIENT_CHECKS.get(name, "gradient check")
    assert result.gradient.passed == (name in NOT_SEEN_BY_GRADIENT_CHECKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_each_can_be_planted_in_a_folder(name, tmp_path):
    """The folder differs from the right one in the lines of the edits, and loads."""
    folder = tmp_path / "hunt"
    plant(MISTAKES[name], folder)
    backend = kernels.load(str(folder))
    assert set(backend.written) == set(operations(REFERENCE))
    changed = 0
    for file in FILES:
        right = reference_file(Path(file).stem).splitlines()
        wrong = (folder / file).read_text(encoding="utf-8").splitlines()
        changed += sum(a != b for a, b in zip(right, wrong, strict=True))
    lines = {(edit.operation, edit.lines[0]) for edit in MISTAKES[name].edits}
    assert changed == len(lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_the_judge_finds_each_in_a_folder(name, tmp_path, monkeypatch):
    # What an array looks like takes long to find, and test_judge.py tests it.
    monkeypatch.setattr(judging, "looks_like", lambda *_: [])
    monkeypatch.setattr(judging, "as_if", lambda *_: "")
    folder = tmp_path / "hunt"
    plant(MISTAKES[name], folder)
    backend = kernels.load(str(folder))
    for operation in {edit.operation for edit in MISTAKES[name].edits}:
        assert not judging.judge(backend, REFERENCE, operation).passed


def test_the_lines_that_are_shown_are_those_of_the_source():
    for mistake in MISTAKES.values():
        for edit in mistake.edits:
            right, wrong = edit.lines
            source = inspect.getsource(getattr(REFERENCE, edit.operation))
            assert source.count(right) == 1
            assert right != wrong
            assert edit.wrong.strip() in wrong


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=lambda mistake: mistake.name)
def test_explanations_end_without_a_full_stop(mistake):
    """The table adds it."""
    assert mistake.why
    assert not mistake.why.endswith((".", " "))


def test_the_right_kernels_come_back():
    before = {name: getattr(REFERENCE, name) for name in vars(REFERENCE)}
    with pytest.raises(ZeroDivisionError), planted(MISTAKES["gru-gates-swapped"]):
        assert REFERENCE.gru_forward is not before["gru_forward"]
        raise ZeroDivisionError
    assert {name: getattr(REFERENCE, name) for name in before} == before


def test_a_mistake_that_no_check_catches_is_reported(capsys):
    """The edit changes the text of a line and not what it computes."""
    same = Edit("dense_backward", "np.sum(dz, axis=0, out=dbias)", "np.sum(dz, 0, out=dbias)")
    harmless = Mistake("harmless", "no mistake", (same,), "the line is right",
                       MISTAKES["bias-mean"].gradient_check)
    assert not print_results([sabotage(harmless)])
    output = capsys.readouterr().out
    assert "0 of 1" in output
    assert "1 NOT CAUGHT" in output


def test_an_edit_must_fit_the_source():
    mistake = Mistake("", "", (Edit("dense_backward", "no such line", ""),), "", None)
    message = "dense_backward: 'no such line' must occur once in its source, but occurs 0 times"
    with pytest.raises(ValueError, match=message), planted(mistake):
        pass


def test_a_check_that_always_fails_catches_nothing():
    always = Mistake("", "", (), "", lambda: Verdict(False, "wrong"))
    assert not sabotage(always).caught


@pytest.mark.slow
def test_the_command_plants_all_mistakes(run, results, monkeypatch):
    """It shows what the fixture computed."""
    monkeypatch.setattr("scratchvae.teaching.sabotage.sabotage",
                        lambda mistake: results[mistake.name])
    code, output, _ = run("gradcheck", "--sabotage")
    assert code == 0
    assert all(name in output for name in MISTAKES)
    assert f"{COUNT} of {COUNT} mistakes caught" in output
    assert "NOT CAUGHT" not in output
    assert max(map(len, output.splitlines())) <= 120


def test_the_command_plants_one_mistake(run):
    code, output, _ = run("gradcheck", "--sabotage", "kl-sign")
    assert code == 0
    assert "right  dz_mean += factor * z_mean" in output
    assert "wrong  dz_mean -= factor * z_mean" in output
    assert "gradient check: FAILS" in output
    assert "loss-no-mean" not in output


def test_the_command_s_code_is_1_if_a_mistake_is_not_caught(run, monkeypatch):
    adam = MISTAKES["adam-no-correction"]
    unseen = Mistake(adam.name, adam.title, adam.edits, adam.why, adam.gradient_check)
    monkeypatch.setitem(MISTAKES, adam.name, unseen)
    code, output, _ = run("gradcheck", "--sabotage", adam.name)
    assert code == 1
    assert "0 of 1" in output


@pytest.mark.parametrize("name", ["kl-sign", "gru-mask", "pooling-ties", "sgd-velocity"])
def test_mistakes_can_be_planted_in_any_backend(name):
    cpu = kernels.load("cpu")
    right = dict(vars(cpu))
    with Ground.on("cpu"):
        assert sabotage(MISTAKES[name]).caught
    assert vars(cpu) == right
    assert Ground.backend == "reference"


def test_wrong_names_are_refused(run):
    code, _, errors = run("gradcheck", "--sabotage", "kl-sine")
    assert code == 2
    assert "'kl-sine'" in errors
    assert "kl-sign" in errors
    assert len([line for line in errors.splitlines() if "kl-s" in line]) == 1


@pytest.mark.parametrize("arguments", [["mnist-dense", "--sabotage"],
                                       ["--backend", "cuda", "--sabotage"]])
def test_other_arguments_are_refused(run, arguments):
    assert run("gradcheck", *arguments)[0] == 2


def test_a_planted_mistake_is_in_the_layers():
    layer = Dense(4)
    layer.backend = "reference"
    with planted(MISTAKES["bias-mean"]):
        wrong = [row.parameter for row in check_layer(layer, (3,)).rows if not row.passed]
    assert wrong == ["bias"]


def test_a_wrong_gradient_in_a_wrapped_layer_is_reported():
    """The parameters of a layer that wraps others have names with a slash."""
    layer = Bidirectional(GRU(2, return_sequences=True))
    layer.backend = "reference"
    with planted(MISTAKES["gru-direction"]):
        wrong = [row.parameter for row in check_layer(layer, (4, 3)).rows if not row.passed]
    assert "backward/kernel" in wrong
    assert not any(name.startswith("forward") for name in wrong)
