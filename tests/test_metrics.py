"""Measures of text and of latent codes:

against numbers worked out by hand, closed forms and slower ways.
"""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.special import logsumexp
from scipy.stats import norm

from scratchvae.analysis import metrics
from scratchvae.errors import ScratchVAEError


def words(*sentences):
    return [sentence.split() for sentence in sentences]


@pytest.mark.parametrize(
    "sentences, n, expected",
    [
        (words("a b a b", "a b c"), 1, 3 / 7),
        (words("a b a b", "a b c"), 2, 3 / 5),  # ab ba ab, ab bc: never across sentences
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
    """Of 6, 5, 4, 3 n-grams of the candidate 5, 3, 1, 0 are in the reference, and 0 counts as 0.1.
    """
    reference, candidate = words("the cat is on the mat", "the cat sat on the mat")
    assert metrics.bleu([reference], [candidate], n=1) == pytest.approx(5 / 6)
    assert metrics.bleu([reference], [candidate], n=2) == pytest.approx((5 / 6 * 3 / 5) ** (1 / 2))
    assert metrics.bleu([reference], [candidate]) == pytest.approx(
        (5 / 6 * 3 / 5 * 1 / 4 * 0.1 / 3) ** (1 / 4)
    )


def test_bleu_of_a_corpus_counts_n_grams_and_lengths_together():
    """2 of 2 and 1 of 4 words match, 6 of the 9 words of the references are there:

    not the mean of two BLEUs.
    """
    references = words("a b c d e", "p q r s")
    candidates = words("a b", "p x y z")
    assert metrics.bleu(references, candidates, n=1) == pytest.approx(3 / 6 * np.exp(1 - 9 / 6))


def test_bleu_clips_repeated_words():
    assert metrics.bleu(
        words("the cat is on the mat"), words("the the the the the the"), n=1
    ) == pytest.approx(2 / 6)


@pytest.mark.parametrize(
    "references, candidates, expected",
    [
        (words("a b c d"), words("a b c d"), 1),
        (words("a b c d"), words("e f g h"), 0),
        (words("a b"), [[]], 0),
        ([[]], words("a"), 0),
    ],
)
def test_bleu_at_its_ends(references, candidates, expected):
    assert metrics.bleu(references, candidates) == expected


def test_self_bleu_at_its_ends(rng):
    assert metrics.self_bleu(words("a b c d e") * 10, rng) == pytest.approx(1)
    assert metrics.self_bleu(words("a b c d", "e f g h", "i j k l"), rng) == 0
    assert metrics.self_bleu([["a"], []], rng) == 0


def test_self_bleu_by_hand(rng):
    """Every sentence against the two others:

    3, 3 and 2 of its 4 words, no word counted more often than in one of them.
    """
    sentences = words("a b c d", "a b c x", "a a c y")
    assert metrics.self_bleu(sentences, rng, n=1) == pytest.approx((3 / 4 + 3 / 4 + 2 / 4) / 3)


def test_self_bleu_of_a_sample_estimates_that_of_all():
    rng = np.random.default_rng(1)
    sentences = rng.integers(0, 8, (80, 9)).tolist()
    full = metrics.self_bleu(sentences, rng)
    sampled = [
        metrics.self_bleu(sentences, np.random.default_rng(seed), sample=20) for seed in (0, 0, 1)
    ]
    assert sampled[0] == sampled[1] != sampled[2]
    np.testing.assert_allclose(sampled, full, atol=0.1)
    assert full == pytest.approx(
        metrics.self_bleu(sentences, np.random.default_rng(5), sample=1000)
    )


def slow_copied_run(sentence, training_sentences):
    """The longest run by trying all, the longest first."""
    for size in range(len(sentence), 0, -1):
        for i in range(len(sentence) - size + 1):
            run = sentence[i : i + size]
            if any(
                training[j : j + size] == run
                for training in training_sentences
                for j in range(len(training))
            ):
                return run
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
    assert found.words == max(expected, key=len) and found.length == len(found.words) < 12
    assert found.mean == pytest.approx(np.mean([len(run) for run in expected]))


def test_a_run_is_copied_from_one_training_sentence_alone():
    training = words("the sea is", "blue and deep", "", "deep")
    length, run, mean = metrics.longest_copied_run(
        words("the sea is blue and", "and deep deep", "red"), training
    )
    assert (length, run) == (3, ["the", "sea", "is"]) and mean == pytest.approx((3 + 2 + 0) / 3)


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
def test_copied_runs_at_their_ends(sentences, training, expected):
    assert metrics.longest_copied_run(sentences, training) == expected


def test_perplexity():
    assert metrics.perplexity(7 * np.log(50), 7) == pytest.approx(50)
    assert metrics.perplexity([2 * np.log(3), 4 * np.log(3)], [2, 4]) == pytest.approx(3)
    assert metrics.perplexity(0, 5) == 1


def test_active_units_are_those_whose_mean_moves(rng):
    """Standard deviations 1, 0.11 and 0.09 around the threshold's 0.1, and a dimension that is
    always 3.
    """
    z_mean = rng.standard_normal((10_000, 4)) * (1, 0.11, 0.09, 0) + 3
    assert metrics.active_units(z_mean) == 2
    assert (
        metrics.active_units(z_mean, threshold=0.5) == 1
        and metrics.active_units(z_mean, threshold=0) == 3
    )


def test_equal_posteriors_carry_no_information(rng):
    assert metrics.mutual_information(
        np.full((300, 4), 1.5), np.full((300, 4), -0.7), rng
    ) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("block", [metrics.BLOCK, 7 * 500, 1])
def test_narrow_posteriors_far_apart_tell_the_example(block, monkeypatch, rng):
    monkeypatch.setattr(metrics, "BLOCK", block)
    z_mean = 10 * rng.permutation(1000).reshape(500, 2)
    assert metrics.mutual_information(z_mean, np.full((500, 2), -6.0), rng) == pytest.approx(
        np.log(500)
    )


def test_information_does_not_depend_on_the_blocks(monkeypatch):
    rng = np.random.default_rng(3)
    z_mean, z_log_var = rng.standard_normal((2, 101, 3))
    whole = metrics.mutual_information(z_mean, z_log_var, np.random.default_rng(0))
    monkeypatch.setattr(metrics, "BLOCK", 1000)
    assert metrics.mutual_information(z_mean, z_log_var, np.random.default_rng(0)) == pytest.approx(
        whole, rel=1e-12
    )
    assert 0 < whole < np.log(101)


def test_information_is_the_difference_of_two_divergences(rng):
    """Three posteriors in one dimension, 1,500 examples of each:

    KL(q(z)||p) is integrated numerically.
    """
    mean = np.array([-1.0, 0.3, 2.0])
    log_var = np.log([0.3, 1.2, 0.05])
    z = np.linspace(-12, 12, 24_001)
    q = norm.pdf(z[:, None], mean, np.exp(log_var / 2)).mean(axis=1)
    aggregate = trapezoid(q * (np.log(np.maximum(q, 1e-300)) - norm.logpdf(z)), z)
    each = -0.5 * (1 + log_var - mean**2 - np.exp(log_var)).mean()
    estimate = metrics.mutual_information(
        np.tile(mean, 1500)[:, None], np.tile(log_var, 1500)[:, None], rng
    )
    assert estimate == pytest.approx(each - aggregate, abs=0.03)


def test_information_of_a_noisy_channel(rng):
    """Means of variance 1 and noise of variance v: 1/2 log(1 + 1/v) a dimension."""
    estimate = metrics.mutual_information(
        rng.standard_normal((4000, 2)), np.log(np.full((4000, 2), (0.25, 4.0))), rng
    )
    assert estimate == pytest.approx(0.5 * np.log(5) + 0.5 * np.log(1.25), abs=0.05)


def test_the_importance_weighted_bound_is_stable(rng):
    log_weights = -9000 + 300 * rng.standard_normal((50, 8))
    bound = metrics.importance_weighted(log_weights.astype(np.float32))
    np.testing.assert_allclose(bound, logsumexp(log_weights, axis=0) - np.log(50), rtol=1e-6)
    np.testing.assert_array_equal(metrics.importance_weighted(log_weights[:1]), log_weights[0])
    np.testing.assert_allclose(
        metrics.importance_weighted([[-np.inf, 2], [np.log(6), 2]]), [np.log(3), 2]
    )


def test_the_importance_weighted_bound_rises_to_the_likelihood(rng):
    """z ~ N(0, 1), x ~ N(z, 1), so x ~ N(0, 2), and z given x is N(x/2, 1/2);

    the prior as q(z|x) comes close with many codes.
    """
    x = rng.standard_normal(2000)

    def log_weights(K, mean, variance):
        z = mean + np.sqrt(variance) * rng.standard_normal((K, len(x)))
        return norm.logpdf(z) + norm.logpdf(x, z) - norm.logpdf(z, mean, np.sqrt(variance))

    likelihood = norm.logpdf(x, 0, np.sqrt(2))
    np.testing.assert_allclose(metrics.importance_weighted(log_weights(3, x / 2, 0.5)), likelihood)
    one, ten, many = (
        metrics.importance_weighted(log_weights(K, 0, 1)).mean() for K in (1, 10, 1000)
    )
    assert one < ten < many == pytest.approx(likelihood.mean(), abs=0.01)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda rng: metrics.distinct(["a b"], 1),
            "one is the string 'a b'; needed: lists of words",
        ),
        (lambda rng: metrics.distinct([["a"]], 0), "n is 0; allowed: whole numbers from 1"),
        (lambda rng: metrics.bleu([["a"]], [["a"], ["b"]]), "1 references for 2 candidates"),
        (lambda rng: metrics.bleu([], []), "candidates: there are 0; needed: at least 1"),
        (lambda rng: metrics.bleu([["a"]], [["a"]], n=0), "n is 0"),
        (lambda rng: metrics.self_bleu([["a"]], rng), "there are 1; needed: at least 2"),
        (lambda rng: metrics.self_bleu([["a"], ["b"]], rng, sample=0), "sample is 0"),
        (lambda rng: metrics.longest_copied_run([], [["a"]]), "at least 1"),
        (
            lambda rng: metrics.longest_copied_run([["a"]], ["a"]),
            "training_sentences: one is the string",
        ),
        (lambda rng: metrics.perplexity(3.0, 0), "0 words"),
        (
            lambda rng: metrics.active_units(np.zeros(3)),
            r"shape \(3,\); needed: \(examples, dimensions\)",
        ),
        (lambda rng: metrics.active_units(np.zeros((0, 3))), r"\(0, 3\)"),
        (
            lambda rng: metrics.mutual_information(np.zeros((3, 2)), np.zeros((3, 1)), rng),
            r"\(3, 1\) and \(3, 2\)",
        ),
        (lambda rng: metrics.importance_weighted(np.zeros(3)), r"shape \(3,\)"),
        (lambda rng: metrics.importance_weighted(np.zeros((0, 3))), r"shape \(0, 3\)"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(call, message, rng):
    with pytest.raises(ScratchVAEError, match=message) as error:
        call(rng)
    assert "\n" not in str(error.value)
