"""The script that makes a model again in Keras 3."""
import numpy as np

from ...kernels.activation_names import LEAKY_RELU_SLOPE, parse_activation
from ...models.text_vae import END
from ..writing import CODES, COMPARISON, code, commented

# Arguments by position, and those that are named where they differ from Keras's defaults.
POSITIONAL = {
    "Activation": ("activation",), "AveragePooling2D": ("pool_size",), "BatchNormalization": (),
    "Conv2D": ("filters", "kernel_size"), "Conv2DTranspose": ("filters", "kernel_size"),
    "Cropping2D": ("cropping",), "Dense": ("units",), "Dropout": ("rate",),
    "Embedding": ("input_dim", "output_dim"), "Flatten": (), "GRU": ("units",), "LSTM": ("units",),
    "LayerNormalization": (), "MaxPooling2D": ("pool_size",), "RepeatVector": ("n",),
    "Reshape": ("target_shape",), "UpSampling2D": ("size",), "ZeroPadding2D": ("padding",),
}
NAMED = {"strides": 1, "padding": "valid", "output_padding": None, "return_sequences": False,
         "mask_zero": False, "momentum": 0.99, "epsilon": 1e-3, "activation": "linear"}
KINDS = (*POSITIONAL, "Bidirectional", "OneHotDense")

HEAD = '''"""{title}, in Keras 3.

Written by scratchvae. Beside this file lie the trained weights, vae.weights.h5, and some examples
with what scratchvae computes for them in float64, examples.npz.

    python rebuild.py               compares with these, and writes vae.keras: the whole model

Keras needs TensorFlow, PyTorch or JAX; KERAS_BACKEND=torch chooses. In a program of yours:

    from rebuild import load
    encoder, decoder, vae = load()
"""
import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

HERE = Path(__file__).parent
'''

SAMPLING = '''

def sample(z_mean, z_log_var):
    """Return z = mu + sigma eps, eps ~ N(0, 1): in training the decoder is given this."""
    eps = keras.random.normal(keras.ops.shape(z_mean))
    return z_mean + keras.ops.exp(z_log_var / 2) * eps
'''

LOADING = '''

def load():
    """Return the encoder, the decoder, and both as one model, with the trained weights."""
    encoder = make_encoder()
    decoder = make_decoder()
    vae = make_vae(encoder, decoder)
    vae.load_weights(HERE / "vae.weights.h5")
    return encoder, decoder, vae
'''

RESULTS = '''

def results(examples):
    """Return what this model computes for the examples, by name."""
    *_, vae = load()
    outputs = vae.predict({inputs}, verbose=0)
    return dict(zip({names}, outputs))
'''

MAIN = '''

if __name__ == "__main__":
    equal = compare()
    load()[2].save(HERE / "vae.keras")
    sys.exit(None if equal else "the numbers differ")
'''


def script(model, networks, title):
    """Return the script as text.

    Parameters
    ----------
    model : VAE, TextVAE or Autoencoder
    networks : dict of str -> list of Piece
    title : str
    """
    codes = CODES[model.name]
    text = model.name == "TextVAE"
    given = '[examples["x"], examples["before"]]' if text else 'examples["x"]'
    return "".join([
        HEAD.format(title=title),
        _encoder(model, networks, codes),
        _text_decoder(model, networks) if text else _decoder(model, networks),
        _vae(model, codes, text),
        SAMPLING if len(codes) == 2 else "",
        LOADING,
        RESULTS.format(inputs=given, names=code((*codes, "reconstruction"))),
        COMPARISON,
        MAIN,
    ])


def _input(shape, dtype):
    """Return the code of an input."""
    return f"keras.Input({code(shape)}{', dtype=' + code(dtype) if dtype else ''})"


def _function(name, docstring, lines):
    """Return a function as text."""
    return f'\n\ndef {name}:\n    """{docstring}"""\n{commented(lines)}\n'


def _encoder(model, networks, codes):
    lines = [(f"x = {_input(model.input_shape, model.encoder.input_dtype)}", "")]
    lines += _chain(networks["encoder"], "x")
    if len(codes) == 2:
        lines += [(f'{name} = layers.Dense({model.latent_dim}, name="{name}")(h)', "")
                  for name in codes]
        outputs = "[z_mean, z_log_var]"
    else:
        outputs = "h"
    lines.append((f'return keras.Model(x, {outputs}, name="encoder")', ""))
    return _function("make_encoder()", f"x {code(model.input_shape)} -> {', '.join(codes)} "
                                       f"{code((model.latent_dim,))}.", lines)


def _decoder(model, networks):
    pieces = networks["decoder"]
    lines = [(f"z = {_input((model.latent_dim,), None)}", ""), *_chain(pieces, "z"),
             ('return keras.Model(z, h, name="decoder")', "")]
    return _function("make_decoder()", f"z {code((model.latent_dim,))} -> reconstruction "
                                       f"{code(pieces[-1].output_shape)}.", lines)


def _text_decoder(model, networks):
    """Return the decoder of a TextVAE: z starts the GRU, and stands beside the word before."""
    initial, = networks["initial"]
    gru, = networks["gru"]
    steps = model.steps
    lines = [(f"z = {_input((model.latent_dim,), None)}", ""),
             (f'before = {_input((steps,), "int32")}', ""),
             (f"state = {layer(initial)}(z)", code(initial.output_shape)),
             *_chain(networks["words"], "before"),
             (f"h = layers.Concatenate()([h, layers.RepeatVector({steps})(z)])",
              code(gru.input_shape)),
             (f"h = {layer(gru)}(h, initial_state=state)", code(gru.output_shape)),
             *_chain(networks["decoder"], "h", comments=False),
             ('return keras.Model([z, before], h, name="decoder")', "")]
    return _function("make_decoder()", f"z, the word before each step ({steps},) -> probabilities "
                     f"of each word ({steps}, {model.vocabulary_size}).", lines)


def _vae(model, codes, text):
    x = _input(model.input_shape, model.encoder.input_dtype)
    lines = [(f"x = {x}", "")]
    if text:
        lines.append((f"before = {x}", f"{END}, x_1, ..., x_T-1: {END} ends the line before"))
    lines += [(f"{', '.join(codes)} = encoder(x)", ""),
              (f"reconstruction = decoder({f'[{codes[0]}, before]' if text else codes[0]})", ""),
              (f"return keras.Model({'[x, before]' if text else 'x'}, "
               f"[{', '.join(codes)}, reconstruction])", "")]
    outputs = f"{', '.join(codes)}, and the reconstruction from {codes[0]}"
    return _function("make_vae(encoder, decoder)",
                     f"{'x, the word before each step' if text else 'x'} -> {outputs}.", lines)


def _chain(pieces, first, comments=True):
    """Return lines that apply layers one after the other, to `first` and then to h.

    Comments are the shapes of the outputs.
    """
    lines = []
    x = first
    for piece in pieces:
        for made in _calls(piece):
            lines.append((f"h = {made}({x})", ""))
            x = "h"
        if comments:
            lines[-1] = (lines[-1][0], code(piece.output_shape) + _warning(piece))
    return lines


def _warning(piece):
    """Return what to know about a layer of Keras that does not always do the same."""
    if piece.kind == "AveragePooling2D" and piece.config["padding"] == "same":
        return "; not with KERAS_BACKEND=torch, which counts pixels at the border twice"
    return ""


def _calls(piece):
    """Yield the layers of Keras that a layer is."""
    if piece.kind == "OneHotDense":
        depth = piece.config["depth"]
        yield f'layers.CategoryEncoding(num_tokens={depth}, output_mode="one_hot")'
    yield layer(piece)
    if _has_own_slope(piece.config):
        _, slope = parse_activation(piece.config["activation"])
        if piece.kind != "Activation":
            yield f"layers.LeakyReLU(negative_slope={slope})"


def _has_own_slope(config):
    """Return whether the activation is a leaky ReLU that Keras's name does not mean."""
    name, slope = parse_activation(config.get("activation") or "linear")
    return name == "leaky_relu" and slope != LEAKY_RELU_SLOPE


def layer(piece):
    """Return the code that makes the layer."""
    return _made(piece.kind, piece.config)


def _made(kind, config):
    """Return the code that makes a layer of these arguments."""
    if kind == "Bidirectional":
        inner = config["layer"]
        return f"layers.Bidirectional({_made(inner['class'], inner)})"
    if kind == "OneHotDense":
        kind = "Dense"
    own_slope = _has_own_slope(config)
    if own_slope and kind == "Activation":
        return f"layers.LeakyReLU(negative_slope={parse_activation(config['activation'])[1]})"
    given = [code(config[name] if name == "target_shape" else _single(config[name]))
             for name in POSITIONAL[kind]]
    for name, value in config.items():
        value = _named_value(kind, config, name, value)
        if name in NAMED and name not in POSITIONAL[kind] and value != NAMED[name]:
            if name != "activation" or not own_slope:
                given.append(f"{name}={code(value)}")
    return f"layers.{kind}({', '.join(given)})"


def _named_value(kind, config, name, value):
    """Return an argument's value as it is compared with Keras's default."""
    if name == "strides" and "pool_size" in config:
        return 1 if value == config["pool_size"] else value     # pooling's strides are its size
    if name == "activation":
        name, slope = parse_activation(value or "linear")
        return name
    return _single(value)


def _single(value):
    """Return equal numbers for all sides as one number, anything else as it is."""
    numbers = set(np.ravel(value).tolist()) if isinstance(value, (tuple, list)) else ()
    return numbers.pop() if len(numbers) == 1 else value
