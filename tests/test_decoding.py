"""Tests of sampling and beam search, against exhaustive searches on tiny decoders."""
import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from scratchvae.errors import ScratchVAEError
from scratchvae.text import decoding
from scratchvae.text.decoding import beam_search, sample

START = 0
END = 1


def softmax(logits):
    """Return the probabilities of logits, along the last axis."""
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def markov(probabilities):
    """Return a stepper whose next word depends on the last one only: row i follows word i."""
    with np.errstate(divide="ignore"):
        logits = np.log(np.asarray(probabilities, dtype=np.float64))
    return lambda words, state: (logits[words], np.zeros((len(words), 1)))


def recurrent(V, seed=0, u=3):
    """Return a stepper whose next word depends on all words before, through its state."""
    rng = np.random.default_rng(seed)
    recurrence = rng.standard_normal((u, u))
    embedding = rng.standard_normal((V, u))
    output = 2 * rng.standard_normal((u, V))

    def step(words, state):
        assert words.dtype == np.int32 and words.shape == (len(state),)
        state = np.tanh(state @ recurrence + embedding[words])
        return (state @ output).astype(np.float32), state

    return step


def every_sentence(step, state, V, length, forbidden=()):
    """Return (words, log probability, number of words drawn) of every sentence."""
    rest = [word for word in range(V) if word not in forbidden and word != END]
    sentences = [
        words for size in range(length + 1) for words in itertools.product(rest, repeat=size)
    ]
    found = []
    for words in sentences:
        drawn = words if len(words) == length else (*words, END)
        total = 0.0
        now = state
        last = START
        for word in drawn:
            logits, now = step(np.array([last], dtype=np.int32), now)
            probability = np.exp(logits[0].astype(np.float64))
            probability[list(forbidden)] = 0
            total += np.log(probability[word] / probability.sum())
            last = word
        found.append((list(words), total, len(drawn)))
    return found


@pytest.mark.parametrize(
    "options, kept, power",
    [
        ({}, 6, 1),
        ({"temperature": 0.5}, 6, 2),
        ({"top_k": 3}, 3, 1),
        ({"top_p": 0.7}, 3, 1),
        ({"top_p": 1.0}, 6, 1),
        ({"temperature": 2.0, "top_k": 4, "top_p": 0.99}, 4, 0.5),
    ],
)
def test_words_are_drawn_as_often_as_their_probabilities_say(options, kept, power, rng):
    """Words 2 to 7 have probabilities 0.3 down to 0.05, in another order."""
    p = np.array([0, 0, 0.10, 0.30, 0.05, 0.25, 0.20, 0.10])
    words = sample(markov(np.tile(p, (8, 1))), np.zeros((20_000, 1)), START, END, 1, rng, **options)
    expected = p**power
    expected[np.argsort(-p, kind="stable")[kept:]] = 0
    counts = np.bincount(np.concatenate(words), minlength=8)
    assert (counts[expected == 0] == 0).all()
    support = expected > 0
    assert chisquare(counts[support], 20_000 * expected[support] / expected.sum()).pvalue > 0.01


def test_each_word_is_drawn_given_the_one_before(rng):
    p = np.array([[0, 0.1, 0.5, 0.4], [0, 1, 0, 0], [0, 0.2, 0.2, 0.6], [0, 0.3, 0.6, 0.1]])
    sentences = sample(markov(p), np.zeros((20_000, 1)), START, END, 50, rng)
    counts = np.zeros((4, 4))
    for words in sentences:
        np.add.at(counts, ([START, *words], [*words, END]), 1)
    for word in (0, 2, 3):
        assert chisquare(counts[word, 1:], counts[word].sum() * p[word, 1:]).pvalue > 0.01


def test_the_state_goes_with_its_row(rng):
    """A row drawn among others equals the row drawn alone, if its random numbers are the same."""
    class Fixed:
        """A generator whose numbers are all the same."""

        def random(self, shape):
            return np.full(shape, 0.37)

    step = recurrent(9)
    states = rng.standard_normal((6, 3))
    together = sample(step, states, START, END, 8, Fixed())
    assert together == [
        sample(step, states[i : i + 1], START, END, 8, Fixed())[0] for i in range(6)
    ]
    assert len({tuple(words) for words in together}) > 1


def test_sampling_is_deterministic_given_the_generator():
    step = recurrent(20)
    states = np.zeros((5, 3))
    first, again, other = (
        sample(step, states, START, END, 12, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other
    assert all(type(word) is int for words in first for word in words)


def test_greedy_decoding_takes_the_largest_logit_and_the_first_of_equals(rng):
    p = np.array(
        [
            [0, 0, 0.4, 0.4, 0.2],
            [0, 1, 0, 0, 0],
            [0, 0.1, 0, 0, 0.9],
            [1, 0, 0, 0, 0],
            [0, 0.5, 0, 0, 0.5],
        ]
    )
    assert sample(markov(p), None, START, END, 9, rng, temperature=0) == [[2, 4]]


def test_rows_stop_at_the_end_and_at_the_length(rng):
    """Each row starts at its own word: one ends at once, one later, one never."""
    p = np.array(
        [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]
    )
    assert sample(markov(p), None, [2, 3, 4], END, 3, rng) == [[], [2], [4, 4, 4]]
    assert sample(markov(p), None, 3, END, 1, rng) == [[2]]


def test_sampling_ends_with_its_last_row(rng):
    calls = []

    def step(words, state):
        calls.append(len(words))
        end_alone = np.where(np.arange(3) == END, 0, -np.inf)
        return np.tile(end_alone, (len(words), 1)), state

    assert sample(step, np.zeros((4, 1)), START, END, 100, rng) == [[]] * 4
    assert calls == [4]


def test_forbidden_words_are_never_drawn(rng):
    step = recurrent(6)
    sentences = sample(step, np.zeros((500, 3)), START, END, 7, rng, forbidden=(0, END, 3))
    assert {len(words) for words in sentences} == {7}
    assert {word for words in sentences for word in words} == {2, 4, 5}


@pytest.mark.parametrize("p", [0.05, 0.5, 0.8, 0.95])
def test_the_nucleus_is_the_smallest_set_that_reaches_p(p, rng):
    logits = 2 * rng.standard_normal((20, 7))
    for row, kept in zip(softmax(logits), decoding.nucleus(logits, p) > -np.inf):
        reaching = [
            set(words)
            for size in range(8)
            for words in itertools.combinations(range(7), size)
            if row[list(words)].sum() >= p
        ]
        smallest = min(len(words) for words in reaching)
        assert kept.sum() == smallest
        assert set(np.flatnonzero(kept)) in reaching
        assert row[kept].min() >= row[~kept].max(initial=0)


def test_the_nucleus_of_equals_and_of_one_certain_word():
    logits = np.array([[0.0, 0, 0, 0], [-np.inf, 5, -np.inf, -np.inf]])
    np.testing.assert_array_equal(decoding.nucleus(logits, 0.6), [[0, 0, 0, -np.inf], logits[1]])
    np.testing.assert_array_equal(decoding.nucleus(logits, 1), logits)
    first = [0, -np.inf, -np.inf, -np.inf]
    np.testing.assert_array_equal(decoding.nucleus(logits, 1e-9), [first, logits[1]])


def test_top_k_keeps_the_first_of_equals():
    logits = np.array([[1.0, 3, 2, 3, 2], [5, 4, 3, 2, 1]])
    kept = decoding.top_k(logits, 3)
    out = -np.inf
    np.testing.assert_array_equal(kept, [[out, 3, 2, 3, out], [5, 4, 3, out, out]])
    np.testing.assert_array_equal(decoding.top_k(logits, 9), logits)
    many = np.tile([[0.0, 1, 2]], 300)
    np.testing.assert_array_equal(np.flatnonzero(decoding.top_k(many, 3) > out), [2, 5, 8])


@pytest.mark.parametrize("T", [0.25, 1, 3.0])
def test_temperature_is_a_power_of_the_probabilities(T, rng):
    logits = rng.standard_normal((4, 6))
    power = softmax(logits) ** (1 / T)
    expected = power / power.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax(decoding.temperature(logits, T)), expected, rtol=1e-12)


def test_a_tiny_temperature_is_greedy():
    logits = np.array([[1e3, -1e3, 999]])
    np.testing.assert_array_equal(softmax(decoding.temperature(logits, 1e-300)), [[1, 0, 0]])
    np.testing.assert_array_equal(decoding.temperature(logits, 0), [[1e3, -np.inf, -np.inf]])


def test_filters_leave_their_input_alone(rng):
    logits = rng.standard_normal((3, 5))
    before = logits.copy()
    for filtered in (
        decoding.forbid(logits, [1]),
        decoding.temperature(logits, 0.5),
        decoding.temperature(logits, 0),
        decoding.top_k(logits, 2),
        decoding.nucleus(logits, 0.5),
    ):
        assert (filtered != before).any()
        np.testing.assert_array_equal(logits, before)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("length_penalty", [0, 0.6, 2.0])
@pytest.mark.parametrize("forbidden", [(), (0, 3)])
def test_a_wide_beam_is_the_exhaustive_search(forbidden, length_penalty, seed):
    step = recurrent(5, seed)
    state = np.random.default_rng(seed).standard_normal((1, 3))
    every = every_sentence(step, state, 5, 4, forbidden)
    assert np.exp([log_probability for _, log_probability, _ in every]).sum() == pytest.approx(1)
    every.sort(key=lambda found: -found[1] / ((5 + found[2]) / 6) ** length_penalty)
    found = beam_search(step, state, START, END, 4, len(every), forbidden, length_penalty)
    assert [words for words, _ in found] == [words for words, _, _ in every]
    found_p = [log_probability for _, log_probability in found]
    np.testing.assert_allclose(found_p, [p for _, p, _ in every], rtol=1e-6)


def test_a_narrow_beam_finds_real_sentences_and_sometimes_misses_the_best():
    state = np.zeros((1, 3))
    found = {}
    for beams in (1, 2, 64):
        best = [
            beam_search(recurrent(5, seed), state, START, END, 4, beams, length_penalty=0)[0]
            for seed in range(30)
        ]
        found[beams] = np.array([log_probability for _, log_probability in best])
        for seed, (words, log_probability) in enumerate(best[:3]):
            every = every_sentence(recurrent(5, seed), state, 5, 4)
            (expected,) = [p for sentence, p, _ in every if sentence == words]
            assert log_probability == pytest.approx(expected)
    assert (found[1] <= found[64] + 1e-9).all()
    assert (found[2] <= found[64] + 1e-9).all()
    assert (found[1] < found[64] - 1e-9).any()


def test_two_beams_avoid_the_trap_that_one_falls_into(rng):
    """After the more probable first word no sentence exceeds 0.15; after the other, one has 0.4."""
    p = np.zeros((8, 8))
    p[0, [2, 3]] = 0.6, 0.4
    p[2, [4, 5, 6, 7]] = 0.25
    p[3, 4] = p[[4, 5, 6, 7, 1], 1] = 1
    assert sample(markov(p), None, START, END, 5, rng, temperature=0) == [[2, 4]]
    ((words, log_probability),) = beam_search(markov(p), None, START, END, 5, beams=1)
    assert words == [2, 4]
    assert log_probability == pytest.approx(np.log(0.15))
    (words, log_probability), (second, _) = beam_search(markov(p), None, START, END, 5, beams=2)
    assert words == [3, 4]
    assert log_probability == pytest.approx(np.log(0.4))
    assert second == [2, 4]


def test_a_finished_hypothesis_displaces_no_other_and_long_ones_can_win():
    """The empty sentence has probability 0.6, and the sentence 2 3 has 0.4 and a higher penalty.

    Its length with the end is 3, so its logarithm is divided by (8/6)^alpha.
    """
    step = markov([[0, 0.6, 0.4, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]])
    turn = np.log(np.log(0.4) / np.log(0.6)) / np.log(8 / 6)
    for alpha, best in ((0, []), (turn - 0.01, []), (turn + 0.01, [2, 3])):
        ((words, _),) = beam_search(step, None, START, END, 9, beams=1, length_penalty=alpha)
        assert words == best


def test_impossible_sentences_are_not_found():
    """Word 3 has probability 0, and so has every word after it: no beam may follow it."""
    p = np.array([[0, 0.5, 0.5, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    found = beam_search(markov(p), None, START, END, 9, beams=10, length_penalty=0)
    assert [words for words, _ in found] == [[], [2]]


def nan_at_the_end(words, state):
    """A stepper with a NaN in its last logit."""
    logits = np.zeros((len(words), 4))
    logits[-1, -1] = np.nan
    return logits, state


def infinite(words, state):
    """A stepper whose logits are all infinite."""
    return np.full((len(words), 4), np.inf), state


UNIFORM = markov(np.full((4, 4), 0.25))


def decode(step=UNIFORM, length=3, **options):
    """Sample two rows."""
    return sample(step, np.zeros((2, 1)), START, END, length, np.random.default_rng(0), **options)


def search(step=UNIFORM, length=3, rows=1, **options):
    """Search from a state of that many rows."""
    return beam_search(step, np.zeros((rows, 1)), START, END, length, **options)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: decode(nan_at_the_end), "logits must be finite, .*, got NaN or infinity"),
        (lambda: search(nan_at_the_end), "got NaN or infinity"),
        (lambda: decode(infinite), "got NaN or infinity"),
        (lambda: decode(forbidden=range(4)), "every word is forbidden"),
        (lambda: search(forbidden=range(4)), "every word is forbidden"),
        (lambda: decode(forbidden=[4]), "forbidden words must be indices from 0 to 3, got 4"),
        (lambda: decode(forbidden=[-1]), "forbidden words .*, got -1"),
        (
            lambda: decode(temperature=-0.1),
            "sampling: temperature must be a number of at least 0, got -0.1",
        ),
        (lambda: decode(temperature=float("nan")), "temperature must .*, got nan"),
        (lambda: decode(top_k=0), "sampling: top_k must be a positive integer, got 0"),
        (lambda: decode(top_k=2.5), "top_k must .*, got 2.5"),
        (lambda: decode(top_p=0), r"sampling: top_p must be in \(0, 1\], got 0"),
        (lambda: decode(top_p=1.01), "top_p must .*, got 1.01"),
        (lambda: decode(length=0), "sample: length must be a positive integer, got 0"),
        (lambda: search(length=0), "beam_search: length must be a positive integer, got 0"),
        (lambda: search(beams=0), "beam_search: beams must be a positive integer, got 0"),
        (
            lambda: search(length_penalty=-1),
            "beam_search: length_penalty must be a number of at least 0, got -1",
        ),
        (lambda: search(rows=2), r"beam_search: state must have 1 row \(.*\), got 2"),
    ],
)
def test_errors_are_one_line(call, message):
    with pytest.raises(ScratchVAEError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
