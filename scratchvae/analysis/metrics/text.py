"""Measures of generated text.

A sentence is a list of words. A word is a str or an int, or anything that can be compared and
hashed. Logarithms are natural, so information is in nats.
"""
from collections import Counter
from typing import NamedTuple

import numpy as np

from ... import checks
from ...errors import ScratchVAEError


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
