"""A few examples with what a model computes for them: what another framework is compared with."""
import numpy as np

from ..models import Model
from ..models.text_vae import END, PAD
from .writing import CODES

COUNT = 8


def made_up(model, seed=0):
    """Return a few examples of a model, for one whose data are not there.

    Parameters
    ----------
    model : Model
        Built.
    seed : int

    Returns
    -------
    array (COUNT, *input_shape)
        Numbers in [0, 1), or words; lines of a TextVAE end and are padded.
    """
    rng = np.random.default_rng(seed)
    shape = (COUNT, *model.input_shape)
    words = model.encoder.vocabulary_size
    if not words:
        return rng.random(shape, np.float32)
    x = rng.integers(0, words, shape, np.int32)
    if model.name == "TextVAE":
        x = np.maximum(x, min(END + 1, words - 1))
        for line, length in zip(x, rng.integers(1, model.steps + 1, COUNT)):
            line[length - 1] = END
            line[length:] = PAD
    return x


def results(model, x):
    """Return examples and what the model computes for them, in float64, by name.

    Parameters
    ----------
    model : VAE, TextVAE or Autoencoder
    x : array (N, *input_shape)

    Returns
    -------
    dict of str -> array of float32, or int32 for words
        x, its codes, and `reconstruction`, decoded from the first of them: of a TextVAE the
        probabilities of each word after the true words before it, which are `before`.
    """
    x = np.asarray(model.as_inputs(x))
    model = _in_float64(model)
    codes = model.encode(x)
    found = dict(zip(CODES[model.name], codes if isinstance(codes, tuple) else (codes,)))
    arrays = {"x": x, **found}
    z = next(iter(found.values()))
    if model.name == "TextVAE":
        arrays["before"] = np.concatenate([np.full_like(x[:, :1], END), x[:, :-1]], axis=1)
        arrays["reconstruction"] = _word_by_word(model, z, arrays["before"])
    else:
        arrays["reconstruction"] = model.decode(z)
    return {name: _plain(array) for name, array in arrays.items()}


def _in_float64(model):
    """Return the model with the same weights in float64: of two roundings one is left."""
    exact = Model.from_config(model.get_config() | {"dtype": "float64"})
    exact.set_weights(model.get_weights())
    exact.has_targets = model.has_targets
    return exact


def _word_by_word(model, z, before):
    """Return the probabilities of the word at each step, (N, T, V), given the words before."""
    state = model.start(z)
    steps = []
    for words in before.T:
        logits, state = model.step(words, state)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        steps.append(odds / odds.sum(axis=-1, keepdims=True))
    return np.stack(steps, axis=1)


def _plain(array):
    """Return an array of float32, or of int32 for words."""
    return np.ascontiguousarray(array, np.int32 if array.dtype.kind == "i" else np.float32)
