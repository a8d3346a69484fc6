"""Tests of the measures of text and of latent codes, by hand, closed forms and slower ways."""
import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.special import logsumexp
from scipy.stats import norm

from scratchvae.analysis import metrics
from scratchvae.analysis.metrics import codes
from scratchvae.errors import ScratchVAEError


def words(*sentences):
    """Return sentences as lists of words."""
    return [sentence.split() for sentence in sentences]


@pytest.mark.parametrize(
    "sentences, n, expected",
    [
        (words("a b a b", "a b c"), 1, 3 / 7),
        (words("a b a b", "a b c"), 2, 3 / 5),      # ab ba ab, ab bc: none across sentences
        (words("a b a b", "a b c"), 3, 3 / 3),
        (words("a a a a a"), 2, 1 / 4),
        (words("a", "", "b"), 1, 1.0),
        (words("a", "", "b"), 2, 0.0),
        ([], 1, 0.0),
        ([[1, 2], np.array([1, 2], dtype=np.int32)], 2, 1 / 2),
    ],
)
def test_distinct(sentences, n, expected):
    assert metrics.distinct(sentences, n) == expected


def test_bleu_by_hand():
    """5 of 6 words match, 3 of 5 pairs, 1 of 4 triples and 0 of 3 4-grams; 0 counts as 0.1."""
    references = words("the cat is on the mat")
    candidates = words("the cat sat on the mat")
    expected = (5 / 6 * 3 / 5 * 1 / 4 * 0.1 / 3) ** (1 / 4)
    assert metrics.bleu(references, candidates, n=1) == pytest.approx(5 / 6)
    assert metrics.bleu(references, candidates, n=2) == pytest.approx((5 / 6 * 3 / 5) ** (1 / 2))
    assert metrics.bleu(references, candidates) == pytest.approx(expected)


def test_bleu_of_a_corpus_counts_n_grams_and_lengths_together():
    """2 of 2 and 1 of 4 words match, and the 6 words are penalised for the references' 9."""
    references = words("a b c d e", "p q r s")
    candidates = words("a b", "p x y z")
    assert metrics.bleu(references, candidates, n=1) == pytest.approx(3 / 6 * np.exp(1 - 9 / 6))


def test_bleu_clips_repeated_words():
    references = words("the cat is on the mat")
    candidates = words("the the the the the the")
    assert metrics.bleu(references, candidates, n=1) == pytest.approx(2 / 6)


@pytest.mark.parametrize(
    "references, candidates, expected",
    [
        (words("a b c d"), words("a b c d"), 1),
        (words("a b c d"), words("e f g h"), 0),
        (words("a b"), [[]], 0),
        ([[]], words("a"), 0),
    ],
)
def test_bleu_of_extreme_cases(references, candidates, expected):
    assert metrics.bleu(references, candidates) == expected


def test_self_bleu_of_extreme_cases(rng):
    assert metrics.self_bleu(words("a b c d e") * 10, rng) == pytest.approx(1)
    assert metrics.self_bleu(words("a b c d", "e f g h", "i j k l"), rng) == 0
    assert metrics.self_bleu([["a"], []], rng) == 0


def test_self_bleu_by_hand(rng):
    """Of the 4 words of each sentence 3, 3 and 2 match; "a" twice matches only once."""
    sentences = words("a b c d", "a b c x", "a a c y")
    assert metrics.self_bleu(sentences, rng, n=1) == pytest.approx((3 / 4 + 3 / 4 + 2 / 4) / 3)


def test_self_bleu_of_a_sample_estimates_that_of_all():
    sentences = np.random.default_rng(1).integers(0, 8, (80, 9)).tolist()

    def score(seed, sample):
        return metrics.self_bleu(sentences, np.random.default_rng(seed), sample=sample)

    full = score(seed=0, sample=100)
    assert score(seed=5, sample=1000) == pytest.approx(full)
    assert score(seed=0, sample=20) == score(seed=0, sample=20)
    assert score(seed=0, sample=20) != score(seed=1, sample=20)
    assert score(seed=0, sample=20) == pytest.approx(full, abs=0.1)
    assert score(seed=1, sample=20) == pytest.approx(full, abs=0.1)


def slow_copied_run(sentence, training_sentences):
    """Return the longest run by trying all, the longest first."""
    for size in range(len(sentence), 0, -1):
        copied = [
            training[j : j + size]
            for training in training_sentences
            for j in range(len(training) - size + 1)
        ]
        for i in range(len(sentence) - size + 1):
            if sentence[i : i + size] in copied:
                return sentence[i : i + size]
    return []


@pytest.mark.parametrize("seed", range(5))
def test_the_longest_copied_run_is_the_longest(seed):
    rng = np.random.default_rng(seed)
    sentences, training = (
        [rng.integers(0, 4, rng.integers(0, 12)).tolist() for _ in range(count)]
        for count in (15, 40)
    )
    expected = [slow_copied_run(sentence, training) for sentence in sentences]
    found = metrics.longest_copied_run(sentences, training)
    assert found.words == max(expected, key=len)
    assert found.length == len(found.words) < 12
    assert found.mean == pytest.approx(np.mean([len(run) for run in expected]))


def test_a_run_is_copied_from_one_training_sentence_alone():
    training = words("the sea is", "blue and deep", "", "deep")
    sentences = words("the sea is blue and", "and deep deep", "red")
    length, run, mean = metrics.longest_copied_run(sentences, training)
    assert length == 3
    assert run == ["the", "sea", "is"]
    assert mean == pytest.approx((3 + 2 + 0) / 3)


@pytest.mark.parametrize(
    "sentences, training, expected",
    [
        (words("a b"), [], (0, [], 0.0)),
        ([[]], words("a b"), (0, [], 0.0)),
        (words("b"), words("a b"), (1, ["b"], 1.0)),
        (words("a a a"), words("a a"), (2, ["a", "a"], 2.0)),
        (words("a b c"), words("a b c"), (3, ["a", "b", "c"], 3.0)),
    ],
)
def test_copied_runs_of_extreme_cases(sentences, training, expected):
    assert metrics.longest_copied_run(sentences, training) == expected


def test_perplexity():
    assert metrics.perplexity(7 * np.log(50), 7) == pytest.approx(50)
    assert metrics.perplexity([2 * np.log(3), 4 * np.log(3)], [2, 4]) == pytest.approx(3)
    assert metrics.perplexity(0, 5) == 1


def test_active_units_are_those_whose_mean_moves(rng):
    """The standard deviations are 1, 0.11, 0.09 and 0; the threshold is 0.1."""
    z_mean = rng.standard_normal((10_000, 4)) * (1, 0.11, 0.09, 0) + 3
    assert metrics.active_units(z_mean) == 2
    assert metrics.active_units(z_mean, threshold=0.5) == 1
    assert metrics.active_units(z_mean, threshold=0) == 3


def test_equal_posteriors_carry_no_information(rng):
    information = metrics.mutual_information(np.full((300, 4), 1.5), np.full((300, 4), -0.7), rng)
    assert information == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("block", [codes.BLOCK, 7 * 500, 1])
def test_narrow_posteriors_far_apart_identify_the_example(block, monkeypatch, rng):
    monkeypatch.setattr(codes, "BLOCK", block)
    z_mean = 10 * rng.permutation(1000).reshape(500, 2)
    information = metrics.mutual_information(z_mean, np.full((500, 2), -6.0), rng)
    assert information == pytest.approx(np.log(500))


def test_information_does_not_depend_on_the_blocks(monkeypatch):
    rng = np.random.default_rng(3)
    z_mean, z_log_var = rng.standard_normal((2, 101, 3))
    whole = metrics.mutual_information(z_mean, z_log_var, np.random.default_rng(0))
    monkeypatch.setattr(codes, "BLOCK", 1000)
    blocks = metrics.mutual_information(z_mean, z_log_var, np.random.default_rng(0))
    assert blocks == pytest.approx(whole, rel=1e-12)
    assert 0 < whole < np.log(101)


def test_information_is_the_difference_of_two_divergences(rng):
    """Three posteriors in one dimension, 1,500 examples of each, KL(q(z)||p) by integration."""
    mean = np.array([-1.0, 0.3, 2.0])
    log_var = np.log([0.3, 1.2, 0.05])
    z = np.linspace(-12, 12, 24_001)
    q = norm.pdf(z[:, None], mean, np.exp(log_var / 2)).mean(axis=1)
    aggregate = trapezoid(q * (np.log(np.maximum(q, 1e-300)) - norm.logpdf(z)), z)
    each = -0.5 * (1 + log_var - mean**2 - np.exp(log_var)).mean()
    z_mean = np.tile(mean, 1500)[:, None]
    z_log_var = np.tile(log_var, 1500)[:, None]
    estimate = metrics.mutual_information(z_mean, z_log_var, rng)
    assert estimate == pytest.approx(each - aggregate, abs=0.03)


def test_information_of_a_noisy_channel(rng):
    """A dimension with means of variance 1 and noise of variance v has 1/2 log(1 + 1/v) nats."""
    z_mean = rng.standard_normal((4000, 2))
    z_log_var = np.log(np.full((4000, 2), (0.25, 4.0)))
    expected = 0.5 * np.log(1 + 1 / 0.25) + 0.5 * np.log(1 + 1 / 4.0)
    estimate = metrics.mutual_information(z_mean, z_log_var, rng)
    assert estimate == pytest.approx(expected, abs=0.05)


def test_the_importance_weighted_bound_is_stable(rng):
    log_weights = -9000 + 300 * rng.standard_normal((50, 8))
    bound = metrics.importance_weighted(log_weights.astype(np.float32))
    np.testing.assert_allclose(bound, logsumexp(log_weights, axis=0) - np.log(50), rtol=1e-6)
    np.testing.assert_array_equal(metrics.importance_weighted(log_weights[:1]), log_weights[0])
    impossible = metrics.importance_weighted([[-np.inf, 2], [np.log(6), 2]])
    np.testing.assert_allclose(impossible, [np.log(3), 2])


def test_the_importance_weighted_bound_rises_to_the_likelihood(rng):
    """z ~ N(0, 1) and x ~ N(z, 1), so x ~ N(0, 2), and the posterior of z is N(x/2, 1/2).

    With the posterior as q(z|x) the bound is exact; with the prior it needs many codes.
    """
    x = rng.standard_normal(2000)

    def log_weights(K, mean, variance):
        z = mean + np.sqrt(variance) * rng.standard_normal((K, len(x)))
        return norm.logpdf(z) + norm.logpdf(x, z) - norm.logpdf(z, mean, np.sqrt(variance))

    likelihood = norm.logpdf(x, 0, np.sqrt(2))
    np.testing.assert_allclose(metrics.importance_weighted(log_weights(3, x / 2, 0.5)), likelihood)
    one, ten, many = (
        metrics.importance_weighted(log_weights(K, mean=0, variance=1)).mean()
        for K in (1, 10, 1000)
    )
    assert one < ten < many == pytest.approx(likelihood.mean(), abs=0.01)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda rng: metrics.distinct(["a b"], 1),
            "^sentences: each must be a list of words, got the string 'a b'$",
        ),
        (
            lambda rng: metrics.distinct([["a"]], 0),
            "^distinct: n must be a positive integer, got 0$",
        ),
        (
            lambda rng: metrics.bleu([["a"]], [["a"], ["b"]]),
            "^bleu: references and candidates must have the same length, got 1 and 2$",
        ),
        (lambda rng: metrics.bleu([], []), "^candidates: at least 1 must be given, got 0$"),
        (
            lambda rng: metrics.bleu([["a"]], [["a"]], n=0),
            "^bleu: n must be a positive integer, got 0$",
        ),
        (
            lambda rng: metrics.self_bleu([["a"]], rng),
            "^sentences: at least 2 must be given, got 1$",
        ),
        (
            lambda rng: metrics.self_bleu([["a"], ["b"]], rng, sample=0),
            "^self_bleu: sample must be a positive integer, got 0$",
        ),
        (
            lambda rng: metrics.longest_copied_run([], [["a"]]),
            "^sentences: at least 1 must be given, got 0$",
        ),
        (
            lambda rng: metrics.longest_copied_run([["a"]], ["a"]),
            "^training_sentences: each must be a list of words, got the string 'a'$",
        ),
        (
            lambda rng: metrics.perplexity(3.0, 0),
            "^perplexity: words must be positive in total, got 0$",
        ),
        (
            lambda rng: metrics.active_units(np.zeros(3)),
            r"^latent codes must have shape \(examples, dimensions\), got \(3,\)$",
        ),
        (lambda rng: metrics.active_units(np.zeros((0, 3))), r"got \(0, 3\)$"),
        (
            lambda rng: metrics.mutual_information(np.zeros((3, 2)), np.zeros((3, 1)), rng),
            r"got \(3, 1\) and \(3, 2\)$",
        ),
        (
            lambda rng: metrics.importance_weighted(np.zeros(3)),
            r"log_weights must have shape \(codes, examples\), got \(3,\)$",
        ),
        (lambda rng: metrics.importance_weighted(np.zeros((0, 3))), r"got \(0, 3\)$"),
    ],
)
def test_errors_are_one_line(call, message, rng):
    with pytest.raises(ScratchVAEError, match=message) as error:
        call(rng)
    assert "\n" not in str(error.value)
