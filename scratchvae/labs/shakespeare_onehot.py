"""shakespeare-onehot: a dense VAE of single words, each one of the V words of the text."""
import numpy as np

from .. import checks
from ..errors import ScratchVAEError
from ..layers import Dense, OneHotDense
from ..optimizers import Adam
from ..text import UNKNOWN, Vocabulary, tokenize
from .figures import loss_curves
from .objective import KL_SETTINGS, make_vae
from .text_lab import TextExamples, TextLab
from .words import generate, measure, report

TARGETS = ("same", "next")


def make_model(settings, backend="cpu"):
    """Return a VAE V -> 64 -> 50 -> 64 -> V.

    The loss is the sum of V binary cross-entropies with the one-hot word, plus the KL divergence.
    A word is given by its index; no one-hot vector is built.
    """
    checks.choice("setting", "target", settings["target"], TARGETS)
    V = settings["vocabulary_size"] or LAB.words
    units = settings["intermediate_dim"]
    return make_vae(
        settings,
        encoder=[OneHotDense(V, units, activation="relu")],
        latent_dim=settings["latent_dim"],
        decoder=[Dense(units, activation="relu"), Dense(V, activation="sigmoid")],
        reconstruction="onehot_binary_crossentropy",
        reconstruction_scale=float(V),
        backend=backend,
    )


def read(text, settings):
    """Return all words of a text in their order, speakers included.

    The target of a word is the word itself, or the next one.
    """
    words = [word for line in text.splitlines() for word in tokenize(line)]
    if len(words) < 2:
        raise ScratchVAEError(f"the text must have at least 2 words, got {len(words)}")
    different = len(set(words))
    most = settings["vocabulary_size"] or different
    specials = (UNKNOWN,) if most < different else ()
    vocabulary = Vocabulary.build([words], specials, max_size=most)
    x = vocabulary.encode(words)[:, np.newaxis]
    if settings["target"] == "same":
        return TextExamples(x, vocabulary)
    return TextExamples(x[:-1], vocabulary, y_train=x[1:])


def peculiarities(settings):
    """Return what is peculiar about the sheet."""
    if settings["target"] != "same":
        return ()
    return ("the sheet trains the model to give back its input, so its generator repeats itself; "
            "--set target=next --set kl_weight=0.01 mends it",)


LAB = TextLab(
    number=8,
    name="shakespeare-onehot",
    title="Shakespeare word by word, each word one of all his words",
    data="shakespeare",
    example_shape=(1,),
    epochs=50,
    batch_size=100,
    optimizer=Adam,
    shuffle=False,
    settings={"vocabulary_size": 0, "target": "same", "intermediate_dim": 64, "latent_dim": 50,
              "learning_rate": 0.001, **KL_SETTINGS},
    small_settings={"vocabulary_size": 7, "intermediate_dim": 4, "latent_dim": 2},
    make_model=make_model,
    parameters=1_824_471,
    unit="nats a word, + KL",
    peculiarities=peculiarities,
    figures=(loss_curves, report),
    words=14_067,
    read=read,
    generate=generate,
    measure=measure,
)
