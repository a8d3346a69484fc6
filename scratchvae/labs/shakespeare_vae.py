"""shakespeare-vae: lines of Shakespeare, written word by word from a point of a latent space."""
import numpy as np

from ..errors import ScratchVAEError
from ..models import TextVAE
from ..models.text_vae import PAD, UNKNOWN
from ..text import LINE_SPECIALS, Vocabulary, detokenize, lines, pad_sequences, tokenize
from ..text.decoding import beam_search, sample
from . import texts
from .lab import KL_SETTINGS, kl_schedule
from .text_lab import TextExamples, TextLab

HELD_OUT = 10                   # every tenth line is held out, beginning with the first
FORBIDDEN = (PAD, UNKNOWN)      # never written
LENGTH_PENALTY = 1.5            # of beam search; with 1.0 a quarter of the held-out lines are empty
CAST = 3                        # speakers in a generated dialogue
NEARNESS = 0.7                  # correlation of the latent points of one line and the next
TEMPERATURE = 0.8               # of generated text, unless another is given
IMPORTANCE_SAMPLES = 100        # of z for each line, to measure its probability
MODEL_SETTINGS = ("steps", "latent_dim", "embedding_dim", "units", "dropout", "word_dropout",
                  "free_bits")


def make_model(settings, backend="cpu"):
    """A GRU reads the line in both directions; another one, given z, writes it. See TextVAE."""
    return TextVAE(settings["vocabulary_size"] or LAB.words,
                   **{name: settings[name] for name in MODEL_SETTINGS},
                   kl_weight=kl_schedule(settings), backend=backend)


def read(text, settings):
    """Return lines as words, every tenth held out.

    Words that occur only once in the others are unknown.
    """
    sentences = [words for words in map(tokenize, lines(text)) if words]
    train = [words for i, words in enumerate(sentences) if i % HELD_OUT]
    test = sentences[::HELD_OUT]
    if not train:
        raise ScratchVAEError("the text must have at least 2 lines with words, "
                              f"got {len(sentences)}")
    vocabulary = Vocabulary.build(train, LINE_SPECIALS, min_count=settings["min_count"],
                                  max_size=settings["vocabulary_size"] or None)
    x_train, x_test = (np.stack([example(vocabulary, words, settings) for words in part])
                       for part in (train, test))
    cut_off = sum(len(words) >= settings["steps"] for words in sentences)
    return TextExamples(x_train, vocabulary, train, x_test, test, cut_off=cut_off)


def example(vocabulary, words, settings):
    """Return a line as int32 (steps,): its words, the end, and padding.

    A longer line is cut off, and has no end.
    """
    indices = np.append(vocabulary.encode(words), vocabulary.end)
    return pad_sequences([indices], settings["steps"], "post", "post")[0]


def lines_of(run, z, rng, temperature, top_k=None, top_p=None):
    """Return latent points as lists of words.

    Parameters
    ----------
    run : TextRun
    z : array (N, J)
    rng : numpy.random.Generator
    temperature : float or None
        Words are drawn; at 0 the most probable one is taken; None stands for beam search.
    top_k, top_p
        See text.decoding.sample.
    """
    model = run.model
    end = run.vocabulary.end
    length = run.config["settings"]["steps"]
    state = model.start(z)
    if temperature is not None:
        written = sample(model.step, state, end, end, length, rng, temperature, top_k, top_p,
                         FORBIDDEN)
    else:
        written = []
        for row in state:
            found = beam_search(model.step, row[np.newaxis], end, end, length,
                                forbidden=FORBIDDEN, length_penalty=LENGTH_PENALTY)
            written.append(found[0][0])
    return [run.vocabulary.decode(words) for words in written]


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """Return a dialogue in the form of the text's own, or mere lines if it is not a play.

    Speakers speak as often and as long as there. Each line follows from a point of the latent
    space, and the next point lies near it (NEARNESS is their correlation). See TextLab.
    """
    choice = {"temperature": TEMPERATURE if temperature is None else temperature,
              "top_k": top_k, "top_p": top_p}
    order = rng.permutation(len(run.speeches))
    speakers = list(dict.fromkeys(run.speeches[i][0] for i in order))[:CAST]
    z = rng.standard_normal((1, run.model.latent_dim))
    beginning = [] if seed_word is None else [run.seed_word(seed_word)]
    scene = []
    count = 0
    while count < length:
        speech = [f"{speakers[len(scene) % len(speakers)]}:"] if speakers else []
        spoken = run.speeches[rng.integers(len(run.speeches))][1] if speakers else 1
        for _ in range(spoken):
            words = write_line(run, z, beginning, rng, choice)
            step = rng.standard_normal(z.shape)
            z = NEARNESS * z + (1 - NEARNESS ** 2) ** 0.5 * step
            beginning = []
            speech.append(detokenize(words))
            count += max(1, len(words))
            if count >= length:
                break
        scene.append("\n".join(speech))
    return ("\n\n" if speakers else "\n").join(scene)


def write_line(run, z, beginning, rng, choice):
    """Return one line as words, decoded from z (1, J), that begins with given words (indices)."""
    model = run.model
    end = run.vocabulary.end
    state = model.start(z.astype(model.dtype))
    word = end
    for following in beginning:
        _, state = model.step(np.array([word], np.int32), state)
        word = following
    length = run.config["settings"]["steps"] - 1 - len(beginning)
    if not length:
        return run.vocabulary.decode(beginning)
    written, = sample(model.step, state, word, end, length, rng, forbidden=FORBIDDEN, **choice)
    return run.vocabulary.decode([*beginning, *written])


def measure(run):
    """Return the measures of texts.measure_lines; words and the end of a line are predicted."""
    steps = run.config["settings"]["steps"]
    return texts.measure_lines(run, IMPORTANCE_SAMPLES, lambda words: min(len(words) + 1, steps))


LAB = TextLab(
    order=10,
    name="shakespeare-vae",
    title="Lines of Shakespeare, written word by word from a latent space",
    data="shakespeare",
    example_shape=None,
    epochs=15,
    batch_size=64,
    settings={"vocabulary_size": 0, "min_count": 2, "steps": 21, "embedding_dim": 128,
              "units": 256, "latent_dim": 32, "dropout": 0.4, "word_dropout": 0.2,
              "free_bits": 0.1, "learning_rate": 0.001, "clipnorm": 5.0,
              **KL_SETTINGS, "kl_schedule": "linear", "kl_steps": 3000},
    small_settings={"vocabulary_size": 7, "steps": 4, "embedding_dim": 3, "units": 4,
                    "latent_dim": 2, "free_bits": 0.0},
    parameters=4_249_686,
    words=6_422,
    make_model=make_model,
    optimizer_arguments={"global_clipnorm": "clipnorm"},
    figures=texts.LINES,
    unit="nats a line, + KL",
    read=read,
    example=example,
    lines_of=lines_of,
    generate=generate,
    measure=measure,
)
