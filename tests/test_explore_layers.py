"""The layers in JavaScript, computed by node in double precision: forward passes and gradients."""
import json
import shutil
import subprocess

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from scratchvae.layers import (
    GRU,
    Activation,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    Embedding,
    RepeatVector,
)
from scratchvae.models import Sequential
from scratchvae.teaching.explore.payload import Arrays, describe_layer
from scratchvae.teaching.explore.scripts import ASSETS, registered

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
SCRIPTS = ("products.js", "activations.js", "layers.js", "convolution.js", "resampling.js",
           "recurrent.js")

# Computes a layer's y, and if it has a backward pass: dx, the gradients of the weights, and the
# central differences of sum(dy y) with respect to all of them.
LAYER = """
const {config, mask} = given;
const x = Float64Array.from(given.x);
const dy = Float64Array.from(given.dy);
const {weights} = config;
for (const name in weights) weights[name] = Float64Array.from(weights[name]);
const made = () => new LAYERS[config.class](config);        // layers keep what they derive
const loss = () => made().forward(x, mask).reduce((sum, y_i, i) => sum + dy[i] * y_i, 0);
const difference = array => Array.from(array, (old, i) => {
  array[i] = old + 1e-5;
  const up = loss();
  array[i] = old - 1e-5;
  const down = loss();
  array[i] = old;
  return (up - down) / 2e-5;
});
const layer = made();
const result = {y: Array.from(layer.forward(x, mask))};
if (layer.backward) {
  layer.backward(dy);                                       // grads must not add up
  result.gradients = {x: Array.from(layer.backward(dy))};
  result.differences = {x: difference(x)};
  for (const name in layer.grads) {
    if (name.startsWith("moving")) continue;
    result.gradients[name] = Array.from(layer.grads[name]);
    result.differences[name] = difference(weights[name]);
  }
}
return result;
"""
NETWORK = """
for (const {weights} of given.configs) {
  for (const name in weights) weights[name] = Float64Array.from(weights[name]);
}
return Array.from(new Sequential(given.configs).forward(given.x));
"""


def node(body, given=None):
    """Return what the statements `body` return after the scripts, with Float64 for Float32."""
    source = "\n".join(["globalThis.Float32Array = Float64Array;",
                        *((ASSETS / script).read_text(encoding="utf-8") for script in SCRIPTS),
                        f"const run = given => {{ {body} }};",
                        f"console.log(JSON.stringify(run({json.dumps(given)})));"])
    result = subprocess.run(["node", "-"], input=source, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def check(name, arguments, x, expected, weights=None, mask=None):
    """Compare a layer's forward pass with `expected`, and its gradients with differences."""
    weights = weights or {}
    config = {"class": name, "name": "layer", **arguments,
              "input": x.shape, "output": expected.shape,
              "weights": {key: weight.ravel().tolist() for key, weight in weights.items()}}
    dy = np.cos(np.arange(expected.size))
    result = node(LAYER, {"config": config, "x": x.ravel().tolist(), "dy": dy.tolist(),
                          "mask": mask})
    assert np.allclose(result["y"], expected.ravel(), rtol=1e-10, atol=1e-12)
    trained = {key for key in weights if not key.startswith("moving")}
    if "gradients" in result:
        assert set(result["gradients"]) == {"x"} | trained
    for key, gradient in result.get("gradients", {}).items():
        assert np.abs(gradient).max() > 0
        assert np.allclose(gradient, result["differences"][key], rtol=1e-6, atol=1e-8), key
    return result


def described(layer):
    """Return the page's description of a layer, with its weights as lists of numbers."""
    config = describe_layer("layer", layer, Arrays(), "float32")
    return config | {"weights": {key: w.ravel().tolist() for key, w in layer.weights.items()}}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_python_reads_the_classes_and_activations_that_the_scripts_register():
    assert set(node("return Object.keys(LAYERS)")) == registered("LAYERS", SCRIPTS)
    assert set(node("return Object.keys(ACTIVATIONS)")) == registered("ACTIVATIONS", SCRIPTS)


# Layers of the library.

@pytest.mark.parametrize("layer, shape", [
    (Dense(3, "tanh"), (4,)),
    (Dense(3, "softmax"), (2, 4)),
    (Dense(3, "leaky_relu(0.3)"), (4,)),
    (Activation("sigmoid"), (5,)),
    (Activation("relu"), (5,)),
    (BatchNormalization(), (2, 2, 3)),
    (Conv2D(3, (3, 2), (2, 1), "same", "tanh"), (5, 4, 2)),
    (Conv2D(3, 2, 2, "valid"), (5, 4, 2)),
    (Conv2DTranspose(3, (3, 2), 2, "same", "tanh"), (3, 2, 2)),
    (Conv2DTranspose(3, 3, 2, "valid"), (3, 2, 2)),
    (GRU(3, return_sequences=True), (4, 2)),
    (Bidirectional(GRU(3)), (4, 2)),
    (RepeatVector(3), (4,)),
], ids=lambda value: getattr(type(value), "__name__", None))
def test_layers_compute_what_the_library_computes(layer, shape, rng):
    layer.dtype = "float64"
    layer.build(shape)
    for weight in layer.weights.values():
        weight[...] = rng.uniform(0.2, 1, weight.shape)
    x = rng.normal(size=shape)
    config = described(layer)
    arguments = {key: value for key, value in config.items()
                 if key not in ("class", "name", "input", "output", "weights")}
    check(config["class"], arguments, x, layer.forward(x[np.newaxis])[0], layer.weights)


def test_a_mask_goes_from_layer_to_layer_as_in_the_library(rng):
    network = Sequential([
        Embedding(9, 4, mask_zero=True), Dense(3, "tanh"), GRU(5, return_sequences=True),
        Dropout(0.2), Bidirectional(GRU(4, return_sequences=True)), Bidirectional(GRU(4)),
        RepeatVector(3), GRU(2)])
    for layer in network.layers.values():
        layer.dtype = "float64"
    network.build((6,))
    words = np.array([[0, 3, 8, 0, 1, 0]], np.int32)
    configs = [described(layer) for layer in network.layers.values()]
    y = node(NETWORK, {"configs": configs, "x": words[0].tolist()})
    assert np.allclose(y, network.forward(words)[0], rtol=1e-10)


# Layers against their definitions.

def test_layer_normalization(rng):
    x = rng.normal(size=(3, 2, 4))
    gamma = rng.normal(size=4)
    beta = rng.normal(size=4)
    centred = x - x.mean(axis=-1, keepdims=True)
    expected = gamma * centred / np.sqrt(x.var(axis=-1, keepdims=True) + 0.01) + beta
    check("LayerNormalization", {"epsilon": 0.01}, x, expected, {"gamma": gamma, "beta": beta})


def pooled(x, size, strides, padding, reduce):
    """Return the windows of x (H, W, C), reduced; what is outside the image is NaN."""
    if padding == "same":
        margins = []
        for n, k, stride in zip(x.shape, size, strides):
            total = max((-(-n // stride) - 1) * stride + k - n, 0)
            margins.append((total // 2, total - total // 2))
        x = np.pad(x, [*margins, (0, 0)], constant_values=np.nan)
    windows = sliding_window_view(x, size, axis=(0, 1))[::strides[0], ::strides[1]]
    return reduce(windows, axis=(-2, -1))


@pytest.mark.parametrize("name, reduce", [("MaxPooling2D", np.nanmax),
                                          ("AveragePooling2D", np.nanmean)])
@pytest.mark.parametrize("size, strides", [((2, 2), (2, 2)), ((3, 2), (2, 1)), ((1, 2), (3, 3))])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pooling(name, reduce, size, strides, padding, rng):
    x = rng.normal(size=(5, 4, 2))
    arguments = {"pool_size": size, "strides": strides, "padding": padding}
    check(name, arguments, x, pooled(x, size, strides, padding, reduce))


def test_the_gradient_of_equal_maxima_goes_to_the_first():
    config = {"class": "MaxPooling2D", "name": "pool", "pool_size": [2, 2], "strides": [2, 2],
              "padding": "valid", "input": [2, 4, 1], "output": [1, 2, 1], "weights": {}}
    x = [0, 1, 2, 2, 1, 1, 2, 2]
    result = node(LAYER, {"config": config, "x": x, "dy": [5, 7], "mask": None})
    assert result["y"] == [1, 2]
    assert result["gradients"]["x"] == [0, 5, 7, 0, 0, 0, 0, 0]


def test_resizing(rng):
    x = rng.normal(size=(3, 4, 2))
    check("UpSampling2D", {"size": [2, 3]}, x, x.repeat(2, axis=0).repeat(3, axis=1))
    margins = [[1, 0], [2, 1]]
    check("ZeroPadding2D", {"padding": margins}, x, np.pad(x, [*margins, [0, 0]]))
    check("Cropping2D", {"cropping": margins}, x, x[1:, 2:3])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel_size, strides, output_padding", [
    ((3, 3), (2, 2), (1, 1)), ((3, 3), (2, 2), (0, 0)), ((2, 5), (2, 3), (1, 2)),
])
def test_transposed_convolution_with_output_padding(
        padding, kernel_size, strides, output_padding, rng):
    x = rng.normal(size=(3, 4, 2))
    kernel = rng.normal(size=(*kernel_size, 3, 2))
    bias = rng.normal(size=3)
    crop = [k // 2 if padding == "same" else 0 for k in kernel_size]
    shape = [(n - 1) * stride + k - 2 * c + extra for n, stride, k, c, extra
             in zip(x.shape, strides, kernel_size, crop, output_padding)]
    full = np.zeros((30, 30, 3))
    for p, q in np.ndindex(3, 4):
        for a, b in np.ndindex(kernel_size):
            full[p * strides[0] + a, q * strides[1] + b] += kernel[a, b] @ x[p, q]
    top, left = (max(2 * c - extra, 0) // 2 for c, extra in zip(crop, output_padding))
    expected = full[top:top + shape[0], left:left + shape[1]] + bias
    arguments = {"filters": 3, "kernel_size": kernel_size, "strides": strides, "padding": padding,
                 "output_padding": output_padding, "activation": "linear"}
    check("Conv2DTranspose", arguments, x, expected, {"kernel": kernel, "bias": bias})


def lstm(x, kernel, recurrent_kernel, bias, mask, backwards=False):
    """Return the outputs (T, U) of an LSTM; a step that the mask skips keeps the state."""
    T = len(x)
    h = np.zeros(len(recurrent_kernel))
    c = np.zeros_like(h)
    outputs = np.zeros((T, len(h)))
    for t in reversed(range(T)) if backwards else range(T):
        if mask[t]:
            i, f, g, o = np.split(x[t] @ kernel + h @ recurrent_kernel + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        outputs[t] = h
    return outputs


def lstm_weights(rng, K, U):
    return {"kernel": rng.normal(size=(K, 4 * U)), "recurrent_kernel": rng.normal(size=(U, 4 * U)),
            "bias": rng.normal(size=4 * U)}


@pytest.mark.parametrize("mask", [[1, 1, 1, 1, 1], [0, 1, 1, 0, 1], [1, 1, 0, 0, 0]])
@pytest.mark.parametrize("sequences", [False, True])
def test_lstm(sequences, mask, rng):
    x = rng.normal(size=(5, 3))
    weights = lstm_weights(rng, 3, 2)
    outputs = lstm(x, *weights.values(), mask)
    arguments = {"units": 2, "return_sequences": sequences}
    check("LSTM", arguments, x, outputs if sequences else outputs[-1], weights, mask)


@pytest.mark.parametrize("sequences", [False, True])
def test_bidirectional_lstm(sequences, rng):
    x = rng.normal(size=(5, 3))
    mask = [0, 1, 1, 0, 1]
    forward = lstm_weights(rng, 3, 2)
    backward = lstm_weights(rng, 3, 2)
    halves = [lstm(x, *forward.values(), mask), lstm(x, *backward.values(), mask, backwards=True)]
    if sequences:
        expected = np.concatenate(halves, axis=-1) * np.array(mask)[:, np.newaxis]
    else:
        expected = np.concatenate([halves[0][-1], halves[1][0]])
    weights = {f"forward/{name}": weight for name, weight in forward.items()}
    weights |= {f"backward/{name}": weight for name, weight in backward.items()}
    arguments = {"units": 2, "return_sequences": sequences, "layer_class": "LSTM"}
    check("Bidirectional", arguments, x, expected, weights, mask)
