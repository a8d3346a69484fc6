"""Measures of generated text, of latent codes, and of scores that tell two kinds apart.

A sentence is a list of words. A word is a str or an int, or anything that can be compared and
hashed. Logarithms are natural, so information is in nats.
"""
from collections import Counter
from typing import NamedTuple

import numpy as np

from .. import checks
from ..errors import ScratchVAEError

BLOCK = 2**22                   # most elements of an array in mutual_information: 32 MiB


class CopiedRun(NamedTuple):
    """The result of longest_copied_run.

    Parameters
    ----------
    length : int
        The number of words in the longest run.
    words : list
        Its words.
    mean : float
        The mean length over the sentences, each with its own longest run.
    """

    length: int
    words: list
    mean: float


def distinct(sentences, n):
    """Return distinct-n: the number of different n-grams divided by that of all n-grams.

    Higher is more varied. It falls as text grows, so compare equal numbers of sentences.

    Parameters
    ----------
    sentences : sequence of sentences
    n : int
        The number of words in an n-gram, at least 1.

    Returns
    -------
    float
        From 0 to 1; 0 without n-grams.

    Source: Li et al. 2016.
    """
    _check_sentences(sentences, "sentences")
    n = checks.integer("distinct", "n", n)
    counts = Counter(tuple(sentence[i:i + n])
                     for sentence in sentences for i in range(len(sentence) - n + 1))
    return len(counts) / max(1, counts.total())


def bleu(references, candidates, n=4):
    """Return BLEU-n of candidates with one reference each, counted over the whole corpus.

    Higher is closer to the references. nltk computes it; smoothing method 1 counts 0.1 matches
    where no n-gram of some size matches.

    Parameters
    ----------
    references : sequence of sentences
    candidates : sequence of sentences
        One for each reference, at least 1.
    n : int, default 4
        The longest n-grams that count.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ScratchVAEError
        If candidates is empty, or if the lengths differ.

    Source: Papineni et al. 2002; smoothing: Chen & Cherry 2014.
    """
    _check_sentences(candidates, "candidates", 1)
    _check_sentences(references, "references")
    if len(references) != len(candidates):
        raise ScratchVAEError("bleu: references and candidates must have the same length, "
                              f"got {len(references)} and {len(candidates)}")
    return _bleu([[reference] for reference in references], candidates, n)


def self_bleu(sentences, rng, n=4, sample=100):
    """Return self-BLEU: the mean BLEU-n of sentences, each with all the others as references.

    Lower is more varied. It grows with the number of sentences, so compare equal numbers.
    Sentences of fewer than n words score low (see bleu).

    Parameters
    ----------
    sentences : sequence of sentences
        At least 2.
    rng : numpy.random.Generator
        Chooses the sentences that are scored, without replacement.
    n : int, default 4
        The longest n-grams that count.
    sample : int, default 100
        The number of sentences that are scored, at most all.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ScratchVAEError
        If there are fewer than 2 sentences.

    Source: Zhu et al. 2018.
    """
    _check_sentences(sentences, "sentences", 2)
    count = min(checks.integer("self_bleu", "sample", sample), len(sentences))
    scores = []
    for i in rng.choice(len(sentences), count, replace=False):
        others = [*sentences[:i], *sentences[i + 1:]]
        scores.append(_bleu([others], [sentences[i]], n))
    return float(np.mean(scores))


def longest_copied_run(sentences, training_sentences):
    """Return the longest run of consecutive words that a sentence shares with a training sentence.

    Shorter is less memorised. Compare the mean with that of held-out sentences, because any two
    texts of one language share short runs.

    Parameters
    ----------
    sentences : sequence of sentences
        At least 1.
    training_sentences : sequence of sentences

    Returns
    -------
    CopiedRun

    Raises
    ------
    ScratchVAEError
        If sentences is empty.
    """
    _check_sentences(sentences, "sentences", 1)
    _check_sentences(training_sentences, "training_sentences")
    places, size = _places(training_sentences)
    run_lengths = np.zeros(size, dtype=np.int64)
    runs = [_copied_run(sentence, places, run_lengths) for sentence in sentences]
    longest = max(runs, key=len)
    return CopiedRun(len(longest), longest, float(np.mean([len(run) for run in runs])))


def perplexity(nll, words):
    """Return exp(nll / words), the perplexity of a text.

    Lower is better: 1 is certainty, and guessing among V words gives V. If nll is a bound, the
    perplexity is bounded in the same direction.

    Parameters
    ----------
    nll : float or array
        The negative log-likelihood in nats, of the text or of each sentence.
    words : int or array
        The number of words, of the text or of each sentence, with the ends of sentences.

    Returns
    -------
    float

    Raises
    ------
    ScratchVAEError
        If the number of words is 0.
    """
    count = np.sum(words)
    if not count > 0:
        raise ScratchVAEError(f"perplexity: words must be positive in total, got {count}")
    return float(np.exp(np.sum(nll) / count))


def active_units(z_mean, threshold=0.01):
    """Return the number of latent dimensions in use.

    A dimension is in use if its posterior mean has a variance over the examples above the
    threshold. 0 means posterior collapse; the most is the number of dimensions.

    Parameters
    ----------
    z_mean : array of shape (N, J)
        The posterior means of N examples.
    threshold : float, default 0.01

    Returns
    -------
    int

    Source: Burda et al. 2016, section 5.1.
    """
    (z_mean,) = _codes(z_mean)
    return int((z_mean.var(axis=0) > threshold).sum())


def kl_of_dimensions(z_mean, z_log_var):
    """Return the mean KL(q(z_j|x) || N(0, 1)) of each latent dimension in nats, (J,).

    Parameters
    ----------
    z_mean, z_log_var : arrays of shape (N, J)
        The normal posteriors of N examples.

    Source: Kingma & Welling 2014, appendix B.
    """
    z_mean, z_log_var = _codes(z_mean, z_log_var)
    return np.mean(np.square(z_mean) + np.exp(z_log_var) - z_log_var - 1, axis=0) / 2


def mutual_information(z_mean, z_log_var, rng):
    """Return I_q(x; z) in nats: the information in a code about which example it encodes.

        I_q(x; z) = mean_n KL(q(z|x_n) || p(z)) - KL(q(z) || p(z))
                  = mean_n E_q(z|x_n) [log q(z|x_n) - log q(z)],   q(z) = 1/N sum_m q(z|x_m)

    The expectation is estimated with one z for each example. Both logarithms are of the same z, so
    the prior cancels, equal posteriors give 0, and no estimate exceeds log N. Higher is more
    informative; near log N, there may be more information than N examples can show. Memory is
    bounded; time grows with N^2.

    Parameters
    ----------
    z_mean, z_log_var : arrays of shape (N, J)
        The normal posteriors of N examples.
    rng : numpy.random.Generator
        Draws z.

    Returns
    -------
    float

    Raises
    ------
    ScratchVAEError
        If the shapes differ, or are not (N, J).

    Source: Hoffman & Johnson 2016; one sample for each example as in He et al. 2019.
    """
    z_mean, z_log_var = _codes(z_mean, z_log_var)
    N = len(z_mean)
    z = z_mean + np.exp(z_log_var / 2) * rng.standard_normal(z_mean.shape)
    rows = max(1, BLOCK // N)
    blocks = [_information(z[i:i + rows], z_mean, z_log_var, i) for i in range(0, N, rows)]
    return float(np.concatenate(blocks).mean())


def importance_weighted(log_weights):
    """Return the importance-weighted bound of log p(x) in nats, log 1/K sum_k w_k, float64 (N,).

    log_weights (K, N) are log w_k = log p(x, z_k) - log q(z_k|x) for K codes of each of N examples.
    The bound rises to log p(x) with the number of codes. Source: Burda et al. 2016, equation 8.
    """
    log_weights = np.asarray(log_weights, dtype=np.float64)
    if log_weights.ndim != 2 or not len(log_weights):
        raise ScratchVAEError("importance_weighted: log_weights must have shape (codes, examples), "
                              f"got {log_weights.shape}")
    return _log_mean_exp(log_weights, axis=0)


def roc_curve(scores, positive):
    """Return the ROC curve of scores that should be higher for positive examples.

    Parameters
    ----------
    scores : array of shape (N,)
    positive : bool array of shape (N,)

    Returns
    -------
    (array, array)
        The parts of the negative and of the positive examples with a score of at least a
        threshold, from (0, 0) to (1, 1): one point for each distinct score.

    Raises
    ------
    ScratchVAEError
        If the lengths differ, a score is NaN, or all examples are of one kind.
    """
    scores, positive = _two_kinds(scores, positive, "roc_curve")
    values, places = np.unique(-scores, return_inverse=True)
    positives = np.bincount(places, positive, len(values)).cumsum()
    negatives = np.bincount(places, ~positive, len(values)).cumsum()
    return (np.append(0, negatives) / negatives[-1], np.append(0, positives) / positives[-1])


def roc_area(scores, positive):
    """Return the area under the ROC curve, by Mann and Whitney's U.

    It is the probability that a positive example has a higher score than a negative one, where
    equal scores count half: with P positive and M negative examples,

        area = U / (P M),   U = sum of the ranks of the positive examples - P (P + 1) / 2.

    Equal scores share the mean of their ranks. 0.5 is chance; below it, negative examples have the
    higher scores.

    Parameters
    ----------
    scores : array of shape (N,)
    positive : bool array of shape (N,)

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ScratchVAEError
        If the lengths differ, a score is NaN, or all examples are of one kind.

    Source: Mann & Whitney 1947; Hanley & McNeil 1982.
    """
    scores, positive = _two_kinds(scores, positive, "roc_area")
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = counts.cumsum()                              # the highest rank of each distinct score
    ranks = (last - (counts - 1) / 2)[places]
    P = positive.sum()
    U = ranks[positive].sum() - P * (P + 1) / 2
    return float(U / (P * (len(scores) - P)))


def _two_kinds(scores, positive, name):
    """Return both as arrays; raise an error unless there are examples of both kinds."""
    scores = np.asarray(scores, dtype=np.float64)
    positive = np.asarray(positive, dtype=bool)
    if scores.ndim != 1 or scores.shape != positive.shape:
        raise ScratchVAEError(f"{name}: scores and positive must have the same shape (N,), "
                              f"got {scores.shape} and {positive.shape}")
    if np.isnan(scores).any():
        raise ScratchVAEError(f"{name}: scores must not be NaN, but {np.isnan(scores).sum():,} of "
                              f"{len(scores):,} are")
    if positive.all() or not positive.any():
        raise ScratchVAEError(f"{name}: needs positive and negative examples, got "
                              f"{positive.sum():,} positive ones of {len(positive):,}")
    return scores, positive


def _information(z, z_mean, z_log_var, first):
    """Return log q(z|x_n) - log q(z) (R,) of codes z (R, J), those of examples `first` and on."""
    precision = np.exp(-z_log_var)
    # log q(z_r|x_m) = -1/2 sum_j ((z - mean)^2 / variance + log variance) + constant. The square is
    # multiplied out, and the constant cancels in the difference below.
    constant = (np.square(z_mean) * precision + z_log_var).sum(axis=1)
    log_q = z @ (z_mean * precision).T - 0.5 * (np.square(z) @ precision.T + constant)
    return np.diagonal(log_q, first) - _log_mean_exp(log_q, axis=1)


def _log_mean_exp(a, axis):
    """Return log(mean(exp(a))) along an axis."""
    return np.logaddexp.reduce(a, axis=axis) - np.log(a.shape[axis])


def _codes(*arrays):
    """Return arrays as float64; raise an error unless all have one shape (N, J), without zeros."""
    arrays = [np.asarray(array, dtype=np.float64) for array in arrays]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 2 or not arrays[0].size:
        raise ScratchVAEError("latent codes must have shape (examples, dimensions), "
                              f"got {' and '.join(map(str, sorted(shapes)))}")
    return arrays


def _bleu(references, candidates, n):
    """Return BLEU-n of candidates with several references each, by nltk."""
    # Imported here because it takes a second.
    from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu
    n = checks.integer("bleu", "n", n)
    return float(corpus_bleu(references, candidates, (1 / n,) * n, SmoothingFunction().method1))


def _places(training_sentences):
    """Return word -> its places, int64, in the joined training sentences, and how many there are.

    Before each sentence is a place without a word, so that no run crosses into the next sentence.
    """
    places = {}
    size = 1
    for sentence in training_sentences:
        for i, word in enumerate(sentence, size):
            places.setdefault(word, []).append(i)
        size += len(sentence) + 1
    return {word: np.array(where) for word, where in places.items()}, size


def _copied_run(sentence, places, run_lengths):
    """Return the sentence's longest run of words that follow one another at the places.

    run_lengths is a buffer of a number for each place, 0 before and after. In between it has the
    number of words up to the current one that equal those up to that place.
    """
    longest = 0
    stop = 0
    nowhere = np.empty(0, dtype=np.int64)
    last = nowhere
    for t, word in enumerate(sentence, 1):
        here = places.get(word, nowhere)
        lengths = run_lengths[here - 1] + 1
        run_lengths[last] = 0
        run_lengths[here] = lengths
        if lengths.max(initial=0) > longest:
            longest = int(lengths.max())
            stop = t
        last = here
    run_lengths[last] = 0
    return list(sentence[stop - longest:stop])


def _check_sentences(sentences, name, least=0):
    """Raise an error unless there are at least so many sentences, each of them a list of words.

    A str would pass as a list of letters.
    """
    if len(sentences) < least:
        raise ScratchVAEError(f"{name}: at least {least} must be given, got {len(sentences)}")
    for sentence in sentences:
        if isinstance(sentence, str):
            raise ScratchVAEError(f"{name}: each must be a list of words, "
                                  f"got the string {sentence[:40]!r}")
