"""Measures of images: numbers of other libraries, closed forms, constructed sets; the command."""
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import is_picture
from test_scores import linear_vae

from scratchvae import labs
from scratchvae.analysis import image_classifier, image_measures, metrics
from scratchvae.analysis.frechet import frechet_distance
from scratchvae.analysis.image_measures import Sets, measure_images
from scratchvae.analysis.inception_score import inception_score
from scratchvae.analysis.likelihood import TINY, log_likelihood, pixel_means_likelihood
from scratchvae.analysis.posterior import information_and_gap
from scratchvae.analysis.precision_recall import Neighbours
from scratchvae.analysis.priors import MixturePrior, codes_of, fit_mixture
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import Dense
from scratchvae.models import VAE, Autoencoder
from scratchvae.runs import open_run

pytest_plugins = "explore_runs"
NUMBERS = Path(__file__).parent / "golden" / "image_measures.npz"   # of make_image_measures.py


@pytest.fixture(scope="module")
def numbers():
    with np.load(NUMBERS) as file:
        return dict(file)


# Against other libraries.


def test_the_frechet_distance_equals_torchmetrics(numbers):
    found = frechet_distance(numbers["real"], numbers["generated"])
    assert found == pytest.approx(float(numbers["frechet"]), rel=1e-8)


def test_the_inception_score_equals_torchmetrics(numbers):
    p = np.exp(numbers["logits"])
    p /= p.sum(axis=1, keepdims=True)
    found = inception_score(p[numbers["order"]], splits=4)
    np.testing.assert_allclose(found, numbers["inception"], rtol=1e-5)


def test_precision_and_recall_equal_prdc(numbers):
    found = Neighbours(numbers["real"], numbers["generated"])
    names = ("precision", "recall", "density", "coverage")
    np.testing.assert_allclose([getattr(found, name) for name in names], numbers["prdc"],
                               rtol=1e-12)
    assert len(set(numbers["prdc"])) == 4


def precision_recall(real, generated, k=3):
    found = Neighbours(real, generated, k)
    return found.precision, found.recall


# Against closed forms and constructed sets.


def test_the_frechet_distance_in_closed_form(rng):
    """A shift by c costs |c|^2; a scale s costs (s - 1)^2 times the variance."""
    x = rng.standard_normal((200, 3))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + (1, 2, 0)) == pytest.approx(5)
    centred = x - x.mean(axis=0)
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * x.var(axis=0, ddof=1).sum())
    assert frechet_distance(x[:, :1], 2 + x[:, :1]) == pytest.approx(4)
    thin = np.column_stack([x, x[:, 0]])                # a covariance without an inverse
    assert frechet_distance(thin, thin[:, ::-1]) >= 0


def test_the_frechet_distance_falls_with_the_number_of_examples(rng):
    distances = [frechet_distance(rng.standard_normal((count, 20)),
                                  rng.standard_normal((count, 20))) for count in (50, 500, 5000)]
    assert distances[0] > 5 * distances[1] > 25 * distances[2] > 0


def test_the_inception_score_of_certain_and_of_undecided_images():
    certain = np.tile(np.eye(5), (20, 1))
    assert inception_score(certain) == pytest.approx((5, 0))
    assert inception_score(np.full((20, 5), 0.2)) == pytest.approx((1, 0))
    one_class_a_part = np.repeat(np.eye(5), 20, axis=0)
    assert inception_score(one_class_a_part, splits=5) == pytest.approx((1, 0))
    assert inception_score(one_class_a_part, splits=1) == pytest.approx((5, 0))


def test_precision_is_lost_outside_and_recall_by_leaving_out(rng):
    left = rng.random((50, 2))
    right = rng.random((50, 2)) + 10
    both = np.concatenate([left, right])
    assert precision_recall(both, both) == (1, 1)
    assert precision_recall(left, right) == (0, 0)
    assert precision_recall(both, left) == (1, 0.5)
    assert precision_recall(left, both) == (0.5, 1)


def test_an_outlier_is_enough_for_precision_alone(rng):
    """The ball of one real example that lies far away holds all noise."""
    real = np.concatenate([rng.random((50, 2)), [[100, 0]]])
    noise = rng.random((50, 2)) + (50, 0)
    found = Neighbours(real, noise)
    assert found.precision == 1
    assert found.density == pytest.approx(1 / 3)
    assert found.coverage == pytest.approx(1 / 51)
    same = Neighbours(real[:50], rng.random((50, 2)))
    assert same.density > 0.8
    assert same.coverage > 0.8


@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_by_hand(k, rng, monkeypatch):
    monkeypatch.setattr(sys.modules[Neighbours.__module__], "ROWS", 7)
    real = rng.standard_normal((25, 3))
    generated = 1.5 * rng.standard_normal((18, 3))

    def part(points, centres):
        inside = 0
        for point in points:
            for i, centre in enumerate(centres):
                others = np.delete(centres, i, axis=0)
                radius = np.sort(np.linalg.norm(others - centre, axis=1))[k - 1]
                if np.linalg.norm(point - centre) <= radius:
                    inside += 1
                    break
        return inside / len(points)
    assert precision_recall(real, generated, k) == (part(generated, real), part(real, generated))


def shifted_vae(rng):
    """Probabilistic PCA with a posterior that is too wide and in the wrong place."""
    vae, log_p = linear_vae(rng, 1.0)
    weights = vae.get_weights()
    weights[3] += 0.5
    weights[5] += 1.0
    vae.set_weights(weights)
    return vae, log_p


def test_the_likelihood_of_a_linear_vae_lies_within_three_standard_errors(rng):
    vae, log_p = shifted_vae(rng)
    x = 1.5 * rng.standard_normal((600, 6))
    exact = log_p(x)
    estimate = log_likelihood(vae, x, samples=300, examples=40)
    assert estimate.examples == 40
    assert abs(estimate.value - exact.mean()) < 3 * estimate.error
    assert estimate.error < 0.7 * exact.std(ddof=1) / np.sqrt(40)       # of these examples alone


def test_the_standard_error_is_the_spread_of_the_estimates(rng):
    vae, log_p = shifted_vae(rng)
    found = [log_likelihood(vae, 1.5 * rng.standard_normal((60, 6)), 50, 5, seed)
             for seed in range(40)]
    spread = np.std([estimate.value for estimate in found], ddof=1)
    assert np.mean([estimate.error for estimate in found]) == pytest.approx(spread, rel=0.3)


def test_the_number_of_examples_follows_from_the_size_of_the_model(rng):
    vae, _ = linear_vae(rng, 1.0)
    assert log_likelihood(vae, rng.random((130, 6)), 2).examples == 100
    vae.flops = lambda batch_size: 1e12
    assert log_likelihood(vae, rng.random((130, 6)), 2).examples == 20
    assert log_likelihood(vae, rng.random((7, 6)), 2).examples == 7


@pytest.mark.parametrize("spread", [1.0, 1.5, 3.0])
def test_the_aggregate_posterior_against_the_prior(spread, rng):
    """Codes N(0, s^2 - 1) with variance 1 are N(0, s^2) together: KL = (s^2 - 1) / 2 - log s."""
    z_mean = np.sqrt(spread ** 2 - 1) * rng.standard_normal((3000, 1))
    information, gap = information_and_gap(z_mean, np.zeros((3000, 1)), rng)
    assert information == pytest.approx(np.log(spread), abs=0.04)
    assert gap == pytest.approx((spread ** 2 - 1) / 2 - np.log(spread), abs=0.15)


# The prior after training.


def test_the_mixture_has_the_moments_of_the_codes(rng):
    z = np.concatenate([rng.standard_normal((300, 2)) @ [[1, 0.8], [0, 0.3]] + (4, 0),
                        0.2 * rng.standard_normal((100, 2)) - (4, 0)])
    drawn = MixturePrior(z, 2, seed=1).sample(20_000, seed=2)
    left = drawn[:, 0] < 0
    assert left.mean() == pytest.approx(0.25, abs=0.01)
    for part, codes in ((drawn[left], z[300:]), (drawn[~left], z[:300])):
        np.testing.assert_allclose(part.mean(axis=0), codes.mean(axis=0), atol=0.03)
        np.testing.assert_allclose(np.cov(part.T), np.cov(codes.T), atol=0.04)
    np.testing.assert_array_equal(drawn, MixturePrior(z, 2, seed=1).sample(20_000, seed=2))
    assert (MixturePrior(z, 2, seed=1).sample(20_000, seed=3) != drawn).any()


def test_codes_are_drawn_from_the_posterior(x):
    vae = VAE([Dense(3)], 2, [Dense(12, "sigmoid")])
    vae.build((12,))
    mean, log_var = vae.encode(x)
    codes = [codes_of(vae, x, seed) for seed in range(300)]
    np.testing.assert_allclose(np.mean(codes, axis=0), mean, atol=6 * np.exp(log_var / 2).max()
                               / np.sqrt(300))
    np.testing.assert_allclose(np.std(codes, axis=0).mean(), np.exp(log_var / 2).mean(), rtol=0.1)
    plain = Autoencoder([Dense(2)], [Dense(12, "sigmoid")])
    plain.build((12,))
    np.testing.assert_array_equal(codes_of(plain, x), plain.encode(x))
    assert fit_mixture(plain, x[:4]).sample(5).shape == (5, 2)


@pytest.mark.parametrize("call, message", [
    (lambda x: frechet_distance(x, x[:, :2]), r"^frechet_distance: features must have the shapes"),
    (lambda x: frechet_distance(x[:1], x), "needs at least 2 examples of each kind, got 1 and 50"),
    (lambda x: frechet_distance(x * np.nan, x), "features must be finite"),
    (lambda x: precision_recall(x, x[:3]), "needs at least 4 examples of each kind, got 50 and 3"),
    (lambda x: precision_recall(x, x, 0), "k must be a positive integer, got 0"),
    (lambda x: inception_score(x), "must add up to 1 in each row"),
    (lambda x: inception_score(np.eye(5)), r"N >= 10 splits, got \(5, 5\)"),
    (lambda x: MixturePrior(x[:3]), r"at least 10 examples, got \(3, 12\)"),
    (lambda x: MixturePrior(x * np.inf), "z must be finite"),
])
def test_wrong_use_gets_one_line(call, message, x):
    with pytest.raises(ScratchVAEError, match=message):
        call(x)


# The command.


@pytest.fixture
def judged(monkeypatch):
    """Few images suffice for a classifier, as the subject is not how good it is."""
    monkeypatch.setattr(image_classifier, "LEAST", 20)
    monkeypatch.setattr(image_classifier, "EPOCHS", 1)


@pytest.mark.parametrize("name", [lab.name for lab in labs.LABS.values() if lab.kind == "images"])
def test_restored_images_are_those_of_the_data_set(name, rng):
    lab = labs.get(name)
    images = rng.integers(0, 256, (3, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(lab.restore(lab.prepare(images)), images)


def measures_in(folder):
    return json.loads((folder / "evaluation.json").read_text())["measures"]


def test_evaluate_prints_each_measure_beside_others(runs, run, judged):
    made = runs("mnist-dense")
    code, output, errors = run("evaluate", made.folder)
    assert code == 0, errors
    measures = measures_in(made.folder)
    assert list(measures) == [
        "Frechet distance, samples", "Frechet distance, mixture",
        "Frechet distance, reconstructions", "Inception Score", "precision", "recall", "density",
        "coverage", "reconstruction error", "log p(x)", "active units", "mutual information",
        "KL(aggregate posterior || prior)"]
    assert output.index("test set, 30 examples") < output.index("judged by a classifier")
    flat = " ".join(output.split())
    for measure in measures.values():
        assert np.isfinite(measure["value"])
        assert f"{measure['value']:.4g}" in flat
    assert "whose accuracy on the test images is" in flat
    sets = Sets(open_run(made.folder))
    z_mean, z_log_var = sets.model.encode(sets.test)
    assert measures["active units"]["value"] == metrics.active_units(z_mean)
    kl = sets.model.evaluate(sets.test)["kl"]
    assert (measures["mutual information"]["value"]
            + measures["KL(aggregate posterior || prior)"]["value"]) == pytest.approx(kl, rel=1e-4)
    x = np.asarray(sets.test, np.float64)
    errors = x - sets.model.reconstruct(sets.test)
    assert measures["reconstruction error"]["value"] == pytest.approx(np.sqrt((errors ** 2).mean()))
    assert "reconstruction error" in (made.folder / "report.html").read_text()


def test_the_noise_has_the_pixels_of_training_images_but_no_structure(runs):
    sets = Sets(open_run(runs("mnist-dense").folder))
    noise = sets.noise()
    np.testing.assert_array_equal(np.sort(noise, axis=0), np.sort(sets.train, axis=0))
    assert (noise != sets.train).mean() > 0.5


@pytest.mark.parametrize("lab", ["mnist-dense", "mnist-latent8"])
def test_the_baseline_of_the_likelihood_is_the_model_of_pixel_means(lab, runs):
    sets = Sets(open_run(runs(lab).folder))
    mean = sets.train.mean(axis=0, dtype=np.float64)
    x = np.asarray(sets.test, np.float64)
    if lab == "mnist-dense":
        p = mean.clip(TINY, 1 - TINY)
        expected = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    else:
        D = mean.size
        variance = D / (2 * sets.model.loss.scale)
        squares = np.square(x - mean).reshape(len(x), -1).sum(axis=1) / variance
        expected = -0.5 * (squares + D * np.log(2 * np.pi * variance)).mean()
    assert pixel_means_likelihood(sets.model, x, mean) == pytest.approx(expected)


@pytest.mark.usefixtures("coarse_figures")
def test_an_autoencoder_is_sampled_from_the_mixture(runs, run, judged):
    made = runs("fashion-autoencoder")
    code, output, errors = run("evaluate", made.folder)
    assert code == 0, errors
    measures = measures_in(made.folder)
    assert list(measures) == ["Frechet distance, mixture", "Frechet distance, reconstructions",
                              "Inception Score, mixture", "precision, mixture",
                              "recall, mixture", "density, mixture", "coverage, mixture",
                              "reconstruction error"]
    assert "left out: log p(x)" in output
    assert run("sample", made.folder, "--prior", "mixture", "--count", 4)[0] == 0
    assert is_picture(made.folder / "figures" / "samples.png")


@pytest.mark.usefixtures("coarse_figures")
def test_a_conditional_model_is_measured_with_the_labels_of_the_test(runs, run, judged):
    made = runs("mnist-dense", conditional=1)
    code, output, errors = run("evaluate", made.folder)
    assert code == 0, errors
    assert len(measures_in(made.folder)) == 13
    code, _, errors = run("sample", made.folder, "--prior", "mixture", "--count", 3)
    assert code == 0, errors
    assert is_picture(made.folder / "figures" / "samples.png")


def test_what_is_left_out_is_said(runs, monkeypatch):
    monkeypatch.setattr(image_classifier, "LEAST", 1000)
    made = open_run(runs("mnist-dense").folder)
    measures, notes = measure_images(made)              # 60 images are too few for a classifier
    assert [measure.name for measure in measures][:2] == ["reconstruction error", "log p(x)"]
    assert notes == ["left out: Frechet distance, Inception Score, precision and recall; no "
                     "classifier can judge these images: 60 images with labels are too few to "
                     "learn from, 1,000 do"]
    monkeypatch.setattr(image_measures, "FEWEST", 31)
    measures, notes = measure_images(made)
    assert measures == []
    assert "need 31 images" in notes[0]


def test_without_scikit_learn_the_mixture_is_left_out(runs, run, judged, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.mixture", None)
    made = runs("mnist-dense")
    measures, notes = measure_images(open_run(made.folder))
    assert "Frechet distance, mixture" not in [measure.name for measure in measures]
    assert any("scikit-learn is needed" in line for line in notes)
    code, _, errors = run("sample", made.folder, "--prior", "mixture")
    assert (code, errors) == (1, "Error: a mixture as prior needs scikit-learn: "
                                 "pip install 'scratchvae[sklearn]'\n")


def test_lines_have_no_mixture(runs, run):
    code, _, errors = run("sample", runs("shakespeare-vae").folder, "--prior", "mixture")
    assert code == 2
    assert "choose a run about images" in errors
