"""Sampling and beam search: sentences from a decoder's distributions of the next word.

Both call the decoder one step at a time, as a function step(words, state) -> (logits, state):

    words       int32 (B,), the last word of each row
    state       array (B, u), the decoder's memory; may be None before the first step
    logits      float (B, V); their softmax is the distribution of the next word

The filters (forbid, temperature, top_k, nucleus) take logits and return new ones. A word whose
logit is -inf is never drawn.
"""
import numpy as np

from .. import checks
from ..errors import ScratchVAEError


def sample(step, state, start, end, length, rng, temperature=1.0, top_k=None, top_p=None,
           forbidden=()):
    """Return a sentence for each row, drawn word by word.

    The filters apply in the order forbidden, temperature, top_k, top_p. Each step takes B random
    numbers, also for rows that have ended, so that no row depends on another.

    Parameters
    ----------
    step : function (words, state) -> (logits, state)
        The decoder.
    state : array of shape (B, u), or None
        The state before the first step.
    start : int, or int array of shape (B,)
        The word before the first one.
    end : int
        The word at which a row stops.
    length : int
        The most words in a row.
    rng : numpy.random.Generator
    temperature : float, default 1
        At least 0; 0 takes the most probable word (greedy decoding).
    top_k : int, optional
        Draw from the k most probable words only.
    top_p : float, optional
        Draw from the nucleus of this probability only, in (0, 1].
    forbidden : iterable of int
        Words that are never drawn.

    Returns
    -------
    list of B lists of int
        The words, without start and end.

    Raises
    ------
    ScratchVAEError
        If an argument is out of range, if logits are NaN or +inf, or if every word is forbidden.
    """
    length = checks.integer("sample", "length", length)
    words = np.full(np.size(start) if state is None else len(state), start, dtype=np.int32)
    drawn = np.full((len(words), length), end, dtype=np.int32)
    ended = np.zeros(len(words), dtype=bool)
    for t in range(length):
        logits, state = step(words, state)
        words = draw(filtered(forbid(logits, forbidden), temperature, top_k, top_p), rng)
        drawn[:, t] = words
        ended |= words == end
        if ended.all():
            break
    return [row[:row.index(end)] if end in row else row for row in drawn.tolist()]


def beam_search(step, state, start, end, length, beams=5, forbidden=(), length_penalty=0.6):
    """Return the most probable sentences that a beam finds for one example, the best first.

    At each step the `beams` most probable unfinished hypotheses continue. Finished ones are kept
    apart, so they never displace an unfinished one. A hypothesis y is finished by `end`, or when it
    has `length` words. All are ranked by

        log p(y) / lp(y),   lp(y) = (5 + |y|)^alpha / (5 + 1)^alpha

    where alpha is length_penalty and |y| counts the end, if there is one.

    Parameters
    ----------
    step : function (words, state) -> (logits, state)
        The decoder.
    state : array of shape (1, u), or None
        The state before the first step.
    start : int
        The word before the first one.
    end : int
        The word that finishes a sentence.
    length : int
        The most words in a sentence.
    beams : int, default 5
        The number of hypotheses that continue, and the most sentences returned.
    forbidden : iterable of int
        Words that never occur.
    length_penalty : float, default 0.6
        At least 0; 0 ranks by log p(y) alone, which favours short sentences.

    Returns
    -------
    list of (words, log_probability)
        The words, a list of int without start and end; and log p(y) in nats, of distributions
        without the forbidden words. It includes the probability of the end.

    Raises
    ------
    ScratchVAEError
        If an argument is out of range, if logits are NaN or +inf, or if every word is forbidden.

    Source: Wu et al. 2016, equation 14 (without the coverage penalty).
    """
    beams = checks.integer("beam_search", "beams", beams)
    length = checks.integer("beam_search", "length", length)
    alpha = checks.number("beam_search", "length_penalty", length_penalty)
    if state is not None and len(state) != 1:
        raise ScratchVAEError("beam_search: state must have 1 row (it decodes a single example), "
                              f"got {len(state)}")
    words = np.full(1, start, dtype=np.int32)
    total = np.zeros(1)
    prefixes = np.zeros((1, 0), dtype=np.int32)
    found = []
    for t in range(length):
        logits, state = step(words, state)
        candidates = total[:, None] + log_softmax(forbid(logits, forbidden))
        found += _scored(prefixes, candidates[:, end], t + 1, alpha)
        candidates[:, end] = -np.inf
        best = np.argsort(-candidates, axis=None, kind="stable")[:beams]
        best = best[candidates.flat[best] > -np.inf]
        parents, words = np.divmod(best.astype(np.int32), candidates.shape[1])
        total = candidates.flat[best]
        state = state[parents]
        prefixes = np.column_stack((prefixes[parents], words))
        if not len(words):
            break
    found += _scored(prefixes, total, length, alpha)
    found.sort(key=lambda hypothesis: -hypothesis[0])
    return [(words, log_probability) for _, words, log_probability in found[:beams]]


def forbid(logits, forbidden):
    """Return logits (B, V) as float64, -inf at the forbidden words.

    Parameters
    ----------
    logits : array of shape (B, V)
    forbidden : iterable of int
        Words, from 0 to V - 1.

    Returns
    -------
    float64 array of shape (B, V)

    Raises
    ------
    ScratchVAEError
        If a forbidden word is out of range, or if a row has no word to draw.
    """
    logits = np.array(logits, dtype=np.float64)
    V = logits.shape[1]
    for word in forbidden:
        if not 0 <= word < V:
            raise ScratchVAEError(f"forbidden words must be indices from 0 to {V - 1}, got {word}")
        logits[:, word] = -np.inf
    largest = logits.max(axis=1)
    if (largest == -np.inf).any():
        raise ScratchVAEError("every word is forbidden: all logits of a row are -inf. "
                              "Leave at least one word to draw.")
    if not np.isfinite(largest).all():
        raise ScratchVAEError("the decoder's logits must be finite, or -inf for words that are "
                              "never drawn, got NaN or infinity")
    return logits


def temperature(logits, T):
    """Return logits / T, shifted by a constant for each row.

    Parameters
    ----------
    logits : float array of shape (B, V)
    T : float
        At least 0. Below 1 it sharpens the distribution; 0 leaves only the most probable word, the
        first of equals.

    Returns
    -------
    float array of shape (B, V)
    """
    T = checks.number("sampling", "temperature", T)
    if T == 0:
        words = np.arange(logits.shape[1])
        return np.where(words == logits.argmax(axis=1)[:, None], logits, -np.inf)
    # Without the shift the largest logit could overflow.
    return (logits - logits.max(axis=1, keepdims=True)) / T


def top_k(logits, k):
    """Return logits with all but the k most probable words of each row at -inf.

    Parameters
    ----------
    logits : float array of shape (B, V)
    k : int
        At least 1. Of equally probable words the first are kept.

    Returns
    -------
    float array of shape (B, V)

    Source: Fan et al. 2018.
    """
    order, ranked = _ranked(logits)
    ranked[:, checks.integer("sampling", "top_k", k):] = -np.inf
    return _unranked(order, ranked)


def nucleus(logits, p):
    """Return logits with all words outside the nucleus of each row at -inf (top-p sampling).

    The nucleus is the smallest set of most probable words whose probability reaches p.

    Parameters
    ----------
    logits : float array of shape (B, V)
    p : float
        In (0, 1].

    Returns
    -------
    float array of shape (B, V)

    Source: Holtzman et al. 2020.
    """
    if not 0 < p <= 1:
        raise ScratchVAEError(f"sampling: top_p must be in (0, 1], got {p!r}")
    order, ranked = _ranked(logits)
    probability = np.exp(log_softmax(ranked))
    ranked[np.cumsum(probability, axis=1) - probability >= p] = -np.inf
    return _unranked(order, ranked)


def log_softmax(logits):
    """Return the logarithms of the probabilities of each row."""
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def filtered(logits, T, k, p):
    """Return logits at temperature T, restricted to the top k words and to the nucleus p.

    Parameters
    ----------
    logits : float array of shape (B, V)
    T : float
        See temperature.
    k : int, or None
        See top_k.
    p : float, or None
        See nucleus.

    Returns
    -------
    float array of shape (B, V)
    """
    logits = temperature(logits, T)
    if k is not None:
        logits = top_k(logits, k)
    if p is not None:
        logits = nucleus(logits, p)
    return logits


def draw(logits, rng):
    """Return a word for each row, drawn from the softmax of its logits.

    It inverts the cumulative distribution: the word is the first at which the distribution exceeds
    a uniform random number.

    Parameters
    ----------
    logits : float array of shape (B, V)
    rng : numpy.random.Generator

    Returns
    -------
    int32 array of shape (B,)
    """
    cumulative = np.cumsum(np.exp(log_softmax(logits)), axis=1)
    # The last sum is not exactly 1, because of rounding.
    uniform = rng.random((len(logits), 1)) * cumulative[:, -1:]
    return (cumulative > uniform).argmax(axis=1).astype(np.int32)


def _ranked(logits):
    """Return the words of each row from the most probable on, equals in order, and their logits."""
    order = np.argsort(-logits, axis=1, kind="stable")
    return order, np.take_along_axis(logits, order, axis=1)


def _unranked(order, ranked):
    """Return ranked logits in the order of the vocabulary: the inverse of _ranked."""
    logits = np.empty_like(ranked)
    np.put_along_axis(logits, order, ranked, axis=1)
    return logits


def _scored(prefixes, log_probabilities, size, alpha):
    """Return (score, words, log probability) of each possible hypothesis of `size` words.

    `size` counts the end.
    """
    penalty = ((5 + size) / 6) ** alpha
    return [(float(log_probability) / penalty, words.tolist(), float(log_probability))
            for words, log_probability in zip(prefixes, log_probabilities)
            if log_probability > -np.inf]
