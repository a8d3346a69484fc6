"""What a model of single words writes, and how good that is: for shakespeare-onehot."""
from collections import Counter

import numpy as np

from ..analysis.metrics import distinct
from ..text import detokenize
from ..text.decoding import sample
from .figures import title
from .text_lab import Measure

SEED_WORD = "the"
WORDS = 100                     # that the sheet generates
MEASURED = 2000                 # words whose reconstruction is measured
COLLAPSED = 0.5                 # nats of KL below which the code is of no use
WAYS = {                        # to choose the next word: temperature and top-k
    "argmax": (0.0, None),
    "temperature 1": (1.0, None),
    "temperature 0.7, top 40": (0.7, 40),
}
REPORT = """\
# {title}: target = the {target} word, {count:,} words

{data}

## The problem

The sheet trains the model to give back the word it is given, and then writes by taking the most \
probable answer as the next word. After {first!r} this run writes {different} different words \
in {WORDS}; {commonest!r} occurs {times} times. {collapse}A model that has learnt its task \
perfectly answers with the word it is given. And a chain of most probable words depends on the \
last word alone: as soon as a word occurs twice, everything after it repeats.

## What each step changes

1. *Drawing* the next word (temperature, top-k) in place of argmax ends the repetition; but a \
model that has learnt to copy draws copies or, where it is unsure, any word at all.
2. *target=next* trains the model to predict the next word: \
`scratchvae train shakespeare-onehot --set target=next`.
3. *kl_weight=0.01* lets the code carry the word: with the sheet's weight of 1 the KL divergence \
costs more than the information gains, and with target=next alone the posterior collapses, too. \
Both: `--set target=next --set kl_weight=0.01`.
4. *vocabulary_size=5000*: words too rare to be learnt become one, unknown, which is never written.

`scratchvae plot RUN --beside OTHER` puts the numbers of a run with other settings beside these.

## In numbers

| measure | this run | {other} | real text | how to read it |
|---|---|---|---|---|
{rows}

Losses and accuracies of different targets cannot be compared: the next word is harder to predict \
than the same one.

## What it writes

{written}
"""
COLLAPSE = """\
The code carries almost no information about the word (KL {kl:.3f} nats): the information would \
gain less than its KL divergence costs, so the posterior has collapsed, and the answer is near \
the text's commonest word for every word. """


def write(run, rng, seed_word, length, temperature, top_k=None, top_p=None):
    """Return `length` words after a seed word, drawn one by one.

    Parameters
    ----------
    run : TextRun
    rng : numpy.random.Generator
    seed_word : str
    length : int
    temperature : float
    top_k : int, optional
    top_p : float, optional
        See text.decoding.sample.

    Returns
    -------
    list of str
    """
    vocabulary = run.vocabulary
    start = run.seed_word(seed_word)
    forbidden = () if vocabulary.unknown is None else (vocabulary.unknown,)
    no_state = np.zeros((1, 1))
    written, = sample(stepper(run.model), no_state, start, -1, length, rng, temperature, top_k,
                      top_p, forbidden)
    return vocabulary.decode(written)


def stepper(model):
    """Return a model as the function `step` of text.decoding.sample.

    It passes the last word through the mean of its code to the logarithms of the next word's
    probabilities.
    """
    def step(words, state):
        p = model.reconstruct(words[:, np.newaxis])
        return np.log(p, where=p > 0, out=np.full_like(p, -1e30)), np.zeros((len(words), 1))
    return step


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """Return a seed word and `length` words after it as text.

    Without a temperature the printed model takes the most probable word each time, as the sheet
    does; a model that has learnt the next word draws at temperature 1.
    """
    if temperature is None:
        printed = run.config["settings"]["target"] == "same" and not (top_k or top_p)
        temperature = 0.0 if printed else 1.0
    if seed_word is None:
        seed_word = first_word(run)
    written = write(run, rng, seed_word, length, temperature, top_k, top_p)
    return detokenize([seed_word, *written])


def first_word(run):
    """Return the sheet's seed word, or the most frequent word of a text without it."""
    vocabulary = run.vocabulary
    if SEED_WORD in vocabulary:
        return SEED_WORD
    return vocabulary.words[0 if vocabulary.unknown is None else 1]


def measure(run):
    """Return Measures of the losses on the training text, and of what the model writes."""
    x = run.x_test
    seed = run.config["seed"]
    y = run.data.y_train
    if y is not None:
        y = y[:len(x)]
    losses = run.model.evaluate(x, seed, y)
    target = x if y is None else y
    measured = np.unique(np.linspace(0, len(x) - 1, MEASURED).astype(int))
    answers = run.model.reconstruct(x[measured]).argmax(axis=1)
    hits = float(np.mean(answers == target[measured, 0]))
    commonest = np.bincount(target[:, 0]).max() / len(target)
    measures = [
        Measure("loss", losses["loss"],
                "nats a word of the training text, reconstruction + KL: lower is better"),
        Measure("reconstruction", losses["reconstruction"],
                "nats a word: the cost of the target, given z"),
        Measure("kl", losses["kl"],
                "nats a word: the information in z; near 0, the decoder ignores it"),
        Measure("accuracy", hits,
                "the part of the words whose target is the most probable answer; with the "
                f"commonest word as every answer: {commonest:.3f}"),
    ]
    rng = np.random.default_rng(seed)
    first = first_word(run)
    real = distinct([run.vocabulary.decode(x[:WORDS, 0])], 1)
    for way, how in WAYS.items():
        words = write(run, rng, first, WORDS, *how)
        measures.append(Measure(f"distinct-1, {way}", distinct([words], 1),
                                f"different words among {WORDS} written after {first!r}", real))
    return measures


def report(run):
    """Write report.md: the problem of the printed generator, and what the settings change."""
    settings = run.config["settings"]
    first = first_word(run)
    seed = run.config["seed"]
    measures = measure(run)
    kl = next(m.value for m in measures if m.name == "kl")
    ways = {way: write(run, np.random.default_rng(seed), first, WORDS, *how)
            for way, how in WAYS.items()}
    commonest, times = Counter(ways["argmax"]).most_common(1)[0]
    text = REPORT.format(
        title=title(run),
        target=settings["target"],
        count=len(run.vocabulary),
        data=run.config["data"],
        first=first,
        WORDS=WORDS,
        different=len(set(ways["argmax"])),
        commonest=commonest,
        times=times,
        collapse=COLLAPSE.format(kl=kl) if kl < COLLAPSED else "",
        other=_title_of(run.beside),
        rows="\n".join(_rows(measures, measure(run.beside) if run.beside else [])),
        written="\n".join(f"**{way}**\n\n> {first} {detokenize(words)}\n"
                          for way, words in ways.items()),
    )
    return [run.write("report.md", text.splitlines())]


def _title_of(other):
    """Return the title of the column of another run, or of the empty column without one."""
    if other is None:
        return "another run (plot --beside)"
    return f"{other.folder.name}, target = {other.config['settings']['target']}"


def _rows(measures, others):
    """Return the rows of the table: measures, beside those of another run."""
    other = {m.name: f"{m.value:.4g}" for m in others}
    rows = []
    for m in measures:
        real = "" if m.beside is None else f"{m.beside:.3g}"
        cells = (m.name, f"{m.value:.4g}", other.get(m.name, ""), real, m.meaning)
        rows.append(f"| {' | '.join(cells)} |")
    return rows
