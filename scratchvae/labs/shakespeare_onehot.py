"""shakespeare-onehot: a text word by word through a dense VAE, each word one of V."""
import numpy as np

from .. import checks
from ..analysis.metrics import distinct
from ..errors import ScratchVAEError
from ..layers import Dense, OneHotDense
from ..models import VAE
from ..text import UNKNOWN, Vocabulary, detokenize, tokenize
from ..text.decoding import sample
from .figures import loss_curves
from .lab import KL_SETTINGS, kl_schedule
from .onehot_report import write_report
from .text_lab import Measure, TextExamples, TextLab

TARGETS = ("same", "next")
SEED_WORD = "the"
WORDS = 100                     # that the sheet generates
WAYS = {                        # how the next word is chosen: temperature, top-k
    "argmax": (0.0, None),
    "temperature 1": (1.0, None),
    "temperature 0.7, top 40": (0.7, 40),
}
NEVER = -1e30                   # the logarithm of a probability of 0
SOME = 2000                     # examples of which the accuracy is measured


def make_model(settings, backend="cpu"):
    """V -> 64 -> 50 -> 64 -> V.

    The loss is the sum of V cross-entropies with the one-hot word, plus the KL divergence. No
    one-hot vector is built.
    """
    checks.choice("setting", "target", settings["target"], TARGETS)
    V = settings["vocabulary_size"] or LAB.words
    units = settings["intermediate_dim"]
    return VAE(
        encoder=[OneHotDense(V, units, activation="relu")],
        latent_dim=settings["latent_dim"],
        decoder=[Dense(units, activation="relu"), Dense(V, activation="sigmoid")],
        reconstruction="onehot_binary_crossentropy",
        reconstruction_scale=float(V),
        kl_weight=kl_schedule(settings),
        backend=backend)


def read(text, settings):
    """Return the words of all lines in their order, speakers included.

    The target is the word itself, or the next one.
    """
    words = [word for line in text.splitlines() for word in tokenize(line)]
    if len(words) < 2:
        raise ScratchVAEError(f"the text must have at least 2 words, got {len(words)}")
    distinct_words = len(set(words))
    size = settings["vocabulary_size"] or distinct_words
    specials = (UNKNOWN,) if size < distinct_words else ()
    vocabulary = Vocabulary.build([words], specials, max_size=size)
    x = vocabulary.encode(words)[:, np.newaxis]
    if settings["target"] == "same":
        return TextExamples(x, vocabulary)
    return TextExamples(x[:-1], vocabulary, y_train=x[1:])


def stepper(model):
    """Return the model as text.decoding.sample takes it: from a word to logits of the next one.

    The word passes through the mean of its code.
    """
    def next_word(words, state):
        p = model.reconstruct(words[:, np.newaxis])
        logits = np.log(p, where=p > 0, out=np.full_like(p, NEVER))
        return logits, np.zeros((len(words), 1))
    return next_word


def write(run, rng, seed_word, length, temperature, top_k=None, top_p=None):
    """Return `length` words after the seed word; see generate."""
    start = run.seed_word(seed_word)
    unknown = run.vocabulary.unknown
    forbidden = () if unknown is None else (unknown,)
    written, = sample(stepper(run.model), np.zeros((1, 1)), start, -1, length, rng, temperature,
                      top_k, top_p, forbidden)
    return run.vocabulary.decode(written)


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """Return the seed word and what follows it; see TextLab.

    As printed on the sheet, the next word is always the most probable one. With a temperature it is
    drawn.
    """
    if temperature is None:
        printed = run.config["settings"]["target"] == "same" and not (top_k or top_p)
        temperature = 0.0 if printed else 1.0
    seed_word = first_word(run) if seed_word is None else seed_word
    words = write(run, rng, seed_word, length, temperature, top_k, top_p)
    return detokenize([seed_word, *words])


def first_word(run):
    """Return the sheet's seed word, or the text's most frequent one."""
    if SEED_WORD in run.vocabulary:
        return SEED_WORD
    return run.vocabulary.words[run.vocabulary.unknown is not None]


def measure(run):
    """Return the losses over the text that was learnt, and how varied the written text is."""
    data = run.data
    seed = run.config["seed"]
    x = run.x_test
    y = None if data.y_train is None else data.y_train[:len(x)]
    losses = run.model.evaluate(x, seed, y)
    rng = np.random.default_rng(seed)
    first = first_word(run)
    target = x if y is None else y
    some = np.unique(np.linspace(0, len(x) - 1, SOME).astype(int))
    hit = np.mean(run.model.reconstruct(x[some]).argmax(axis=1) == target[some, 0])
    commonest = np.bincount(target[:, 0]).max() / len(target)
    real = distinct([run.vocabulary.decode(x[:WORDS, 0])], 1)
    measures = [
        Measure("loss", losses["loss"],
                "nats a word of the training text, reconstruction + KL: lower is better"),
        Measure("reconstruction", losses["reconstruction"],
                "nats a word: how badly the target is predicted"),
        Measure("kl", losses["kl"],
                "nats a word: how much z tells; near 0, the decoder ignores it"),
        Measure("accuracy", float(hit),
                "the part of the words whose target is the most probable answer; always "
                f"answering with the commonest word reaches {commonest:.3f}")]
    for way, choice in WAYS.items():
        words = write(run, rng, first, WORDS, *choice)
        measures.append(Measure(f"distinct-1, {way}", distinct([words], 1),
                                f"different words among {WORDS} written after {first!r}", real))
    return measures


def report(run):
    """report.md: what is wrong with the printed generator, and what this run's settings change."""
    first = first_word(run)
    seed = run.config["seed"]
    written = {way: write(run, np.random.default_rng(seed), first, WORDS, *choice)
               for way, choice in WAYS.items()}
    other = measure(run.beside) if run.beside else []
    return [write_report(run, first, written, measure(run), other)]


def peculiarities(settings):
    """Return where the sheet is peculiar."""
    if settings["target"] != "same":
        return ()
    return ("the sheet trains the model to reproduce its input, so its generator repeats itself; "
            "--set target=next --set kl_weight=0.01 mends it",)


LAB = TextLab(
    order=8,
    name="shakespeare-onehot",
    title="Shakespeare word by word, each word one of all his words",
    data="shakespeare",
    example_shape=(1,),
    epochs=50,
    batch_size=100,
    settings={"vocabulary_size": 0, "target": "same", "intermediate_dim": 64, "latent_dim": 50,
              "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"vocabulary_size": 7, "intermediate_dim": 4, "latent_dim": 2},
    parameters=1_824_471,
    words=14_067,
    make_model=make_model,
    figures=(loss_curves, report),
    shuffle=False,
    peculiarities=peculiarities,
    unit="nats a word, + KL",
    read=read,
    generate=generate,
    measure=measure,
)
