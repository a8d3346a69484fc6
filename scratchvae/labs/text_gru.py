"""text-gru: a VAE of sentences that reads and writes with bidirectional GRUs, all words at once."""
import numpy as np

from .. import checks
from ..errors import ScratchVAEError
from ..layers import GRU, Bidirectional, Dense, Embedding, RepeatVector
from ..optimizers import Adam
from ..text import Vocabulary, detokenize, lines, pad_sequences, split, tokenize
from ..text.decoding import draw, filtered, forbid
from ..text.sequences import SIDES
from .lab import Reference
from .lines import FIGURES, measure_lines
from .objective import KL_SETTINGS, make_vae
from .text_lab import TextExamples, TextLab

HELD_OUT = 0.2                  # the part of the lines that validates
SPLIT_SEED = 42
DECODED = 10                    # lines decoded at a time: each has T x V probabilities


def make_model(settings, backend="cpu"):
    """Return a VAE that reads T words with two bidirectional GRUs and writes them with two others.

    The decoder writes all words from z alone and sees none of them. The loss of a sentence is the
    sum of its T words' cross-entropies, padding included, plus the KL divergence.
    """
    checks.choice("setting", "padding", settings["padding"], SIDES)
    units = settings["units"]
    T = settings["steps"]
    V = settings["vocabulary_size"]
    return make_vae(
        settings,
        encoder=[
            Embedding(V, settings["embedding_dim"]),
            Bidirectional(GRU(units, return_sequences=True)),
            Bidirectional(GRU(units // 2)),
            Dense(units // 2, activation="relu"),
        ],
        latent_dim=settings["latent_dim"],
        decoder=[
            Dense(units // 2),
            RepeatVector(T),
            Bidirectional(GRU(units // 2, return_sequences=True)),
            Bidirectional(GRU(units, return_sequences=True)),
            Dense(V, activation="softmax"),
        ],
        reconstruction="sparse_categorical_crossentropy",
        reconstruction_scale=float(T),
        backend=backend,
    )


def read(text, settings):
    """Return the lines of a text as examples, a fifth of them held out.

    The vocabulary is that of all lines.
    """
    sentences = [words for words in map(tokenize, lines(text)) if words]
    if len(sentences) < 2:
        raise ScratchVAEError("the text must have at least 2 lines with words, "
                              f"got {len(sentences)} (a line that ends in a colon is taken for "
                              "the name of who speaks)")
    train, test = split(sentences, HELD_OUT, SPLIT_SEED)
    vocabulary = Vocabulary.build(sentences, max_size=settings["vocabulary_size"])
    x_train, x_test = (np.stack([example(vocabulary, words, settings) for words in part])
                       for part in (train, test))
    beyond = [len(words) - settings["steps"] for words in sentences]
    return TextExamples(x_train, vocabulary, train, x_test, test,
                        cut_off=sum(words > 0 for words in beyond),
                        lost_words=sum(max(0, words) for words in beyond))


def example(vocabulary, words, settings):
    """Return a line as int32 (T,), padded with 0 or cut off."""
    side = settings["padding"]
    return pad_sequences([vocabulary.encode(words)], settings["steps"],
                         padding=side, truncating=side)[0]


def lines_of(run, z, rng, temperature, top_k=None, top_p=None):
    """Return latent codes as lists of words.

    Without a temperature, or with 0, each word is the most probable one of its step; otherwise it
    is drawn.
    """
    vocabulary = run.vocabulary
    result = []
    for start in range(0, len(z), DECODED):
        p = run.model.decode(z[start:start + DECODED])
        logits = np.log(np.maximum(p, np.finfo(p.dtype).tiny)).reshape(-1, p.shape[-1])
        allowed = forbid(logits, (vocabulary.unknown,))
        words = draw(filtered(allowed, temperature or 0, top_k, top_p), rng).reshape(p.shape[:2])
        result += [vocabulary.decode(row[row != vocabulary.padding]) for row in words]
    return result


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """Return lines from random points of the prior, or of a normal around a seed word's code."""
    center = 0.0
    if seed_word is not None:
        word = run.vocabulary.words[run.seed_word(seed_word)]
        center = run.model.encode(run.example(word))[0]
    result = []
    count = 0
    while count < length and len(result) < length:      # a model may write nothing but padding
        z = (center + rng.standard_normal((1, run.model.latent_dim))).astype(run.model.dtype)
        words, = lines_of(run, z, rng, temperature, top_k, top_p)
        result.append(detokenize(words))
        count += len(words)
    return "\n".join(result)


def measure(run):
    """Return the Measures of a run. A line's loss counts as that of its words and its end."""
    steps = run.config["settings"]["steps"]
    return measure_lines(run, 20, lambda words: min(len(words) + 1, steps))


LAB = TextLab(
    number=9,
    name="text-gru",
    title="Sentences through a bidirectional GRU, all words at once",
    data="shakespeare",
    example_shape=None,
    epochs=10,
    batch_size=32,
    optimizer=Adam,
    settings={"vocabulary_size": 10_000, "steps": 20, "padding": "post", "embedding_dim": 64,
              "units": 32, "latent_dim": 32, "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"vocabulary_size": 7, "steps": 3, "embedding_dim": 3, "units": 4,
                    "latent_dim": 2},
    make_model=make_model,
    parameters=1_334_768,
    unit="nats a sentence, + KL",
    references=(
        Reference("Keras 3 (JAX), seed 0, the same lines", 1, 76.67, 64.03),
        Reference("Keras 3 (JAX), seed 0, the same lines", 10, 57.71, 59.37),
    ),
    peculiarities=lambda settings: (
        "the decoder writes all words at once from z alone, none from the word before: common "
        "words and repetitions are all it can do; shakespeare-vae mends it",),
    figures=FIGURES,
    read=read,
    example=example,
    lines_of=lines_of,
    generate=generate,
    measure=measure,
)
