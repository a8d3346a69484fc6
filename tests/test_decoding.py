"""Sampling and beam search: against distributions and searches written out, on tiny decoders."""

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
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def markov(probabilities):
    """A stepper whose next word depends on the last one only:

    row i of the probabilities follows word i.
    """
    with np.errstate(divide="ignore"):
        logits = np.log(np.asarray(probabilities, dtype=np.float64))
    return lambda words, state: (logits[words], np.zeros((len(words), 1)))


def recurrent(V, seed=0, u=3):
    """A stepper whose next word depends on all words before, through its state."""
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
    """[(words, log probability, number of words drawn)] of all that can be drawn, by following
    each.
    """
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
    """Words 2 to 7 have probabilities 0.3 down to 0.05, in another order;

    chi-square at fixed seeds.
    """
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
    """A row drawn among others is the row drawn alone, if its random numbers are the same."""

    class Fixed:
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
    draws = [
        sample(step, states, START, END, 12, np.random.default_rng(seed)) for seed in (3, 3, 4)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert all(type(word) is int for words in draws[0] for word in words)


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
    """Rows start at words of their own: one ends at once, one later, one never."""
    p = np.array(
        [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]
    )
    assert sample(markov(p), None, [2, 3, 4], END, 3, rng) == [[], [2], [4, 4, 4]]
    assert sample(markov(p), None, 3, END, 1, rng) == [[2]]


def test_sampling_ends_with_its_last_row(rng):
    calls = []

    def step(words, state):
        calls.append(len(words))
        return np.where(np.arange(3) == END, 0, -np.inf) * np.ones((len(words), 1)), state

    assert sample(step, np.zeros((4, 1)), START, END, 100, rng) == [[]] * 4 and calls == [4]


def test_forbidden_words_are_never_drawn(rng):
    step = recurrent(6)
    sentences = sample(step, np.zeros((500, 3)), START, END, 7, rng, forbidden=(0, END, 3))
    assert {len(words) for words in sentences} == {7} and {
        word for words in sentences for word in words
    } == {2, 4, 5}


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
        assert kept.sum() == smallest and set(np.flatnonzero(kept)) in reaching
        assert row[kept].min() >= row[~kept].max(initial=0)


def test_the_nucleus_of_equals_and_of_one_certain_word():
    logits = np.array([[0.0, 0, 0, 0], [-np.inf, 5, -np.inf, -np.inf]])
    np.testing.assert_array_equal(decoding.nucleus(logits, 0.6), [[0, 0, 0, -np.inf], logits[1]])
    np.testing.assert_array_equal(decoding.nucleus(logits, 1), logits)
    np.testing.assert_array_equal(
        decoding.nucleus(logits, 1e-9), [[0, -np.inf, -np.inf, -np.inf], logits[1]]
    )


def test_top_k_keeps_the_first_of_equals():
    logits = np.array([[1.0, 3, 2, 3, 2], [5, 4, 3, 2, 1]])
    kept = decoding.top_k(logits, 3)
    np.testing.assert_array_equal(
        kept > -np.inf, [[False, True, True, True, False], [True, True, True, False, False]]
    )
    np.testing.assert_array_equal(kept[kept > -np.inf], [3, 2, 3, 5, 4, 3])
    np.testing.assert_array_equal(decoding.top_k(logits, 9), logits)
    np.testing.assert_array_equal(
        np.flatnonzero(decoding.top_k(np.tile([[0.0, 1, 2]], 300), 3)[0] == 2), [2, 5, 8]
    )


@pytest.mark.parametrize("T", [0.25, 1, 3.0])
def test_temperature_is_a_power_of_the_probabilities(T, rng):
    logits = rng.standard_normal((4, 6))
    power = softmax(logits) ** (1 / T)
    np.testing.assert_allclose(
        softmax(decoding.temperature(logits, T)),
        power / power.sum(axis=1, keepdims=True),
        rtol=1e-12,
    )


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
    found = beam_search(
        step,
        state,
        START,
        END,
        4,
        beams=len(every),
        forbidden=forbidden,
        length_penalty=length_penalty,
    )
    assert [words for words, _ in found] == [words for words, _, _ in every]
    np.testing.assert_allclose(
        [log_probability for _, log_probability in found], [p for _, p, _ in every], rtol=1e-6
    )


def test_a_narrow_beam_finds_real_sentences_and_sometimes_misses_the_best():
    found = {}
    for beams in (1, 2, 64):
        best = [
            beam_search(
                recurrent(5, seed), np.zeros((1, 3)), START, END, 4, beams, length_penalty=0
            )[0]
            for seed in range(30)
        ]
        found[beams] = np.array([log_probability for _, log_probability in best])
        for seed, (words, log_probability) in enumerate(best[:3]):
            every = {
                tuple(words): p
                for words, p, _ in every_sentence(recurrent(5, seed), np.zeros((1, 3)), 5, 4)
            }
            assert log_probability == pytest.approx(every[tuple(words)])
    assert (found[1] <= found[64] + 1e-9).all() and (found[2] <= found[64] + 1e-9).all()
    assert (found[1] < found[64] - 1e-9).any()


def test_two_beams_avoid_the_trap_that_one_falls_into(rng):
    """The more probable first word leads to sentences of probability 0.15, the other to one of 0.4.
    """
    p = np.zeros((8, 8))
    p[0, [2, 3]] = 0.6, 0.4
    p[2, [4, 5, 6, 7]] = 0.25
    p[3, 4] = p[[4, 5, 6, 7, 1], 1] = 1
    assert sample(markov(p), None, START, END, 5, rng, temperature=0) == [[2, 4]]
    ((words, log_probability),) = beam_search(markov(p), None, START, END, 5, beams=1)
    assert words == [2, 4] and log_probability == pytest.approx(np.log(0.15))
    (words, log_probability), second = beam_search(markov(p), None, START, END, 5, beams=2)
    assert words == [3, 4] and log_probability == pytest.approx(np.log(0.4)) and second[0] == [2, 4]


def test_a_finished_hypothesis_pushes_no_other_out_and_long_ones_can_win():
    """Ending at once has probability 0.6;

    the sentence 2 3 has 0.4 and three words with its end, so (8/6)^alpha decides.
    """
    p = np.array([[0, 0.6, 0.4, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0.0]])
    turn = np.log(np.log(0.4) / np.log(0.6)) / np.log(8 / 6)
    for length_penalty, best in ((0, []), (turn - 0.01, []), (turn + 0.01, [2, 3])):
        ((words, _),) = beam_search(
            markov(p), None, START, END, 9, beams=1, length_penalty=length_penalty
        )
        assert words == best


def test_impossible_sentences_are_no_hypotheses():
    """Word 3 has probability 0 and nothing after it: no beam may follow it."""
    p = np.array([[0, 0.5, 0.5, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    found = beam_search(markov(p), None, START, END, 9, beams=10, length_penalty=0)
    assert [words for words, _ in found] == [[], [2]]


def nan_at_the_end(words, state):
    logits = np.zeros((len(words), 4))
    logits[-1, -1] = np.nan
    return logits, state


def decode(step=markov(np.full((4, 4), 0.25)), length=3, **options):
    return sample(step, np.zeros((2, 1)), START, END, length, np.random.default_rng(0), **options)


def search(step=markov(np.full((4, 4), 0.25)), length=3, rows=1, **options):
    return beam_search(step, np.zeros((rows, 1)), START, END, length, **options)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: decode(nan_at_the_end), "NaN or infinite"),
        (lambda: search(nan_at_the_end), "NaN or infinite"),
        (lambda: decode(lambda words, state: (np.full((2, 4), np.inf), state)), "NaN or infinite"),
        (lambda: decode(forbidden=range(4)), "every word is forbidden"),
        (lambda: search(forbidden=range(4)), "every word is forbidden"),
        (lambda: decode(forbidden=[4]), "4 is not in the vocabulary; allowed: words from 0 to 3"),
        (lambda: decode(forbidden=[-1]), "-1 is not in the vocabulary"),
        (lambda: decode(temperature=-0.1), r"sampling: temperature must be a number of at "
                                           r"least 0, got -0\.1"),
        (lambda: decode(temperature=float("nan")), "sampling: temperature must be a number "
                                                   "of at least 0, got nan"),
        (lambda: decode(top_k=0), "sampling: top_k must be a positive integer, got 0"),
        (lambda: decode(top_k=2.5), r"sampling: top_k must be a positive integer, got 2\.5"),
        (lambda: decode(top_p=0), "top_p is 0; allowed: numbers above 0, up to 1"),
        (lambda: decode(top_p=1.01), "top_p is 1.01"),
        (lambda: decode(length=0), "length must be a positive integer, got 0"),
        (lambda: search(length=0), "beam_search: length must be a positive integer, got 0"),
        (lambda: search(beams=0), "beam_search: beams must be a positive integer, got 0"),
        (lambda: search(length_penalty=-1), "beam_search: length_penalty must be a number of "
                                            "at least 0, got -1"),
        (lambda: search(rows=2), "state has 2 rows; needed: 1"),
    ],
)
def test_what_cannot_be_decoded_is_refused_in_one_line(call, message):
    with pytest.raises(ScratchVAEError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
