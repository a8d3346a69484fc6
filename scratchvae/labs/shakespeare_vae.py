"""shakespeare-vae: a VAE of lines, written word by word from a latent code (Bowman et al. 2016)."""
import numpy as np

from ..errors import ScratchVAEError
from ..models import TextVAE
from ..models.text_vae import PAD, UNKNOWN
from ..optimizers import Adam
from ..text import LINE_SPECIALS, Vocabulary, detokenize, lines, pad_sequences, tokenize
from ..text.decoding import beam_search, sample
from .lines import FIGURES, measure_lines
from .objective import KL_SETTINGS, kl_schedule, objective
from .text_lab import TextExamples, TextLab

HELD_OUT = 10                   # every tenth line, beginning with the first
FORBIDDEN = (PAD, UNKNOWN)      # never written
LENGTH_PENALTY = 1.5            # of beam search; with 1.0 a quarter of the lines would be empty
CAST = 3                        # speakers in a generated dialogue
NEARNESS = 0.7                  # correlation of the latent codes of one line and the next
TEMPERATURE = 0.8               # of generated text, by default


def make_model(settings, backend="cpu"):
    """Return a TextVAE: a GRU reads the line in both directions, another one writes it, given z."""
    names = ("steps", "latent_dim", "embedding_dim", "units", "dropout", "word_dropout")
    return TextVAE(
        settings["vocabulary_size"] or LAB.words,
        **{name: settings[name] for name in names},
        kl_weight=kl_schedule(settings),
        objective=objective(settings),
        backend=backend,
    )


def read(text, settings):
    """Return the lines of a text as examples, every tenth held out.

    Words that occur only once in the other lines are unknown.
    """
    sentences = [words for words in map(tokenize, lines(text)) if words]
    train = [words for i, words in enumerate(sentences) if i % HELD_OUT]
    test = sentences[::HELD_OUT]
    if not train:
        raise ScratchVAEError("the text must have at least 2 lines with words, "
                              f"got {len(sentences)} (a line that ends in a colon is taken for "
                              "the name of who speaks)")
    vocabulary = Vocabulary.build(train, LINE_SPECIALS, min_count=settings["min_count"],
                                  max_size=settings["vocabulary_size"] or None)
    x_train, x_test = (np.stack([example(vocabulary, words, settings) for words in part])
                       for part in (train, test))
    beyond = [len(words) - settings["steps"] for words in sentences]
    return TextExamples(x_train, vocabulary, train, x_test, test,
                        cut_off=sum(words >= 0 for words in beyond),
                        lost_words=sum(max(0, words) for words in beyond))


def example(vocabulary, words, settings):
    """Return a line as int32 (steps,): its words, the end, padding. A longer line is cut off."""
    indices = np.append(vocabulary.encode(words), vocabulary.end)
    return pad_sequences([indices], settings["steps"], "post", "post")[0]


def lines_of(run, z, rng, temperature, top_k=None, top_p=None):
    """Return latent codes as lists of words.

    The words are drawn, or at temperature 0 the most probable one by one; without a temperature,
    the most probable line is searched with a beam.
    """
    model = run.model
    end = run.vocabulary.end
    length = run.config["settings"]["steps"]
    state = model.start(z)
    if temperature is not None:
        written = sample(model.step, state, end, end, length, rng, temperature, top_k, top_p,
                         FORBIDDEN)
    else:
        found = [beam_search(model.step, row[np.newaxis], end, end, length, forbidden=FORBIDDEN,
                             length_penalty=LENGTH_PENALTY) for row in state]
        written = [hypotheses[0][0] for hypotheses in found]
    return [run.vocabulary.decode(words) for words in written]


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """Return a dialogue in the form of the run's play; of another text, lines alone.

    Speakers are as frequent, and their speeches as long, as in the play. Each line is decoded from
    a latent code; the code of the next line lies near it.
    """
    how = {"temperature": TEMPERATURE if temperature is None else temperature,
           "top_k": top_k, "top_p": top_p}
    speakers = choose_speakers(run, rng)
    z = rng.standard_normal((1, run.model.latent_dim))
    beginning = [] if seed_word is None else [run.seed_word(seed_word)]
    scene = []
    count = 0
    while count < length:
        speech = []
        lines_left = 1
        if speakers:
            speech.append(f"{speakers[len(scene) % len(speakers)]}:")
            lines_left = run.speeches[rng.integers(len(run.speeches))][1]
        while lines_left and count < length:
            words = write_line(run, z, beginning, rng, how)
            z = NEARNESS * z + (1 - NEARNESS ** 2) ** 0.5 * rng.standard_normal(z.shape)
            beginning = []
            speech.append(detokenize(words))
            count += max(1, len(words))
            lines_left -= 1
        scene.append("\n".join(speech))
    return ("\n\n" if speakers else "\n").join(scene)


def choose_speakers(run, rng):
    """Return CAST speakers, drawn from the speeches; none if the text is not a play."""
    order = rng.permutation(len(run.speeches))
    names = dict.fromkeys(run.speeches[i][0] for i in order)            # each once, in this order
    return list(names)[:CAST]


def write_line(run, z, beginning, rng, how):
    """Return the words of one line.

    Parameters
    ----------
    run : TextRun
    z : array of shape (1, latent_dim)
    beginning : list of int
        The words with which the line begins.
    rng : numpy.random.Generator
    how : dict
        temperature, top_k and top_p of text.decoding.sample.

    Returns
    -------
    list of str
    """
    model = run.model
    end = run.vocabulary.end
    state = model.start(z.astype(model.dtype))
    word = end
    for following in beginning:
        _, state = model.step(np.array([word], np.int32), state)
        word = following
    length = run.config["settings"]["steps"] - 1 - len(beginning)
    written = []
    if length:
        written, = sample(model.step, state, word, end, length, rng, forbidden=FORBIDDEN, **how)
    return run.vocabulary.decode([*beginning, *written])


def measure(run):
    """Return the Measures of a run. A line's words and its end are predicted."""
    steps = run.config["settings"]["steps"]
    return measure_lines(run, 100, lambda words: min(len(words) + 1, steps))


LAB = TextLab(
    number=10,
    name="shakespeare-vae",
    title="Lines of Shakespeare, written word by word from a latent space",
    data="shakespeare",
    example_shape=None,
    epochs=15,
    batch_size=64,
    optimizer=Adam,
    settings={"vocabulary_size": 0, "min_count": 2, "steps": 21, "embedding_dim": 128,
              "units": 256, "latent_dim": 32, "dropout": 0.4, "word_dropout": 0.2,
              "free_bits": 0.1, "learning_rate": 0.001, "global_clipnorm": 5.0,
              **KL_SETTINGS, "kl_schedule": "linear", "kl_steps": 3000},
    small_settings={"vocabulary_size": 7, "steps": 4, "embedding_dim": 3, "units": 4,
                    "latent_dim": 2, "free_bits": 0.0},
    make_model=make_model,
    parameters=4_249_686,
    unit="nats a line, + KL",
    figures=FIGURES,
    words=6_422,
    read=read,
    example=example,
    lines_of=lines_of,
    generate=generate,
    measure=measure,
)
