"""text-gru: sentences through a bidirectional GRU, all their words at once."""
import numpy as np

from ..errors import ScratchVAEError
from ..layers import GRU, Bidirectional, Dense, Embedding, RepeatVector
from ..models import VAE
from ..optimizers import Adam
from ..text import Vocabulary, detokenize, lines, pad_sequences, split, tokenize
from ..text.decoding import draw, filtered, forbid
from ..text.sequences import SIDES
from . import texts
from .lab import KL_SETTINGS, Reference, kl_schedule
from .text_lab import TextExamples, TextLab

HELD_OUT, SPLIT_SEED = 0.2, 42


def make_model(settings, backend="cpu"):
    """words -> 32 each way -> 16 each way -> 16 -> z -> 16 at every step -> 16 each way -> 32 each way -> a word of V at every step.

    The loss of a sentence is the sum of its T words' cross-entropies, padding included, + KL.
    """
    if settings["padding"] not in SIDES:
        raise ScratchVAEError(f"setting padding: {settings['padding']!r}; allowed: {', '.join(SIDES)}")
    u, T, V = settings["units"], settings["steps"], settings["vocabulary_size"]
    return VAE(encoder=[Embedding(V, settings["embedding_dim"]),
                        Bidirectional(GRU(u, return_sequences=True)),
                        Bidirectional(GRU(u // 2)),
                        Dense(u // 2, activation="relu")],
               latent_dim=settings["latent_dim"],
               decoder=[Dense(u // 2),
                        RepeatVector(T),
                        Bidirectional(GRU(u // 2, return_sequences=True)),
                        Bidirectional(GRU(u, return_sequences=True)),
                        Dense(V, activation="softmax")],
               reconstruction="sparse_categorical_crossentropy", reconstruction_scale=float(T), kl_weight=kl_schedule(settings),
               backend=backend)


def make_optimizer(settings):
    """Adam with Keras's defaults."""
    return Adam(learning_rate=settings["learning_rate"])


def read(text, settings):
    """Lines as words, a fifth of them, drawn by a fixed seed, held out; the vocabulary is that of all."""
    sentences = [words for words in map(tokenize, lines(text)) if words]
    if len(sentences) < 2:
        raise ScratchVAEError(f"the text has {len(sentences)} line{'s' * (len(sentences) != 1)} with words; needed: 2 or more")
    train, test = split(sentences, HELD_OUT, SPLIT_SEED)
    vocabulary = Vocabulary.build(sentences, max_size=settings["vocabulary_size"])
    x_train, x_test = (np.stack([example(vocabulary, words, settings) for words in part]) for part in (train, test))
    return TextExamples(x_train, vocabulary, train, x_test, test, cut_off=sum(len(words) > settings["steps"] for words in sentences))


def example(vocabulary, words, settings):
    """A line as int32 (T,): filled up with 0, or cut off, in front or behind."""
    side = settings["padding"]
    return pad_sequences([vocabulary.encode(words)], settings["steps"], padding=side, truncating=side)[0]


def lines_of(run, z, rng, temperature, top_k=None, top_p=None):
    """Latent points as lists of words: at each step the most probable word, or with a temperature one that is drawn."""
    result = []
    for start in range(0, len(z), 50):                                      # 50 x T x V probabilities at a time
        p = run.model.decode(z[start:start + 50])
        logits = forbid(np.log(np.maximum(p, np.finfo(p.dtype).tiny)).reshape(-1, p.shape[-1]), (run.vocabulary.unknown,))
        words = draw(filtered(logits, temperature or 0, top_k, top_p), rng).reshape(p.shape[:2])
        result += [run.vocabulary.decode(row[row != run.vocabulary.padding]) for row in words]
    return result


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """Lines from random points of the prior; with a seed word, from points around the code of that word."""
    center = 0.0 if seed_word is None else run.model.encode(run.example(run.vocabulary.words[run.seed_word(seed_word)]))[0]
    result, count = [], 0
    while count < length and len(result) < length:                          # a model may have learnt to write nothing
        z = (center + rng.standard_normal((1, run.model.latent_dim))).astype(run.model.dtype)
        words, = lines_of(run, z, rng, temperature, top_k, top_p)
        result.append(detokenize(words))
        count += len(words)
    return "\n".join(result)


def measure(run):
    """See texts.measure_lines.  The loss of a line, padding included, is shared out among its words and one end."""
    steps = run.config["settings"]["steps"]
    return texts.measure_lines(run, 20, lambda words: min(len(words) + 1, steps))


LAB = TextLab(
    name="text-gru",
    title="Sentences through a bidirectional GRU, all words at once",
    data="shakespeare",
    example_shape=None,
    epochs=10,
    batch_size=32,
    settings={"vocabulary_size": 10_000, "steps": 20, "padding": "post", "embedding_dim": 64, "units": 32, "latent_dim": 32,
              "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"vocabulary_size": 7, "steps": 3, "embedding_dim": 3, "units": 4, "latent_dim": 2},
    parameters=1_334_768,
    references=(Reference("Keras 3 (JAX), seed 0, the same lines", 1, 76.67, 64.03),
                Reference("Keras 3 (JAX), seed 0, the same lines", 10, 57.71, 59.37)),
    make_model=make_model,
    make_optimizer=make_optimizer,
    draw=texts.draw_lines,
    peculiarities=lambda settings: (
        "the decoder writes all words at once from z alone, none from the word before: common words and repetitions are all it can do; "
        "shakespeare-vae mends it",),
    unit="nats a sentence, + KL",
    read=read,
    example=example,
    lines_of=lines_of,
    generate=generate,
    measure=measure,
)
