"""Planted mistakes: each is caught by the check that is named for it, which passes without the
mistake.
"""

import inspect

import pytest

import kernels
from scratchvae.gradcheck.check import check_layer
from scratchvae.layers import Dense
from scratchvae.teaching.sabotage import MISTAKES, Mistake, sabotage
from scratchvae.teaching.sabotage.plant import Edit, Verdict, planted
from scratchvae.teaching.sabotage.table import print_results

REFERENCE = kernels.load("reference")
BLIND = {
    "sigma-squared-twice": "spread of samples",
    "gru-gates-swapped": "golden values",
    "convolution-flipped": "golden values",
    "adam-no-correction": "a known first step",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_is_caught_by_its_check_and_the_right_kernels_pass_it(name):
    result = sabotage(MISTAKES[name])
    assert result.caught and not result.named.passed and result.without.passed
    assert result.mistake.check_name == BLIND.get(name, "gradient check")
    assert result.gradient.passed == (
        name in BLIND
    )  # what the gradient check can't see is said to be so, rightly


def test_the_lines_that_are_shown_are_the_source_s():
    for mistake in MISTAKES.values():
        for edit in mistake.edits:
            right, wrong = edit.lines
            source = inspect.getsource(getattr(REFERENCE, edit.operation))
            assert source.count(right) == 1 and right != wrong and edit.wrong.strip() in wrong


def test_the_right_kernels_come_back():
    before = {name: getattr(REFERENCE, name) for name in vars(REFERENCE)}
    with pytest.raises(ZeroDivisionError), planted(MISTAKES["gru-gates-swapped"]):
        assert REFERENCE.gru_forward is not before["gru_forward"]
        raise ZeroDivisionError
    assert {name: getattr(REFERENCE, name) for name in before} == before


def test_a_mistake_that_nobody_catches_is_told(capsys):
    """One that isn't one: the line says the same in other words."""
    same = Edit("dense_backward", "np.sum(dz, axis=0, out=dbias)", "np.sum(dz, 0, out=dbias)")
    harmless = Mistake(
        "harmless", "nothing at all", (same,), "it is right", MISTAKES["bias-mean"].gradient_check
    )
    assert not print_results([sabotage(harmless)])
    assert "0 of 1" in capsys.readouterr().out


def test_an_edit_must_fit_the_source():
    with (
        pytest.raises(ValueError, match="stands 0 times"),
        planted(Mistake("", "", (Edit("dense_backward", "no such line", ""),), "", None)),
    ):
        pass


def test_a_check_that_fails_always_catches_nothing():
    always = Mistake("", "", (), "", lambda: Verdict(False, "wrong"))
    assert not sabotage(always).caught


def test_the_command(run):
    code, output, _ = run("gradcheck", "--sabotage")
    assert (
        code == 0
        and all(name in output for name in MISTAKES)
        and "16 of 16 mistakes caught" in output
    )
    assert max(map(len, output.splitlines())) <= 120
    code, output, _ = run("gradcheck", "--sabotage", "kl-sign")
    assert (
        code == 0
        and "right  dz_mean += factor * z_mean" in output
        and "wrong  dz_mean -= factor * z_mean" in output
    )
    assert "gradient check: FAILS" in output and "loss-no-mean" not in output


def test_the_command_s_code_is_1_where_one_gets_away(run, monkeypatch):
    blind = MISTAKES["adam-no-correction"]
    monkeypatch.setitem(
        MISTAKES,
        "adam-no-correction",
        Mistake(blind.name, blind.title, blind.edits, blind.why, blind.gradient_check),
    )
    assert run("gradcheck", "--sabotage", "adam-no-correction")[0] == 1


def test_wrong_names(run):
    code, _, errors = run("gradcheck", "--sabotage", "kl-sine")
    assert (
        code == 2
        and "kl-sign" in errors
        and "'kl-sine'" in errors
        and len([line for line in errors.splitlines() if "kl-s" in line]) == 1
    )
    for arguments in (["mnist-dense", "--sabotage"], ["--backend", "cpu", "--sabotage"]):
        assert run("gradcheck", *arguments)[0] == 2


def test_a_planted_mistake_is_in_the_layers():
    layer = Dense(4)
    layer.backend = "reference"
    with planted(MISTAKES["bias-mean"]):
        wrong = [row.parameter for row in check_layer(layer, (3,)).rows if not row.passed]
    assert wrong == ["bias"]
