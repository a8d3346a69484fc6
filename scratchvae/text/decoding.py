"""From a decoder's distributions of the next word to sentences: sampling and beam search.

The decoder is a stepper, a function step(words, state) -> (logits, state):

    words       int32 (B,), the last word of each row
    state       array (B, u), whatever the decoder remembers; at the start it may be None
    logits      float (B, V), whose softmax is the distribution of the next word

The filters (forbid, temperature, top_k, nucleus) take such logits and return new ones.  A word with
logit -inf is never drawn.
"""

import numpy as np

from .. import checks
from ..errors import ScratchVAEError


def sample(
    step, state, start, end, length, rng, temperature=1.0, top_k=None, top_p=None, forbidden=()
):
    """Draw a sentence for each row: a list of B lists of words (int), without start and end.

    step, state: the stepper and where it starts.  start: the word before the first one, an int, or
    int (B,).
    A row stops before its first `end`, and in any case after `length` words.  rng: a
    numpy.random.Generator; a step takes B
    numbers of it, so that no row depends on another.  temperature: 0 is greedy decoding.  top_k,
    top_p (of the nucleus): None
    leaves that filter out.  forbidden: words that are never drawn.  The filters apply in the order
    forbidden, temperature,
    top_k, top_p.
    ScratchVAEError: a parameter is not allowed, logits are NaN or infinite, or every word of a row
    is forbidden.
    """
    words = np.full(np.size(start) if state is None else len(state), start, dtype=np.int32)
    drawn = np.full((len(words), checks.integer("sample", "length", length)), end, dtype=np.int32)
    ended = np.zeros(len(words), dtype=bool)
    for t in range(length):
        logits, state = step(words, state)
        words = draw(filtered(forbid(logits, forbidden), temperature, top_k, top_p), rng)
        drawn[:, t] = words
        ended |= words == end
        if ended.all():
            break
    return [row[: row.index(end)] if end in row else row for row in drawn.tolist()]


def beam_search(step, state, start, end, length, beams=5, forbidden=(), length_penalty=0.6):
    """The most probable sentences of one example, as far as a beam finds them: [(words, log
    probability in nats)], best first.

    step, start, end, forbidden: as in sample.  state (1, u), or None.  words: a list of int,
    without start and end.
    A hypothesis y is finished by `end`, and stays as it is after `length` words.  Of the
    unfinished, the `beams` most probable
    live on at each step; finished hypotheses are kept apart and push none of them out.  The best
    `beams` of all are returned, by

        log p(y) / lp(y),   lp(y) = (5 + |y|)^alpha / (5 + 1)^alpha        (Wu et al. 2016, eq. 14)

    with alpha = length_penalty, and |y| counting the end; 0 ranks by log p(y) itself, which favours short sentences.
    log p(y) includes the end's and is that of the distributions without the forbidden words.
    ScratchVAEError: a parameter is not allowed, logits are NaN or infinite, or every word is
    forbidden.
    """
    beams = checks.integer("beam_search", "beams", beams)
    length = checks.integer("beam_search", "length", length)
    alpha = checks.number("beam_search", "length_penalty", length_penalty)
    if state is not None and len(state) != 1:
        raise ScratchVAEError(f"beam_search: state has {len(state)} rows; needed: 1, the example")
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
    """The logits as float64 (B, V), -inf at the forbidden words;

    an error if nothing can be drawn from them.
    """
    logits = np.array(logits, dtype=np.float64)
    V = logits.shape[1]
    for word in forbidden:
        if not 0 <= word < V:
            raise ScratchVAEError(
                f"forbidden: {word} is not in the vocabulary; allowed: words from 0 to {V - 1}"
            )
        logits[:, word] = -np.inf
    largest = logits.max(axis=1)
    if (largest == -np.inf).any():
        raise ScratchVAEError(
            "every word is forbidden: all logits of a row are -inf; needed: at least one that is "
            "not"
        )
    if not np.isfinite(largest).all():
        raise ScratchVAEError(
            "the decoder's logits are NaN or infinite; needed: finite numbers, or -inf for words "
            "never drawn"
        )
    return logits


def temperature(logits, T):
    """logits / T, up to a constant:

    T < 1 sharpens the distribution, T = 0 leaves its most probable word, the first of equals.
    """
    T = checks.number("sampling", "temperature", T)
    if T == 0:
        return np.where(
            np.arange(logits.shape[1]) == logits.argmax(axis=1)[:, None], logits, -np.inf
        )
    return (
        logits - logits.max(axis=1, keepdims=True)
    ) / T  # the constant keeps the largest from overflowing


def top_k(logits, k):
    """Keeps the k most probable words of each row (Fan et al. 2018), the first of equals."""
    order, ranked = _ranked(logits)
    ranked[:, checks.integer("sampling", "top_k", k) :] = -np.inf
    return _unranked(order, ranked)


def nucleus(logits, p):
    """Keeps the smallest set of words whose probability reaches p, the most probable ones   (top-p,
    Holtzman et al. 2020).
    """
    if not 0 < p <= 1:
        raise ScratchVAEError(f"top_p is {p!r}; allowed: numbers above 0, up to 1")
    order, ranked = _ranked(logits)
    probability = np.exp(log_softmax(ranked))
    ranked[np.cumsum(probability, axis=1) - probability >= p] = -np.inf
    return _unranked(order, ranked)


def log_softmax(logits):
    """The logarithms of the probabilities, for each row."""
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def filtered(logits, T, k, p):
    """logits at temperature T, and only the k most probable words, and only those of the nucleus p,
    unless these are None.
    """
    logits = temperature(logits, T)
    if k is not None:
        logits = top_k(logits, k)
    if p is not None:
        logits = nucleus(logits, p)
    return logits


def draw(logits, rng):
    """A word of each row, int32 (B,), by inverting the cumulative distribution:

    the first word where it exceeds a uniform number.
    """
    cumulative = np.cumsum(np.exp(log_softmax(logits)), axis=1)
    uniform = (
        rng.random((len(logits), 1)) * cumulative[:, -1:]
    )  # rounding leaves the sum of the probabilities just off 1
    return (cumulative > uniform).argmax(axis=1).astype(np.int32)


def _ranked(logits):
    """Each row's words from the most probable on, equals in order; and their logits."""
    order = np.argsort(-logits, axis=1, kind="stable")
    return order, np.take_along_axis(logits, order, axis=1)


def _unranked(order, ranked):
    logits = np.empty_like(ranked)
    np.put_along_axis(logits, order, ranked, axis=1)
    return logits


def _scored(prefixes, log_probabilities, size, alpha):
    """[(score, words, log probability)] of hypotheses of `size` words, the end included, but for
    the impossible ones.
    """
    penalty = ((5 + size) / 6) ** alpha
    return [
        (float(log_probability) / penalty, words.tolist(), float(log_probability))
        for words, log_probability in zip(prefixes, log_probabilities)
        if log_probability > -np.inf
    ]
