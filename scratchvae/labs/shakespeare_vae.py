"""shakespeare-vae: lines of Shakespeare, written word by word from a point of a latent space."""
import numpy as np

from ..errors import ScratchVAEError
from ..models import TextVAE
from ..models.text_vae import PAD, UNKNOWN
from ..optimizers import Adam
from ..text import LINE_SPECIALS, Vocabulary, detokenize, lines, pad_sequences, tokenize
from ..text.decoding import beam_search, sample
from . import texts
from .lab import KL_SETTINGS, kl_schedule
from .text_lab import TextExamples, TextLab

HELD_OUT = 10                   # each tenth line, beginning with the first
FORBIDDEN = (PAD, UNKNOWN)      # never written
LENGTH_PENALTY = 1.5            # of beam search; with 1.0, the most probable line is an empty one for a quarter of the held-out lines
CAST = 3                        # speakers in a generated dialogue
NEARNESS = 0.7                  # correlation of the latent points of one line and the next
TEMPERATURE = 0.8               # of generated text, unless another is asked for


def make_model(settings, backend="cpu"):
    """scratchvae.models.TextVAE: a GRU reads the line both ways, another one, told z, writes it."""
    names = ("steps", "latent_dim", "embedding_dim", "units", "dropout", "word_dropout", "free_bits")
    return TextVAE(settings["vocabulary_size"] or LAB.words, **{name: settings[name] for name in names}, kl_weight=kl_schedule(settings), backend=backend)


def make_optimizer(settings):
    """Adam, its gradient's norm at most `clipnorm`."""
    return Adam(learning_rate=settings["learning_rate"], global_clipnorm=settings["clipnorm"])


def read(text, settings):
    """Lines as words, each tenth held out; words that occur once in the others are unknown."""
    sentences = [words for words in map(tokenize, lines(text)) if words]
    train = [words for i, words in enumerate(sentences) if i % HELD_OUT]
    test = sentences[::HELD_OUT]
    if not train:
        raise ScratchVAEError(f"the text has {len(sentences)} line{'s' * (len(sentences) != 1)} with words; needed: 2 or more")
    vocabulary = Vocabulary.build(train, LINE_SPECIALS, min_count=settings["min_count"],
                                  max_size=settings["vocabulary_size"] or None)
    x_train, x_test = (np.stack([example(vocabulary, words, settings) for words in part]) for part in (train, test))
    return TextExamples(x_train, vocabulary, train, x_test, test, cut_off=sum(len(words) >= settings["steps"] for words in sentences))


def example(vocabulary, words, settings):
    """A line as int32 (steps,): its words, the end, and padding; a longer one is cut off, and has no end."""
    return pad_sequences([np.append(vocabulary.encode(words), vocabulary.end)], settings["steps"], "post", "post")[0]


def lines_of(run, z, rng, temperature, top_k=None, top_p=None):
    """Latent points as lists of words: drawn, most probable word by word at temperature 0, or without one by beam search."""
    model, end, length = run.model, run.vocabulary.end, run.config["settings"]["steps"]
    state = model.start(z)
    if temperature is not None:
        written = sample(model.step, state, end, end, length, rng, temperature, top_k, top_p, FORBIDDEN)
    else:
        found = [beam_search(model.step, row[np.newaxis], end, end, length, forbidden=FORBIDDEN, length_penalty=LENGTH_PENALTY)
                 for row in state]
        written = [hypotheses[0][0] for hypotheses in found]
    return [run.vocabulary.decode(words) for words in written]


def generate(run, rng, seed_word, length, temperature, top_k, top_p):
    """A dialogue in the form of the text's own: speakers as often and as long-winded as there; mere lines if it is no play.

    Each line follows from a point of the latent space, and the next point lies near it (NEARNESS is their correlation).
    """
    temperature = TEMPERATURE if temperature is None else temperature
    how = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    speakers = list(dict.fromkeys(run.speeches[i][0] for i in rng.permutation(len(run.speeches))))[:CAST]
    z, beginning, scene, count = rng.standard_normal((1, run.model.latent_dim)), [], [], 0
    if seed_word is not None:
        beginning = [run.seed_word(seed_word)]
    while count < length:
        speech = [f"{speakers[len(scene) % len(speakers)]}:"] if speakers else []
        for _ in range(run.speeches[rng.integers(len(run.speeches))][1] if speakers else 1):
            words = write_line(run, z, beginning, rng, how)
            z, beginning = NEARNESS * z + (1 - NEARNESS ** 2) ** 0.5 * rng.standard_normal(z.shape), []
            speech.append(detokenize(words))
            count += max(1, len(words))
            if count >= length:
                break
        scene.append("\n".join(speech))
    return ("\n\n" if speakers else "\n").join(scene)


def write_line(run, z, beginning, rng, how):
    """One line from z (1, J), as words, with these words (indices) at its beginning."""
    model, end = run.model, run.vocabulary.end
    state, word = model.start(z.astype(model.dtype)), end
    for following in beginning:
        _, state = model.step(np.array([word], np.int32), state)
        word = following
    length = run.config["settings"]["steps"] - 1 - len(beginning)
    if not length:
        return run.vocabulary.decode(beginning)
    return run.vocabulary.decode([*beginning, *sample(model.step, state, word, end, length, rng, forbidden=FORBIDDEN, **how)[0]])


def measure(run):
    """See texts.measure_lines; a line's words and its end are predicted."""
    steps = run.config["settings"]["steps"]
    return texts.measure_lines(run, 100, lambda words: min(len(words) + 1, steps))


LAB = TextLab(
    name="shakespeare-vae",
    title="Lines of Shakespeare, written word by word from a latent space",
    data="shakespeare",
    example_shape=None,
    epochs=15,
    batch_size=64,
    settings={"vocabulary_size": 0, "min_count": 2, "steps": 21, "embedding_dim": 128, "units": 256, "latent_dim": 32, "dropout": 0.4,
              "word_dropout": 0.2, "free_bits": 0.1, "learning_rate": 0.001, "clipnorm": 5.0,
              **KL_SETTINGS, "kl_schedule": "linear", "kl_steps": 3000},
    small_settings={"vocabulary_size": 7, "steps": 4, "embedding_dim": 3, "units": 4, "latent_dim": 2, "free_bits": 0.0},
    parameters=4_249_686,
    words=6_422,
    references=(),
    make_model=make_model,
    make_optimizer=make_optimizer,
    draw=texts.draw_lines,
    unit="nats a line, + KL",
    read=read,
    example=example,
    lines_of=lines_of,
    generate=generate,
    measure=measure,
)
