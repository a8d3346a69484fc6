"""shakespeare-onehot: a text word by word through a dense VAE, each word one of V."""
from collections import Counter

import numpy as np

from ..errors import ScratchVAEError
from ..layers import Dense, OneHotDense
from ..analysis.metrics import distinct
from ..models import VAE
from ..optimizers import Adam
from ..text import UNKNOWN, Vocabulary, detokenize, tokenize
from ..text.decoding import sample
from . import figures
from .lab import KL_SETTINGS, kl_schedule
from .text_lab import Measure, TextExamples, TextLab

TARGETS = ("same", "next")
SEED_WORD = "the"
WORDS = 100                     # that the sheet generates
WAYS = {"argmax": (0.0, None), "temperature 1": (1.0, None), "temperature 0.7, top 40": (0.7, 40)}      # to choose the next: temperature, top-k
COLLAPSED = 0.5                 # nats of KL below which the code is of no use


def make_model(settings, backend="cpu"):
    """V -> 64 -> 50 -> 64 -> V; the loss is the sum of V cross-entropies with the one-hot word + KL.  No one-hot vector is built."""
    if settings["target"] not in TARGETS:
        raise ScratchVAEError(f"setting target: {settings['target']!r}; allowed: {', '.join(TARGETS)}")
    V, units = settings["vocabulary_size"] or LAB.words, settings["intermediate_dim"]
    return VAE(encoder=[OneHotDense(V, units, activation="relu")],
               latent_dim=settings["latent_dim"],
               decoder=[Dense(units, activation="relu"), Dense(V, activation="sigmoid")],
               reconstruction="onehot_binary_crossentropy", reconstruction_scale=float(V), kl_weight=kl_schedule(settings),
               backend=backend)


def make_optimizer(settings):
    """Adam with Keras's defaults."""
    return Adam(learning_rate=settings["learning_rate"])


def read(text, settings):
    """The words of all lines in their order, speakers included; the target is the word itself, or the next one."""
    words = [word for line in text.splitlines() for word in tokenize(line)]
    if len(words) < 2:
        raise ScratchVAEError(f"the text has {len(words)} word{'s' * (len(words) != 1)}; needed: 2 or more")
    most = settings["vocabulary_size"] or len(set(words))
    vocabulary = Vocabulary.build([words], (UNKNOWN,) if most < len(set(words)) else (), max_size=most)
    x = vocabulary.encode(words)[:, np.newaxis]
    return TextExamples(x, vocabulary) if settings["target"] == "same" else TextExamples(x[:-1], vocabulary, y_train=x[1:])


def step(model):
    """The model as a decoding.sample stepper: the last word through the mean of its code to the logarithms of the next one's odds."""
    def next_word(words, state):
        p = model.reconstruct(words[:, np.newaxis])
        return np.log(p, where=p > 0, out=np.full_like(p, -1e30)), np.zeros((len(words), 1))
    return next_word


def write(run, rng, seed_word, length, temperature, top_k=None, top_p=None):
    """`length` words after the seed word."""
    start = run.seed_word(seed_word)
    forbidden = () if run.vocabulary.unknown is None else (run.vocabulary.unknown,)
    written, = sample(step(run.model), np.zeros((1, 1)), start, -1, length, rng, temperature, top_k, top_p, forbidden)
    return run.vocabulary.decode(written)


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """As printed: the seed word, then always the most probable word after the last.  With a temperature, words are drawn."""
    if temperature is None:
        temperature = 0.0 if run.config["settings"]["target"] == "same" and not (top_k or top_p) else 1.0
    seed_word = first_word(run) if seed_word is None else seed_word
    return detokenize([seed_word, *write(run, rng, seed_word, length, temperature, top_k, top_p)])


def first_word(run):
    """The sheet's seed word, or the text's most frequent one."""
    return SEED_WORD if SEED_WORD in run.vocabulary else run.vocabulary.words[run.vocabulary.unknown is not None]


def measure(run):
    """The losses over the text that it learnt, and how varied is what the generators write."""
    data, seed = run.data, run.config["seed"]
    x = run.x_test
    y = None if data.y_train is None else data.y_train[:len(x)]
    losses = run.model.evaluate(x, seed, y)
    rng, first = np.random.default_rng(seed), first_word(run)
    target = x if y is None else y
    some = np.unique(np.linspace(0, len(x) - 1, 2000).astype(int))
    hit = np.mean(run.model.reconstruct(x[some]).argmax(axis=1) == target[some, 0])
    real = distinct([run.vocabulary.decode(x[:WORDS, 0])], 1)               # of as many words of the text itself
    measures = [
        Measure("loss", losses["loss"], "nats a word of the training text, reconstruction + KL: lower is better"),
        Measure("reconstruction", losses["reconstruction"], "nats a word: how badly the target is told"),
        Measure("kl", losses["kl"], "nats a word: how much z tells; near 0, the decoder ignores it"),
        Measure("accuracy", float(hit), "of words, the part whose target is the most probable answer; by always the commonest: "
                f"{np.bincount(target[:, 0]).max() / len(target):.3f}")]
    for way, how in WAYS.items():
        words = write(run, rng, first, WORDS, *how)
        measures.append(Measure(f"distinct-1, {way}", distinct([words], 1), f"different words among {WORDS} written after {first!r}", real))
    return measures


def report(run):
    """What is wrong with the printed generator, and what this run's settings change, in words and numbers: report.md."""
    settings, first, measures = run.config["settings"], first_word(run), measure(run)
    value = {m.name: m.value for m in measures}
    other = {m.name: f"{m.value:.4g}" for m in measure(run.beside)} if run.beside else {}
    other_title = f"{run.beside.folder.name}, target = {run.beside.config['settings']['target']}" if run.beside else "another run (plot --beside)"
    rows = [f"| {m.name} | {m.value:.4g} | {other.get(m.name, '')} | {'' if m.beside is None else f'{m.beside:.3g}'} | {m.meaning} |"
            for m in measures]
    ways = [(way, write(run, np.random.default_rng(run.config["seed"]), first, WORDS, *how)) for way, how in WAYS.items()]
    word, times = Counter(ways[0][1]).most_common(1)[0]
    lines = [
        f"# {figures.title(run)}: target = the {settings['target']} word, {len(run.vocabulary):,} words", "", run.config["data"], "",
        "## The problem", "",
        "The sheet trains the model to give back the word it is given, and then writes by taking the most probable answer for the next word. "
        f"After {first!r}, this run answers so with {len(set(ways[0][1]))} different words in {WORDS}; {word!r} comes {times} times. "
        + (f"The code tells next to nothing of the word (KL {value['kl']:.3f} nats): what it would gain is worth less than the KL that it "
           "costs, so the posterior has collapsed, and the answer is near the text's commonest word, whatever the question. "
           if value["kl"] < COLLAPSED else "")
        + "A model that has learnt its task perfectly answers with the question; and a chain of most probable words has no memory but the "
        "last one, so as soon as a word comes twice, everything after it comes again.", "",
        "## What each step changes", "",
        "1. *Drawing* the next word (temperature, top-k) in place of argmax breaks the circle; but a model that has learnt to copy draws "
        "copies, or, where it is unsure, any word at all.",
        "2. *target=next* makes the next word what is learnt: `scratchvae train shakespeare-onehot --set target=next`.",
        "3. *kl_weight=0.01* lets the code tell the word: with the sheet's weight of 1 the KL of telling it costs more than it gains, and "
        "target=next alone only collapses in another way.  Both: `--set target=next --set kl_weight=0.01`.",
        "4. *vocabulary_size=5000*: words too rare to be learnt become one, unknown, which is never written.", "",
        "`scratchvae plot RUN --beside OTHER` puts the numbers of a run with other settings beside these.", "",
        "## In numbers", "", f"| measure | this run | {other_title} | real text | how to read it |", "|---|---|---|---|---|", *rows, "",
        "Losses and accuracies for targets that differ can't be compared: the next word is harder to tell than the same.", "",
        "## What it writes", "", *(f"**{way}**\n\n> {first} {detokenize(words)}\n" for way, words in ways)]
    return run.write("report.md", lines)


def draw(run):
    """Loss curves and the report."""
    return [figures.loss_curves(run), report(run)]


LAB = TextLab(
    name="shakespeare-onehot",
    title="Shakespeare word by word, each word one of all his words",
    data="shakespeare",
    example_shape=(1,),
    epochs=50,
    batch_size=100,
    settings={"vocabulary_size": 0, "target": "same", "intermediate_dim": 64, "latent_dim": 50, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"vocabulary_size": 7, "intermediate_dim": 4, "latent_dim": 2},
    parameters=1_824_471,
    words=14_067,
    references=(),
    make_model=make_model,
    make_optimizer=make_optimizer,
    draw=draw,
    shuffle=False,
    peculiarities=lambda settings: (
        "the sheet trains the model to give back its input, so its generator repeats itself; --set target=next "
        "--set kl_weight=0.01 mends it",)
    if settings["target"] == "same" else (),
    unit="nats a word, + KL",
    read=read,
    generate=generate,
    measure=measure,
)
