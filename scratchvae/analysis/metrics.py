"""Measures of generated text and of latent codes.

A sentence is a list of words, and a word a string or an int: whatever can be compared.  Logarithms
are natural, information in nats.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from .. import checks
from ..errors import ScratchVAEError

BLOCK = 2**22  # elements of the largest array that mutual_information holds: 32 MiB


class CopiedRun(NamedTuple):
    """What longest_copied_run finds:

    the longest run's length and its words; the mean of the sentences' longest runs.
    """

    length: int
    words: list
    mean: float


def distinct(sentences, n):
    """Distinct-n: the number of different n-grams over that of all n-grams (Li et al. 2016), 0 if
    there are none.

    From 0 to 1; higher is more varied.  It falls as text grows: compare equal numbers of sentences.
    """
    _check(sentences, "sentences")
    n = checks.integer("distinct", "n", n)
    counts = Counter(
        tuple(sentence[i : i + n]) for sentence in sentences for i in range(len(sentence) - n + 1)
    )
    return len(counts) / max(1, counts.total())


def bleu(references, candidates, n=4):
    """BLEU-n of each candidate against its one reference, counted over the whole corpus (Papineni
    et al. 2002).

    From 0 to 1; higher is closer to the references.  Computed by nltk, whose smoothing method 1
    counts 0.1 where no n-gram of
    some size matches (Chen & Cherry 2014).  ScratchVAEError: no candidates, or another number of
    them than of references.
    """
    _check(candidates, "candidates", 1)
    _check(references, "references")
    if len(references) != len(candidates):
        raise ScratchVAEError(
            f"bleu: {len(references)} references for {len(candidates)} candidates; needed: one "
            "for each"
        )
    return _bleu([[reference] for reference in references], candidates, n)


def self_bleu(sentences, rng, n=4, sample=100):
    """Self-BLEU: the mean BLEU-n of sentences, each with all the others as its references (Zhu et
    al. 2018).

    From 0 to 1; lower is more varied.  It grows with their number: compare equal numbers of
    sentences.  Scored are `sample`
    sentences drawn by rng without replacement, all if there are no more.  Sentences of fewer than n
    words score low (see bleu).
    ScratchVAEError: fewer than two sentences.
    """
    _check(sentences, "sentences", 2)
    chosen = rng.choice(
        len(sentences),
        min(checks.integer("self_bleu", "sample", sample), len(sentences)),
        replace=False,
    )
    return float(
        np.mean([_bleu([[*sentences[:i], *sentences[i + 1 :]]], [sentences[i]], n) for i in chosen])
    )


def longest_copied_run(sentences, training_sentences):
    """The longest run of consecutive words that a sentence shares with any one training sentence,
    as a CopiedRun.

    Its mean is over the sentences, each with its own longest run.  Lower is less memorised; compare
    with the mean of held-out
    sentences, since any two texts of one language share short runs.  ScratchVAEError: no sentences.
    """
    _check(sentences, "sentences", 1)
    _check(training_sentences, "training_sentences")
    places, size = _places(training_sentences)
    ends = np.zeros(
        size, dtype=np.int64
    )  # ends[i]: how many words up to the current one equal those up to place i
    runs = [_copied_run(sentence, places, ends) for sentence in sentences]
    longest = max(runs, key=len)
    return CopiedRun(len(longest), longest, float(np.mean([len(run) for run in runs])))


def perplexity(nll, words):
    """exp(nll / words), for the negative log-likelihood of a text in nats and its number of words,
    the ends of sentences included.

    nll, words: numbers, or an array of a number for each sentence.  Lower is better: 1 is
    certainty, guessing among V words gives V.
    With a bound in place of the nll, the perplexity is bounded in the same direction.
    ScratchVAEError: there are no words.
    """
    if not np.sum(words) > 0:
        raise ScratchVAEError(f"perplexity: {np.sum(words)} words; needed: at least one")
    return float(np.exp(np.sum(nll) / np.sum(words)))


def active_units(z_mean, threshold=0.01):
    """The number of latent dimensions in use: whose posterior mean has a variance over the data
    above threshold.

    z_mean (N, J), of N examples (Burda et al. 2016, section 5.1).  Higher is more used: 0 is
    posterior collapse, J the most.
    """
    return int((_codes(z_mean)[0].var(axis=0) > threshold).sum())


def mutual_information(z_mean, z_log_var, rng):
    """I_q(x; z) in nats: what a code tells about which of the N examples it is the code of (Hoffman
    & Johnson 2016).

        mean_n KL(q(z|x_n) || p(z)) - KL(q(z) || p(z))  =  mean_n E_q(z|x_n) [log q(z|x_n) - log q(z)],   q(z) = 1/N sum_m q(z|x_m)

    z_mean, z_log_var (N, J), of normal posteriors; one z is drawn from each by rng, as He et al.
    2019 do.  Both logarithms are of
    the same z: the prior cancels, equal posteriors give 0, and no estimate exceeds log N.  Higher
    is more informative; near
    log N it says only that there is more than N examples can show.  Memory is bounded; time grows
    with N^2.
    """
    z_mean, z_log_var = _codes(z_mean, z_log_var)
    N = len(z_mean)
    z = z_mean + np.exp(z_log_var / 2) * rng.standard_normal(z_mean.shape)
    rows = max(1, BLOCK // N)
    return float(
        np.concatenate(
            [_information(z[i : i + rows], z_mean, z_log_var, i) for i in range(0, N, rows)]
        ).mean()
    )


def importance_weighted(log_weights):
    """The importance-weighted bound of log p(x) in nats, log 1/K sum_k w_k, for each example (Burda
    et al. 2016, eq. 8).

    log_weights (K, N): log w_k = log p(x, z_k) - log q(z_k|x) of K codes of each example; the bounds (N,), float64.
    Higher is better, and nearer to log p(x) with more codes.
    """
    log_weights = np.asarray(log_weights, dtype=np.float64)
    if log_weights.ndim != 2 or not len(log_weights):
        raise ScratchVAEError(
            f"importance_weighted: log_weights has shape {log_weights.shape}; needed: (codes, "
            "examples)"
        )
    return _log_mean_exp(log_weights, axis=0)


def _information(z, z_mean, z_log_var, first):
    """log q(z|x_n) - log q(z) (R,), where z (R, J) are the codes of examples number `first` on."""
    precision = np.exp(-z_log_var)
    # log q(z_r|x_m) but for a constant: -1/2 sum_j ((z - mean)^2 / variance + log variance), the
    # square multiplied out
    constant = (np.square(z_mean) * precision + z_log_var).sum(axis=1)
    log_q = z @ (z_mean * precision).T - 0.5 * (np.square(z) @ precision.T + constant)
    return np.diagonal(log_q, first) - _log_mean_exp(log_q, axis=1)


def _log_mean_exp(a, axis):
    return np.logaddexp.reduce(a, axis=axis) - np.log(a.shape[axis])


def _codes(*arrays):
    """The arrays as float64, or an error:

    they must be of equal shape (N, J), N and J at least 1.
    """
    arrays = [np.asarray(array, dtype=np.float64) for array in arrays]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 2 or not arrays[0].size:
        raise ScratchVAEError(
            f"latent codes have shape {' and '.join(map(str, sorted(shapes)))}; needed: "
            "(examples, dimensions)"
        )
    return arrays


def _bleu(references, candidates, n):
    from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu  # takes a second to import

    n = checks.integer("bleu", "n", n)
    return float(corpus_bleu(references, candidates, (1 / n,) * n, SmoothingFunction().method1))


def _places(training_sentences):
    """word -> the places where it stands, int64, in all training sentences one after the other; and
    the number of places.

    Before each sentence is a place without a word, so that no run goes from one into the next.
    """
    places = {}
    size = 1
    for sentence in training_sentences:
        for i, word in enumerate(sentence, size):
            places.setdefault(word, []).append(i)
        size += len(sentence) + 1
    return {word: np.array(where) for word, where in places.items()}, size


def _copied_run(sentence, places, ends):
    """The sentence's longest run of words that stand one after another at the places.

    `ends` is 0 before and after.
    """
    longest = 0
    stop = 0
    last = np.empty(0, dtype=np.int64)
    nowhere = np.empty(0, dtype=np.int64)
    for t, word in enumerate(sentence, 1):
        here = places.get(word, nowhere)
        lengths = ends[here - 1] + 1
        ends[last] = 0
        ends[here] = lengths
        if lengths.max(initial=0) > longest:
            longest = int(lengths.max())
            stop = t
        last = here
    ends[last] = 0
    return list(sentence[stop - longest : stop])


def _check(sentences, name, least=0):
    """An error unless there are enough sentences, as lists of words;

    a string would pass for a list of letters.
    """
    if len(sentences) < least:
        raise ScratchVAEError(f"{name}: there are {len(sentences)}; needed: at least {least}")
    for sentence in sentences:
        if isinstance(sentence, str):
            raise ScratchVAEError(
                f"{name}: one is the string {sentence[:40]!r}; needed: lists of words"
            )
