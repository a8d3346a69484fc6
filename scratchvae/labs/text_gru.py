"""text-gru: sentences through a bidirectional GRU, all their words at once."""
import numpy as np

from .. import checks
from ..errors import ScratchVAEError
from ..layers import GRU, Bidirectional, Dense, Embedding, RepeatVector
from ..models import VAE
from ..text import Vocabulary, detokenize, lines, pad_sequences, split, tokenize
from ..text.decoding import draw, filtered, forbid
from ..text.sequences import SIDES
from . import texts
from .lab import KL_SETTINGS, Reference, kl_schedule
from .text_lab import TextExamples, TextLab

HELD_OUT = 0.2
SPLIT_SEED = 42
BATCH = 50                      # sentences of T x V probabilities at a time
IMPORTANCE_SAMPLES = 20         # of z for each line, to measure its probability


def make_model(settings, backend="cpu"):
    """T words -> 2 x 32 -> 2 x 16 -> 16 -> z -> 16 at each step -> 2 x 16 -> 2 x 32 -> T words.

    The loss of a sentence is the sum of its T words' cross-entropies, padding included, plus the KL
    divergence.
    """
    checks.choice("setting", "padding", settings["padding"], SIDES)
    u = settings["units"]
    T = settings["steps"]
    V = settings["vocabulary_size"]
    return VAE(
        encoder=[Embedding(V, settings["embedding_dim"]),
                 Bidirectional(GRU(u, return_sequences=True)),
                 Bidirectional(GRU(u // 2)),
                 Dense(u // 2, activation="relu")],
        latent_dim=settings["latent_dim"],
        decoder=[Dense(u // 2),
                 RepeatVector(T),
                 Bidirectional(GRU(u // 2, return_sequences=True)),
                 Bidirectional(GRU(u, return_sequences=True)),
                 Dense(V, activation="softmax")],
        reconstruction="sparse_categorical_crossentropy",
        reconstruction_scale=float(T),
        kl_weight=kl_schedule(settings),
        backend=backend)


def read(text, settings):
    """Return lines as words; a fifth, drawn by a fixed seed, is held out.

    The vocabulary is that of all lines.
    """
    sentences = [words for words in map(tokenize, lines(text)) if words]
    if len(sentences) < 2:
        raise ScratchVAEError("the text must have at least 2 lines with words, "
                              f"got {len(sentences)}")
    train, test = split(sentences, HELD_OUT, SPLIT_SEED)
    vocabulary = Vocabulary.build(sentences, max_size=settings["vocabulary_size"])
    x_train, x_test = (np.stack([example(vocabulary, words, settings) for words in part])
                       for part in (train, test))
    cut_off = sum(len(words) > settings["steps"] for words in sentences)
    return TextExamples(x_train, vocabulary, train, x_test, test, cut_off=cut_off)


def example(vocabulary, words, settings):
    """Return a line as int32 (T,): padded with 0, or cut off, at the start or the end."""
    side = settings["padding"]
    return pad_sequences([vocabulary.encode(words)], settings["steps"], padding=side,
                         truncating=side)[0]


def lines_of(run, z, rng, temperature, top_k=None, top_p=None):
    """Return latent points as lists of words.

    Parameters
    ----------
    run : TextRun
    z : array (N, J)
    rng : numpy.random.Generator
    temperature : float or None
        Words are drawn; at 0 or None the most probable one is taken at each step.
    top_k, top_p
        See text.decoding.sample.
    """
    vocabulary = run.vocabulary
    result = []
    for start in range(0, len(z), BATCH):
        p = run.model.decode(z[start:start + BATCH])
        logits = np.log(np.maximum(p, np.finfo(p.dtype).tiny)).reshape(-1, p.shape[-1])
        logits = forbid(logits, (vocabulary.unknown,))
        words = draw(filtered(logits, temperature or 0, top_k, top_p), rng).reshape(p.shape[:2])
        result += [vocabulary.decode(row[row != vocabulary.padding]) for row in words]
    return result


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """Return lines from random points of the prior; see TextLab.

    With a seed word, the points lie around the code of that word.
    """
    center = 0.0
    if seed_word is not None:
        word = run.vocabulary.words[run.seed_word(seed_word)]
        center, _ = run.model.encode(run.example(word))
    result = []
    count = 0
    while count < length and len(result) < length:      # a model may have learnt to write nothing
        z = (center + rng.standard_normal((1, run.model.latent_dim))).astype(run.model.dtype)
        words, = lines_of(run, z, rng, temperature, top_k, top_p)
        result.append(detokenize(words))
        count += len(words)
    return "\n".join(result)


def measure(run):
    """Return the measures of texts.measure_lines.

    The loss of a line, padding included, is divided among its words and one end.
    """
    steps = run.config["settings"]["steps"]
    return texts.measure_lines(run, IMPORTANCE_SAMPLES, lambda words: min(len(words) + 1, steps))


def peculiarities(settings):
    """Return where the sheet is peculiar."""
    return ("the decoder writes all words at once from z alone, none from the word before it, so "
            "it can only write common words and repetitions; shakespeare-vae mends this",)


LAB = TextLab(
    order=9,
    name="text-gru",
    title="Sentences through a bidirectional GRU, all words at once",
    data="shakespeare",
    example_shape=None,
    epochs=10,
    batch_size=32,
    settings={"vocabulary_size": 10_000, "steps": 20, "padding": "post", "embedding_dim": 64,
              "units": 32, "latent_dim": 32, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"vocabulary_size": 7, "steps": 3, "embedding_dim": 3, "units": 4,
                    "latent_dim": 2},
    parameters=1_334_768,
    references=(Reference("Keras 3 (JAX), seed 0, the same lines", 1, 76.67, 64.03),
                Reference("Keras 3 (JAX), seed 0, the same lines", 10, 57.71, 59.37)),
    make_model=make_model,
    figures=texts.LINES,
    peculiarities=peculiarities,
    unit="nats a sentence, + KL",
    read=read,
    example=example,
    lines_of=lines_of,
    generate=generate,
    measure=measure,
)
