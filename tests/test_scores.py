"""A score for every example, and the commands score, card and demo."""
import csv
import importlib
import re

import numpy as np
import pytest
from helpers import HOSTS, is_picture, same_on_any_number_of_threads, small_vae
from scipy.stats import bernoulli, multivariate_normal

from scratchvae.analysis import metrics, plots
from scratchvae.batches import Images
from scratchvae.data import load_images
from scratchvae.errors import ScratchVAEError
from scratchvae.layers import BatchNormalization, Dense
from scratchvae.models import VAE, Autoencoder, TextVAE
from scratchvae.runs import open_run

pytest_plugins = "explore_runs"
demo = importlib.import_module("scratchvae.cli.demo")   # not the command of this name
D = 6
J = 2


def linear_vae(rng, variance, backend="cpu"):
    """Return probabilistic PCA with its exact posterior as the encoder, and its log p.

    x ~ N(W z + b, v I), so x ~ N(b, W W' + v I), and the posterior of z is
    N(M^-1 W' (x - b), v M^-1), M = W' W + v I (Tipping & Bishop 1999). The columns of W are
    orthogonal, so that M is diagonal.
    """
    W = np.linalg.qr(rng.standard_normal((D, J)))[0] * (2.0, 0.5)
    b = rng.standard_normal(D)
    precision = np.diag(W.T @ W) + variance                     # M
    vae = VAE([Dense(D)], J, [Dense(D)], "squared_error", dtype="float64", backend=backend,
              reconstruction_scale=D / (2 * variance))
    vae.build((D,))
    vae.set_weights([np.eye(D), -b, W / precision, np.zeros(J), np.zeros((D, J)),
                     np.log(variance / precision), W.T, b])
    return vae, multivariate_normal(b, W @ W.T + variance * np.eye(D)).logpdf


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("variance", [1.0, 0.1, 7.0])
def test_the_score_of_probabilistic_pca_is_its_likelihood(variance, backend, rng):
    """With the exact posterior all weights are p(x), however few they are."""
    vae, log_p = linear_vae(rng, variance, backend)
    x = 2 * rng.standard_normal((130, D))
    for samples in (1, 3):
        np.testing.assert_allclose(vae.score_samples(x, samples), log_p(x), rtol=1e-10)
    weights = vae.log_weights(x, 2)
    np.testing.assert_allclose(metrics.importance_weighted(weights), log_p(x), rtol=1e-10)


def test_the_score_rises_to_the_likelihood_with_the_samples(rng):
    """With a posterior that is too wide and in the wrong place."""
    vae, log_p = linear_vae(rng, 1.0)
    weights = vae.get_weights()
    weights[3] += 0.5
    weights[5] += 1.0
    vae.set_weights(weights)
    x = rng.standard_normal((20, D))
    means = [np.mean([vae.score_samples(x, samples, seed).mean() for seed in range(8)])
             for samples in (1, 10, 1000)]
    assert means[0] < means[1] < means[2] == pytest.approx(log_p(x).mean(), abs=0.02)


def test_the_likelihood_is_not_that_of_the_scaled_loss(x):
    """A cross-entropy of any scale is that of the same Bernoulli elements."""
    models = [VAE([Dense(7, "relu")], 3, [Dense(12, "sigmoid")], reconstruction_scale=scale)
              for scale in (None, 1.0, 500.0)]
    for model in models:
        model.build((12,))
    scores = [model.score_samples(x, 5) for model in models]
    np.testing.assert_allclose(scores[1:], [scores[0]] * 2, rtol=1e-5)
    binary = (x > 0.5).astype(np.float32)
    reconstruction, _ = models[1].forward(binary)
    expected = bernoulli.logpmf(binary, models[1].loss.output).sum(axis=1)
    np.testing.assert_allclose(models[1].log_likelihood(reconstruction), expected, rtol=1e-4)


@pytest.mark.parametrize("backend", HOSTS)
def test_a_score_does_not_depend_on_the_other_examples(backend, rng):
    x = rng.random((230, 12)).astype(np.float32)
    vae = VAE([Dense(33, "relu"), BatchNormalization()], 3,
              [Dense(40, "relu"), Dense(12, "sigmoid")], backend=backend)
    vae.build((12,))
    scores = vae.score_samples(x, 4, seed=7)
    assert scores.shape == (230,)
    assert scores.dtype == np.float64
    order = rng.permutation(230)
    parts = [vae.score_samples(part, 4, seed=7) for part in np.split(x, (1, 3, 120))]
    if backend == "cpu":                # NumPy's products of other sizes have other roundings
        np.testing.assert_array_equal(np.concatenate(parts), scores)
        np.testing.assert_array_equal(vae.score_samples(x[order], 4, seed=7), scores[order])
    else:
        np.testing.assert_allclose(np.concatenate(parts), scores, rtol=1e-5)
    assert (vae.score_samples(x, 4, seed=8) != scores).any()


def test_scores_have_the_same_bits_on_any_number_of_threads(rng):
    x = rng.random((150, 12)).astype(np.float32)
    vae = small_vae()
    vae.build((12,))
    same_on_any_number_of_threads(lambda: vae.score_samples(x, 3).tobytes())


def test_scoring_does_not_touch_the_model(x):
    vae = small_vae()
    vae.fit(x, progress=False)
    noise = vae.noise
    before = vae.evaluate(x, seed=3)
    with pytest.raises(ScratchVAEError):
        vae.score_samples(x, seed=-1)
    vae.score_samples(x, 2)
    assert vae.noise is noise
    assert vae.evaluate(x, seed=3) == before


def test_images_have_the_scores_of_their_numbers(rng):
    pixels = rng.integers(0, 256, (30, 12), np.uint8)
    vae = small_vae()
    vae.build((12,))
    np.testing.assert_array_equal(vae.score_samples(Images(pixels), 2),
                                  vae.score_samples(np.float32(pixels) / np.float32(255), 2))


def test_lines_of_text_have_scores():
    """Those of log_weights: a line costs the same alone and among others."""
    vae = TextVAE(9, 5, 3, embedding_dim=4, units=6, dtype="float64")
    vae.build((5,))
    lines = np.array([[3, 4, 2, 0, 0], [5, 6, 7, 8, 2]])
    scores = vae.score_samples(lines, 3)
    alone = [metrics.importance_weighted(vae.log_weights(line[None], 3)) for line in lines]
    np.testing.assert_allclose(scores, np.concatenate(alone), rtol=1e-12)


def test_the_score_of_an_autoencoder_is_minus_its_loss(x):
    model = Autoencoder([Dense(3)], [Dense(12, "sigmoid")])
    model.build((12,))
    scores = model.score_samples(x)
    assert scores.shape == (50,)
    assert -scores.mean() == pytest.approx(model.evaluate(x)["reconstruction"])


def zero_scale():
    """Return a model whose loss says nothing."""
    vae = VAE([Dense(3)], 2, [Dense(12, "sigmoid")], reconstruction_scale=0)
    vae.build((12,))
    return vae


@pytest.mark.parametrize("call, message", [
    (lambda x: small_vae().score_samples(x), "this VAE is not built"),
    (lambda x: zero_scale().score_samples(x, 0), "score_samples: samples must be a positive "
                                                 "integer, got 0"),
    (lambda x: zero_scale().score_samples(x + 1), r"binary_crossentropy: x must lie in \[0, 1\]"),
    (lambda x: zero_scale().score_samples(x, seed=-1), "score_samples: seed must be"),
    (lambda x: zero_scale().score_samples(x), r"^binary_crossentropy: log p\(x\|z\) is unknown "
                                              "with reconstruction_scale 0; allowed: numbers "),
])
def test_wrong_use_gets_one_line(call, message, x):
    with pytest.raises(ScratchVAEError, match=message):
        call(x)


# How well scores tell two kinds apart.


def test_the_roc_area_by_hand():
    """Of 6 pairs, 4 are in order and 1 is equal."""
    scores = [3, 1, 2, 2, 0]
    positive = [True, True, False, True, False]
    assert metrics.roc_area(scores, positive) == (4 + 0.5) / 6
    false, true = metrics.roc_curve(scores, positive)
    np.testing.assert_allclose(false, [0, 0, 1 / 2, 1 / 2, 1])
    np.testing.assert_allclose(true, [0, 1 / 3, 2 / 3, 1, 1])


@pytest.mark.parametrize("values", [3, 10 ** 6])
def test_the_roc_area_is_the_number_of_pairs_in_order_and_the_area_of_the_curve(values, rng):
    scores = rng.integers(0, values, 300)
    positive = rng.random(300) < 0.2
    pairs = scores[positive][:, None] - scores[~positive]
    expected = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    assert metrics.roc_area(scores, positive) == pytest.approx(expected)
    false, true = metrics.roc_curve(scores, positive)
    area = np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2)
    assert area == pytest.approx(expected)
    assert metrics.roc_area(-scores, positive) == pytest.approx(1 - expected)


@pytest.mark.parametrize("scores, positive, message", [
    ([1, 2], [True], r"^roc_area: scores and positive must have the same shape \(N,\), got \(2,\)"),
    ([1, np.nan], [True, False], "^roc_area: scores must not be NaN, but 1 of 2 are"),
    ([1, 2], [False, False], "^roc_area: needs positive and negative examples, got 0 positive "
                             "ones of 2$"),
])
def test_wrong_scores_get_one_line(scores, positive, message):
    with pytest.raises(ScratchVAEError, match=message):
        metrics.roc_area(scores, positive)


# Figures, commands and the model card.


def test_extremes_show_the_lowest_above_the_highest(rng):
    images = rng.random((30, 4, 4))
    scores = rng.permutation(30) - 12.5
    figure = plots.extremes(images, scores)
    axes, = figure.axes
    titles = [text.get_text() for text in axes.texts]
    order = np.argsort(scores)
    assert titles[0] == f"{order[0]}: \N{MINUS SIGN}12.50"
    assert [int(title.partition(":")[0]) for title in titles] == [*order[:10], *order[:-11:-1]]
    assert len(plots.extremes(images[:3], scores[:3]).axes[0].texts) == 2
    with pytest.raises(ScratchVAEError, match="each of 30 images must have one score, got 29"):
        plots.extremes(images, scores[1:])


def test_detection_has_the_area_in_its_legend(rng):
    unusual = np.arange(100) < 20
    figure = plots.detection(rng.random(100) - unusual, unusual, kinds=("cats", "dogs"))
    left, right = figure.axes
    legends = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in figure.axes]
    assert legends == [["cats (80)", "dogs (20)"], ["area 1.000", "chance, 0.5"]]


def rows_of(path):
    return list(csv.DictReader(path.open(encoding="utf-8", newline="")))


@pytest.mark.usefixtures("coarse_figures")
@pytest.mark.parametrize("part, count", [("test", 30), ("train", 60)])
def test_score_writes_a_row_for_each_image(part, count, runs, run, tmp_path):
    made = runs("mnist-dense")
    code, output, _ = run("score", made.folder, "--samples", 3, "--part", part,
                          "--csv", tmp_path / "out.csv")
    assert code == 0
    rows = rows_of(tmp_path / "out.csv")
    x, _ = open_run(made.folder).part(part)
    expected = made.model.score_samples(x, 3)
    labels = made.data.y_test if part == "test" else load_images(
        "mnist", made.config["data_dir"]).y_train
    assert [float(row["score"]) for row in rows] == expected.tolist()
    assert [row["index"] for row in rows] == [str(i) for i in range(count)]
    assert [row["label"] for row in rows] == list(map(str, labels))
    assert f"{count} examples ({part}): mean {expected.mean():#.4g}" in output
    assert is_picture(made.folder / "figures" / "scores.png")
    assert str(made.folder / "figures" / "scores.png") in output


def test_score_of_an_autoencoder_is_minus_its_loss(runs, run):
    made = runs("fashion-autoencoder")
    code, output, _ = run("score", made.folder)
    assert code == 0
    assert "minus the reconstruction loss; 30 examples" in output
    scores = [float(row["score"]) for row in rows_of(made.folder / "scores.csv")]
    assert scores == made.model.score_samples(made.x_test).tolist()


def test_score_of_lines_of_text(runs, run):
    made = runs("shakespeare-vae")
    code, output, _ = run("score", made.folder, "--samples", 2)
    assert code == 0
    rows = rows_of(made.folder / "scores.csv")
    lowest = min(rows, key=lambda row: float(row["score"]))
    text = (made.folder / "scores.txt").read_text()
    assert text in output
    assert f"{float(lowest['score']):10.2f}  {lowest['line']}" in text.splitlines()[2]


def test_single_words_are_not_scored(runs, run):
    code, _, errors = run("score", runs("shakespeare-onehot").folder)
    assert code == 2
    assert "whose examples are single words; use: scratchvae generate" in errors


@pytest.mark.parametrize("lab", ["mnist-dense", "fashion-autoencoder", "shakespeare-vae",
                                 "shakespeare-onehot"])
def test_a_card_says_what_the_model_is(lab, runs, run):
    made = runs(lab)
    code, output, _ = run("card", made.folder)
    path = made.folder / "card.md"
    assert (code, output) == (0, f"{path}\n")
    text = path.read_text()
    headings = re.findall("^## (.*)", text, re.M)
    assert headings == ["Use", "Data", "Model and training", "Settings", "Measures", "Limits",
                        "Train it again"]
    assert f"{made.model.count:,} parameters" in text
    assert made.config["data"] in text
    assert "Not evaluated yet: `scratchvae evaluate" in text
    usage, = re.findall("```python\n(.*?)```", text, re.S)
    names = {"x": np.asarray(made.x_test[:3])}
    exec(usage.replace("weights.npz", str(made.folder / "weights.npz")), names)
    assert ("scores" in names) == made.decodes
    run("evaluate", made.folder)
    run("sample", made.folder)
    run("card", made.folder)
    text = path.read_text()
    assert "Not evaluated yet" not in text
    assert ("(figures/samples.png)" in text) == (lab == "mnist-dense")
    tables = re.findall(r"(?:^\|.*\n)+", text, re.M)
    assert len(tables) == 4
    for table in tables:
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(columns) == 1


def test_the_demo_trains_once_and_shows_its_page(run, small_data, monkeypatch):
    monkeypatch.setenv("SCRATCHVAE_DATA", str(small_data))
    monkeypatch.setattr(demo, "EPOCHS", 2)
    for _ in range(2):
        code, output, errors = run("demo")
        assert code == 0, errors
        assert str(demo.FOLDER.resolve() / "explore.html") in output
        assert "scratchvae score runs/demo" in output
    assert (demo.FOLDER / "explore.html").exists()
    assert len(open_run(demo.FOLDER).history) == 2
