"""The measures of disentanglement on constructed codes, whose values follow from definitions."""
import math
import sys

import numpy as np
import pytest
from helpers import small_vae

from scratchvae import labs
from scratchvae.analysis import disentanglement, metrics
from scratchvae.analysis.disentanglement import (
    MEANINGS,
    beta_vae_score,
    dci,
    evaluate,
    factor_vae_score,
    mig,
    sap,
)
from scratchvae.analysis.disentanglement.dci import from_importances
from scratchvae.analysis.disentanglement.mig import factor_information, shared
from scratchvae.analysis.disentanglement.sap import balanced_accuracy, squared_correlation
from scratchvae.data import load_shapes
from scratchvae.data.shapes import known_factors
from scratchvae.errors import ScratchVAEError
from scratchvae.labs.lab import Lab
from scratchvae.runs import measures

N = 2000
CATEGORICAL = (True, False, False, False)
MEASURES = {                    # each returns a number, or several
    "mig": mig,
    "sap": lambda z, v: sap(z, v, CATEGORICAL),
    "dci": lambda z, v: dci(z, v, CATEGORICAL),
    "beta_vae": beta_vae_score,
    "factor_vae": factor_vae_score,
}
# The scores of a code that is its factors; a class of four counts 3/4 in SAP.
BEST = dict.fromkeys(MEASURES, 1) | {"sap": (3 + 3 / 4) / 4, "dci": (1, 1, 1)}
# Those of a code that knows nothing; it is right about one of four values of a class.
CHANCE = {"mig": 0, "sap": 0, "dci": (0, 0, 1 / 16), "beta_vae": 1 / 4, "factor_vae": 1 / 4}
EVERY_MEASURE = pytest.mark.parametrize("name", MEASURES)


@pytest.fixture
def factors():
    """Four factors of four to eight values, independent and uniform."""
    rng = np.random.default_rng(0)
    return np.stack([rng.integers(0, size, N) for size in (4, 5, 6, 8)], axis=1)


def standardised(factors):
    """A code of one dimension for each factor, with mean 0 and variance 1."""
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


def mixed(factors):
    """A rotated code: each dimension has an equal part of each factor (a Hadamard matrix)."""
    two = np.array([[1, 1], [1, -1]])
    return standardised(factors) @ np.kron(two, two) / 2


@EVERY_MEASURE
def test_a_code_that_is_its_factors_is_perfect(name, factors):
    assert MEASURES[name](standardised(factors), factors) == pytest.approx(BEST[name], abs=0.01)


@EVERY_MEASURE
def test_dimensions_of_noise_do_no_harm(name, factors, rng):
    z = np.hstack([standardised(factors), 0.1 * rng.standard_normal((N, 3))])
    assert MEASURES[name](z, factors) == pytest.approx(BEST[name], abs=0.02)


@EVERY_MEASURE
def test_a_code_of_noise_is_at_chance(name, factors, rng):
    z = rng.standard_normal((N, 6))
    assert MEASURES[name](z, factors) == pytest.approx(CHANCE[name], abs=0.06)


@EVERY_MEASURE
def test_a_rotated_code_is_told_from_its_factors(name, factors):
    value = MEASURES[name](mixed(factors), factors)
    if name == "dci":
        assert value.informativeness > 0.8              # nothing is lost by a rotation
        value = max(value[:2])
    assert value < 0.6


@EVERY_MEASURE
def test_the_order_and_the_scale_of_dimensions_do_not_matter(name, factors, rng):
    z = mixed(factors) + standardised(factors) + 0.3 * rng.standard_normal((N, 4))
    changed = z[:, [2, 0, 3, 1]] * [4, -0.5, -2, 1] + [0, 100, 0, -1]
    tolerance = {"mig": 0.005, "sap": 1e-9}.get(name, 0.04)
    assert MEASURES[name](changed, factors) == pytest.approx(MEASURES[name](z, factors),
                                                             abs=tolerance)


@pytest.mark.parametrize("measure", [MEASURES["dci"], beta_vae_score, factor_vae_score])
def test_the_same_seed_gives_the_same_number(measure, factors):
    z = mixed(factors)[:300]
    assert measure(z, factors[:300]) == measure(z, factors[:300])


@EVERY_MEASURE
@pytest.mark.parametrize("z", [np.zeros((N, 3)), np.ones((N, 1))])
def test_a_collapsed_code_is_at_chance(name, z, factors):
    assert MEASURES[name](z, factors) == pytest.approx(CHANCE[name], abs=0.06)


@EVERY_MEASURE
def test_a_single_dimension_has_a_score(name, factors):
    value = MEASURES[name](standardised(factors)[:, :1], factors)
    assert np.all(np.array(value) >= np.array(CHANCE[name]) - 0.06)
    assert np.all(np.array(value) <= 1)


@EVERY_MEASURE
@pytest.mark.parametrize("z, v, message", [
    (np.zeros((5, 2)), np.zeros((4, 1), int), r"shapes \(N, J\) and \(N, K\), got \(5, 2\) and"),
    (np.zeros(4), np.zeros((4, 1), int), r"got \(4,\) and \(4, 1\)"),
    (np.full((4, 2), np.nan), np.zeros((4, 1), int), "codes must be finite, but 8 numbers are not"),
    (np.zeros((4, 2)), np.eye(4), "factors must be whole numbers from 0, .* got float64"),
    (np.zeros((4, 2)), np.zeros((4, 4), int), "each factor must have at least two values"),
])
def test_wrong_arrays_get_one_clear_line(name, z, v, message):
    with pytest.raises(ScratchVAEError, match=message):
        MEASURES[name](z, v)


# MIG.

def test_mig_by_hand():
    """Four examples of two factors: z_1 is v_1; z_2 tells only whether both are 1.

    I(z_1; v_1) = H(v_1) = ln 2. z_2 is 1 in one of four: I(z_2; v_1) = H(z_2) - H(z_2 | v_1)
    = H(1/4) - ln 2 / 2, and the same for v_2, of which z_1 knows nothing.
    """
    v = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    z = np.array([[0.0, 0], [0, 0], [1, 0], [1, 1]])
    quarter = -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    second = quarter - math.log(2) / 2
    information, entropy = factor_information(z, v)
    np.testing.assert_allclose(information, [[math.log(2), 0], [second, second]], atol=1e-15)
    np.testing.assert_allclose(entropy, math.log(2))
    expected = ((math.log(2) - second) / math.log(2) + second / math.log(2)) / 2
    assert mig(z, v) == pytest.approx(expected) == pytest.approx(0.5)


def test_information_is_the_reduction_of_entropy(rng):
    a, b = rng.integers(0, 4, (2, 500))
    b = np.where(rng.random(500) < 0.5, a, b)

    def entropy(x):
        p = np.unique(x, return_counts=True, axis=0)[1] / 500
        return -np.sum(p * np.log(p))
    both = entropy(np.stack([a, b], axis=1))
    assert shared(a, b) == pytest.approx(entropy(a) + entropy(b) - both)


def test_a_factor_in_two_dimensions_has_no_gap(factors):
    z = standardised(factors)
    assert mig(np.hstack([z, z]), factors) == 0
    assert sap(np.hstack([z, z]), factors, CATEGORICAL) == 0


def test_bins_bound_what_a_dimension_can_tell(rng):
    v = rng.integers(0, 40, (20_000, 1))
    assert mig(v, v) == pytest.approx(math.log(20) / math.log(40), abs=0.01)
    assert mig(v, v, bins=40) == pytest.approx(1)


# SAP.

def test_the_correlation_is_numpy_s(rng):
    a, b = rng.standard_normal((2, 100))
    assert squared_correlation(a, a + b) == pytest.approx(np.corrcoef(a, a + b)[0, 1] ** 2)


def test_thresholds_are_the_best_ones(rng):
    """Against all pairs of thresholds, in classes of unequal size, with equal codes."""
    code = rng.integers(0, 8, 60) / 7
    factor = np.where(rng.random(60) < 0.6, np.digitize(code, [0.3, 0.6]), rng.integers(0, 3, 60))
    factor = (factor + 1) % 3           # the classes are not in the order of the codes
    best = 0
    for low in np.arange(-0.5, 8.5) / 7:
        for high in np.arange(-0.5, 8.5) / 7:
            interval = (code > low).astype(int) + (code > max(low, high))
            for names in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
                right = np.array(names)[interval] == factor
                best = max(best, np.mean([right[factor == c].mean() for c in range(3)]))
    assert balanced_accuracy(code, factor) == pytest.approx(best)
    assert balanced_accuracy(np.zeros(60), np.sort(factor)) == pytest.approx(1 / 3)    # all equal


def test_too_many_classes_are_refused(rng):
    with pytest.raises(ScratchVAEError, match="a class may have at most 6 values, got 7"):
        sap(rng.random((100, 2)), np.arange(100)[:, None] % 7, [True])
    with pytest.raises(ScratchVAEError, match="categorical must have 1 values, .* got 2"):
        sap(rng.random((100, 2)), np.arange(100)[:, None] % 7, [True, False])


# DCI.

def test_importances_by_hand():
    """The identity is perfect. A row of (1, 1) is about two of two factors."""
    assert from_importances(np.eye(3)) == (1, 1)
    disentangled, complete = from_importances(np.array([[1.0, 1], [2, 0]]))
    assert disentangled == pytest.approx(0.5 * 0 + 0.5 * 1)             # weights 2/4 and 2/4
    third = -(math.log(1 / 3) / 3 + math.log(2 / 3) * 2 / 3) / math.log(2)
    assert complete == pytest.approx((1 - third + 1) / 2)
    assert from_importances(np.ones((4, 4))) == pytest.approx((0, 0))
    assert from_importances(np.zeros((3, 2))) == (0, 0)


def test_two_dimensions_of_a_factor_are_disentangled_but_not_complete(factors, rng):
    """Each has half of the factor: the sign, and the size."""
    z = standardised(factors)
    halves = np.stack([factors[:, 3] // 4, factors[:, 3] % 4], axis=1)
    result = dci(np.hstack([z[:, :3], halves]), factors, CATEGORICAL)
    assert result.disentanglement == pytest.approx(1, abs=0.01)
    assert result.completeness < 0.95


def test_without_scikit_learn_one_line_says_so(factors, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(ScratchVAEError, match=r"dci needs scikit-learn: pip install 'scratchvae\["):
        dci(factors, factors, CATEGORICAL)


# The scores of pairs and of fixed factors.

def test_factor_vae_leaves_out_dimensions_that_are_not_used(factors):
    """A dimension that hardly varies would be the steadiest always, if it were not divided."""
    z = standardised(factors)
    dead = 1e-3 * np.random.default_rng(1).standard_normal((N, 1))
    assert factor_vae_score(np.hstack([z, dead]), factors) == pytest.approx(1, abs=0.01)
    assert factor_vae_score(0.01 * z, factors) == 1 / 4


def test_two_factors_in_one_dimension_cost_both_scores(factors):
    z = standardised(factors)
    z[:, 0] += z[:, 1]
    z[:, 1] = 0
    assert factor_vae_score(z, factors) < 0.9
    assert beta_vae_score(z, factors) < 0.9


# All together.

def test_evaluate_measures_a_model_or_a_function():
    x = load_shapes().x_test[:1000]
    values = evaluate(known_factors, x)
    assert list(values) == list(MEANINGS)
    assert values["dci_disentanglement"] == pytest.approx(1, abs=0.02)
    assert values["beta_vae"] == values["factor_vae"] == 1
    lab = labs.get("shapes-beta")
    model = lab.make_model(lab.settings | {"filters": 1, "intermediate_dim": 4})
    model.build(lab.example_shape)
    assert evaluate(model, x[:200]) == evaluate(lambda x: model.encode(x)[0], x[:200])


def test_evaluate_refuses_other_images(rng):
    with pytest.raises(ScratchVAEError, match="known of Images of load_shapes alone"):
        evaluate(lambda x: x, rng.random((10, 64, 64, 1)))


def test_evaluate_without_scikit_learn_has_the_other_measures(monkeypatch):
    monkeypatch.setattr(disentanglement.importlib.util, "find_spec", lambda name: None)
    assert list(evaluate(known_factors, load_shapes().x_test[:500])) == [
        "mig", "sap", "beta_vae", "factor_vae"]


def test_the_command_prints_them(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Lab, "draw", lambda lab, run: [])
    monkeypatch.setattr(measures, "LEAST", 100)
    options = ["--set", "filters=1", "--set", "intermediate_dim=4", "--limit", 100,
               "--epochs", 1, "--out", "a"]
    assert run("train", "shapes-beta", *options)[0] == 0
    code, output, errors = run("evaluate", "a")
    assert code == 0, errors
    assert all(f"  {name} " in output and meaning in output for name, meaning in MEANINGS.items())
    assert "dci disentanglement" in (tmp_path / "a" / "report.html").read_text()
    monkeypatch.setattr(measures, "LEAST", 1000)
    assert "note: disentanglement: needs 1,000 test examples, there are 100" in run("evaluate",
                                                                                     "a")[1]


def test_the_kl_of_dimensions_adds_up_to_that_of_the_model(x):
    vae = small_vae()
    vae.build((12,))
    vae.parameters.values[...] *= 3
    kl = metrics.kl_of_dimensions(*vae.encode(x))
    assert kl.shape == (3,)
    assert kl.sum() == pytest.approx(vae.evaluate(x)["kl"], rel=1e-5)
