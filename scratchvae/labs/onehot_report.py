"""The report that shakespeare-onehot's sheet asks for:

the problem, the steps taken, the numbers.
"""
from collections import Counter

from ..text import detokenize
from .figures import title

COLLAPSED = 0.5                 # nats of KL below which the code is of no use
STEPS = """\
1. *Drawing* the next word (temperature, top-k) instead of taking the argmax breaks the circle. But \
a model that has learnt to copy draws copies, or, where it is unsure, any word at all.
2. *target=next* makes the next word what is learnt: \
`scratchvae train shakespeare-onehot --set target=next`.
3. *kl_weight=0.01* lets the code carry the word. With the sheet's weight of 1, the KL that this \
costs exceeds the gain, and target=next alone only collapses in another way. Both: \
`--set target=next --set kl_weight=0.01`.
4. *vocabulary_size=5000*: words too rare to be learnt become one, unknown, which is never written.
"""


def write_report(run, first, written, measures, other):
    """Write report.md; return its path.

    Parameters
    ----------
    run : TextRun
    first : str
        The seed word.
    written : dict of way -> list of str
        What was written after it, in each way of choosing a word; argmax is the first.
    measures, other : list of Measure
        Of this run, and of the run beside it.
    """
    settings = run.config["settings"]
    samples = [f"**{way}**\n\n> {first} {detokenize(words)}\n" for way, words in written.items()]
    return run.write("report.md", [
        f"# {title(run)}: target = the {settings['target']} word, "
        f"{len(run.vocabulary):,} words", "", run.config["data"], "",
        "## The problem", "", problem(first, next(iter(written.values())), measures), "",
        "## What each step changes", "", STEPS,
        "`scratchvae plot RUN --beside OTHER` puts the numbers of a run with other settings "
        "beside these.", "",
        "## In numbers", "", *table(run, measures, other), "",
        "Losses and accuracies for different targets cannot be compared: the next word is harder "
        "to predict than the same one.", "",
        "## What it writes", "", *samples])


def problem(first, words, measures):
    """Return what is wrong with the printed generator, with this run's numbers."""
    word, times = Counter(words).most_common(1)[0]
    kl = next(measure.value for measure in measures if measure.name == "kl")
    text = ("The sheet trains the model to reproduce the word that it is given, and then writes by "
            "taking the most probable answer for the next word. "
            f"After {first!r}, this run writes {len(set(words))} different words in {len(words)}; "
            f"{word!r} comes {times} times. ")
    if kl < COLLAPSED:
        text += (f"The code tells almost nothing about the word (KL {kl:.3f} nats): telling it "
                 "would cost more KL than it gains, so the posterior has collapsed, and the "
                 "answer is near the text's commonest word, whatever the question. ")
    return text + ("A model that has learnt its task perfectly answers with the question. And a "
                   "chain of most probable words remembers only the last one, so when a word "
                   "comes twice, everything after it comes again.")


def table(run, measures, other):
    """Return the measures of this run and of the run beside it, as a Markdown table."""
    beside = "another run (plot --beside)"
    if run.beside:
        target = run.beside.config["settings"]["target"]
        beside = f"{run.beside.folder.name}, target = {target}"
    others = {measure.name: f"{measure.value:.4g}" for measure in other}
    rows = [f"| measure | this run | {beside} | real text | how to read it |",
            "|---|---|---|---|---|"]
    for measure in measures:
        real = "" if measure.beside is None else f"{measure.beside:.3g}"
        rows.append(f"| {measure.name} | {measure.value:.4g} | {others.get(measure.name, '')} "
                    f"| {real} | {measure.meaning} |")
    return rows
