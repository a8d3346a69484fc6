"""Numbers of other programs: what Keras computed for the same arrays, and what definitions demand.

A gradient check passes if forward and backward pass agree on the wrong function. These numbers say
which function it must be. Those of Keras 3 on JAX, in float64, are in golden.npz.
"""
import json
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Callable, NamedTuple

import numpy as np

from ... import kernels, losses, optimizers
from ...layers import GRU, BatchNormalization, Conv2D, Conv2DTranspose, Dense, Embedding, Layer
from ...models import VAE

FILE = Path(__file__).with_name("golden.npz")
TOLERANCE = 1e-7                # relative to the largest number of an array
COUNT = 50_000                  # samples that a moment is measured on


class Compared(NamedTuple):
    """A computed array and what it must be.

    Attributes
    ----------
    name : str
    actual, expected : arrays of one shape
    tolerance : float
        Of the largest difference, relative to the largest number expected.
    """
    name: str
    actual: np.ndarray
    expected: np.ndarray
    tolerance: float = TOLERANCE

    @property
    def passed(self):
        """Whether the arrays are equal, but for rounding."""
        if self.actual.shape != self.expected.shape:
            return False
        scale = max(np.abs(self.expected).max(initial=0), 1e-30)
        return bool(np.abs(self.actual - self.expected).max(initial=0) <= self.tolerance * scale)


class Golden(NamedTuple):
    """A comparison with numbers from outside.

    Attributes
    ----------
    name : str
    source : str
        Where the numbers are from: "Keras", or a definition in words.
    compute : function
        compute(backend) -> list of Compared, for the name of a backend.
    """
    name: str
    source: str
    compute: Callable


@cache
def groups():
    """Return group -> {name: array} of golden.npz."""
    found = {}
    with np.load(FILE) as file:
        for path in file.files:
            group, _, name = path.rpartition("/")
            array = file[path]
            if array.dtype.kind == "f":
                array = array.astype(np.float64)
            found.setdefault(group, {})[name] = array
    return found


def all_golden():
    """Return all Golden comparisons."""
    found = []
    for name, group in groups().items():
        compute = FAMILIES.get(name.partition("/")[0]) or FAMILIES.get(name)
        if compute:
            found.append(Golden(name, "Keras", partial(compute, name, group)))
    return found + list(DEFINITIONS)


def numbered(group, name):
    """Return the arrays NAME_0, NAME_1, ... of a group."""
    count = sum(key.rpartition("_")[0] == name for key in group)
    return [group[f"{name}_{i}"] for i in range(count)]


def ready(layer, backend, input_shape, weights):
    """Return a layer in float64 with these weights."""
    layer.dtype = "float64"
    layer.backend = backend
    layer.build(input_shape)
    layer.set_weights(weights)
    return layer


def both_passes(layer, group, weights, gradients, backend):
    """Return y, dx and the gradients of a layer beside those of a group."""
    layer = ready(layer, backend, group["x"].shape[1:], weights)
    found = [Compared("y", layer.forward(group["x"], True).copy(), group["y"])]
    dx = layer.backward(group["dout"].copy())
    if "dx" in group:
        found.append(Compared("dx", dx, group["dx"]))
    found += [Compared(f"d{name}", gradient, expected)
              for (name, gradient), expected in zip(layer.grads.items(), gradients)]
    return found


def dense(name, group, backend):
    """A dense layer of each activation."""
    layer = Dense(group["y"].shape[-1], name.partition("/")[2])
    return both_passes(layer, group, [group["kernel"], group["bias"]],
                       [group["dkernel"], group["dbias"]], backend)


def convolution(layer_class, name, group, backend):
    """A convolution; the name tells its geometry: "4x4 stride 2x1 same relu, 7x10x3 to 5"."""
    size, _, strides, padding, activation = name.partition("/")[2].split(",")[0].split()
    size, strides = (tuple(map(int, text.split("x"))) for text in (size, strides))
    layer = layer_class(group["y"].shape[-1], size, strides, padding, activation)
    return both_passes(layer, group, [group["kernel"], group["bias"]],
                       [group["dkernel"], group["dbias"]], backend)


def batch_normalization(name, group, backend):
    """Inference, training, gradients, and the moving averages afterwards."""
    weights = ("gamma", "beta", "moving_mean", "moving_variance")
    layer = BatchNormalization(float(group["momentum"]), float(group["epsilon"]))
    layer = ready(layer, backend, group["x"].shape[1:], [group[weight] for weight in weights])
    found = [Compared("y in inference", layer.forward(group["x"], training=False).copy(),
                      group["y_inference"]),
             Compared("y", layer.forward(group["x"], training=True).copy(), group["y"]),
             Compared("dx", layer.backward(group["dout"].copy()), group["dx"])]
    found += [Compared(f"d{weight}", layer.grads[weight], group[f"d{weight}"])
              for weight in weights[:2]]
    after = layer.get_weights()
    batch = group["x"].mean(axis=tuple(range(group["x"].ndim - 1)))
    share = (after[2] - group["moving_mean"]) / (batch - group["moving_mean"])
    found.append(Compared("share of the batch in the moving mean (1 - momentum)", share,
                          np.full(len(share), 1 - float(group["momentum"])), 1e-4))
    return found + [Compared(weight, after[i], group[f"{weight}_after"])
                    for i, weight in enumerate(weights) if i >= 2]


def gated_recurrent_unit(name, group, backend):
    """The states of a GRU from a given state, with a mask, and all gradients."""
    layer = GRU(group["y"].shape[-1], return_sequences=group["y"].ndim == 3)
    layer = ready(layer, backend, group["x"].shape[1:], numbered(group, "weight"))
    layer.mask = group["mask"]
    y = layer.forward(group["x"], True, group["initial_state"]).copy()
    dx = layer.backward(group["dout"].copy())
    found = [Compared("y", y, group["y"]), Compared("dx", dx, group["dx"]),
             Compared("dinitial_state", layer.dinitial_state, group["dinitial_state"])]
    return found + [Compared(f"d{weight}", gradient, expected) for (weight, gradient), expected
                    in zip(layer.grads.items(), numbered(group, "gradient"))]


def any_layer(name, group, backend):
    """A layer whose group holds its configuration."""
    layer = Layer.from_config(json.loads(str(group["config"])))
    layer = ready(layer, backend, group["x"].shape[1:], numbered(group, "weight"))
    layer.mask = group.get("mask")
    states = numbered(group, "initial_state")
    y = layer.forward(group["x"], True, *[states] if states else []).copy()
    found = [Compared("y", y, group["y"]),
             Compared("dx", layer.backward(group["dout"].copy()), group["dx"])]
    found += [Compared("dinitial_state", gradient, expected) for gradient, expected
              in zip(layer.dinitial_state if states else [], numbered(group, "dinitial_state"))]
    return found + [Compared(f"d{weight}", gradient, expected) for (weight, gradient), expected
                    in zip(layer.grads.items(), numbered(group, "gradient"))]


def loss(name, group, backend):
    """A reconstruction loss of each example, and its gradient; in golden.npz scale is 784."""
    kind = name.split("/")[1]
    words = "targets" in group
    activation = name.split("/")[2] if name.count("/") > 1 else "softmax"
    scale = group["targets"].shape[1] if words else 784.0
    made = losses.get(kind)(scale, activation)
    made.build(kernels.load(backend), "float64")
    target = group["targets"].astype(np.int32) if words else group["target"]
    value = made.forward(group["logits"].copy(), target)
    return [Compared("loss", value.copy(), group["loss"]),
            Compared("dlogits", made.backward(), group["dlogits"])]


OPTIMIZERS = {
    "optimizer/Adam": lambda: optimizers.Adam(0.01),
    "optimizer/AdamW": lambda: optimizers.AdamW(0.01, weight_decay=0.3),
    "optimizer/Adam clipped": lambda: optimizers.Adam(0.01, global_clipnorm=0.5),
    "optimizer/RMSprop": lambda: optimizers.RMSprop(0.01),
    "optimizer/SGD": lambda: optimizers.SGD(0.1),
    "optimizer/SGD momentum": lambda: optimizers.SGD(0.1, momentum=0.8),
}


def optimizer(name, group, backend):
    """The parameters after each of five steps. Keras corrects the bias in float32."""
    parameters = SimpleNamespace(values=group["start"].copy(), gradients=np.zeros(11))
    made = OPTIMIZERS[name]()
    made.build(parameters, kernels.load(backend))
    found = []
    for step, (gradient, after) in enumerate(zip(group["gradients"], group["after"]), 1):
        parameters.gradients[...] = gradient
        made.update()
        found.append(Compared(f"parameters after step {step}", parameters.values.copy(), after))
    return found


def embedding(name, group, backend):
    """Rows of a table, and the gradients of equal words added up."""
    weights = numbered(group, "weight")
    layer = ready(Embedding(*weights[0].shape), backend, group["x"].shape[1:], weights)
    y = layer.forward(group["x"].astype(np.int32), True).copy()
    layer.backward(group["dout"].copy())
    return [Compared("y", y, group["y"]),
            Compared("dtable", next(iter(layer.grads.values())), numbered(group, "gradient")[0])]


def whole_vae(name, group, backend):
    """The losses of a small VAE with given noise, and the gradient of every weight."""
    vae = VAE([Dense(7, "relu")], 3, [Dense(6, "relu"), Dense(12, "sigmoid")],
              reconstruction_scale=784.0, dtype="float64", backend=backend)
    vae.build((12,))
    for i, parameter in enumerate(vae.parameters.names):
        vae.parameters[parameter][...] = group[f"weight_{i}"]
    vae.noise.normal = lambda out, stream: np.copyto(out, group["eps"])
    reconstruction, kl = vae.forward(group["x"].copy(), training=True)
    found = [Compared("kl", kl.copy(), group["kl"]),
             Compared("reconstruction loss", reconstruction.copy(), group["reconstruction"])]
    vae.backward(0.7)
    gradients = [gradient for layer in vae.layers.values() for gradient in layer.grads.values()]
    return found + [Compared(f"gradient of {parameter}", gradient, group[f"gradient_{i}"])
                    for i, (parameter, gradient)
                    in enumerate(zip(vae.parameters.names, gradients))]


def spread_of_samples(backend):
    """The standard deviation of many samples z is sigma = exp(z_log_var / 2)."""
    backend = kernels.load(backend)
    z_log_var = np.tile([-2.0, 0.0, 2.0], (COUNT, 1))
    eps = np.random.default_rng(0).standard_normal(z_log_var.shape)
    z = np.empty_like(eps)
    backend.reparameterize_forward(np.zeros_like(eps), z_log_var, eps, z)
    return [Compared("standard deviation of z", z.std(axis=0), np.exp(z_log_var[0] / 2), 0.02)]


def mean_after_dropout(backend):
    """Dropout keeps the mean, and drops the share that the rate says."""
    backend = kernels.load(backend)
    noise = np.random.default_rng(0).random(COUNT)
    y = np.empty(COUNT)
    backend.dropout_forward(np.ones(COUNT), noise, y, 0.4)
    return [Compared("mean of y", np.array([y.mean()]), np.array([1.0]), 0.02),
            Compared("share of zeros", np.array([(y == 0).mean()]), np.array([0.4]), 0.02)]


def moments_of_noise(backend):
    """Normal noise has mean 0, variance 1 and kurtosis 3; uniform noise mean 1/2, variance 1/12."""
    backend = kernels.load(backend)
    normal = np.empty(COUNT)
    backend.normal(normal, 7, 3, 1)
    uniform = np.empty(COUNT)
    backend.uniform(uniform, 7, 3, 1)
    return [Compared("moments of normal noise", np.array([1 + normal.mean(), normal.var(),
                                                          (normal ** 4).mean() / 3]),
                     np.ones(3), 0.03),
            Compared("moments of uniform noise", np.array([2 * uniform.mean(),
                                                           12 * uniform.var()]),
                     np.ones(2), 0.03)]


def known_sequences(backend):
    """Operations on sequences of two or three numbers, whose results can be read off."""
    backend = kernels.load(backend)
    found = []
    words = np.array([[5, 6, 7], [8, 0, 0]], np.int32)

    def compare(name, inputs, expected, *options):
        expected = np.array(expected, np.int32 if inputs[0].dtype == np.int32 else float)
        out = np.full_like(expected, 77)
        getattr(backend, name)(*inputs, out, *options)
        found.append(Compared(name, out, expected))
    steps = np.array([[[1.0], [2.0], [3.0]]])
    one = np.array([[4.0, 5.0]])
    nine = np.array([[9.0]])
    noise = np.array([[0.9, 0.2, 0.9], [0.1, 0.9, 0.9]])
    compare("words_before", [words, noise], [[2, 1, 6], [2, 8, 0]], 2, 1, 0.5)
    compare("padding_mask", [words], [[1, 1, 1], [1, 0, 0]])
    compare("repeat_forward", [one], [[[4, 5], [4, 5]]])
    compare("repeat_backward", [steps], [[6]])
    compare("sum_steps", [steps], [[6]])
    compare("last_forward", [steps], [[2]], 1)
    compare("last_backward", [nine], [[[0], [9], [0]]], 1)
    compare("mask_steps", [steps, np.array([[1, 0, 1]], np.int32)], [[[1], [0], [3]]])
    compare("concatenate_forward", [one, nine], [[4, 5, 9]])
    compare("scatter", [one, np.array([2], np.int32)], [[0, 0], [0, 0], [4, 5]])
    first = np.empty((1, 1))
    second = np.empty((1, 2))
    backend.concatenate_backward(np.array([[4.0, 5.0, 9.0]]), first, second)
    return [*found, Compared("concatenate_backward", np.hstack([second, first]),
                             np.array([[5.0, 9.0, 4.0]]))]


def first_step_of_adam(backend):
    """Adam's first step has the length of the learning rate, for any gradient above epsilon."""
    parameters = SimpleNamespace(values=np.zeros(3), gradients=np.array([0.3, -4.0, 20.0]))
    made = optimizers.Adam(0.01)
    made.build(parameters, kernels.load(backend))
    made.update()
    return [Compared("length of the first step in learning rates",
                     np.abs(parameters.values) / 0.01, np.ones(3), 1e-4)]


def weight_of_the_kl_term(backend):
    """The gradient of the KL term is proportional to its weight."""
    vae = VAE([Dense(4, "tanh")], 2, [Dense(4, "tanh"), Dense(5, "sigmoid")], dtype="float64",
              backend=backend)
    vae.build((5,))
    x = np.random.default_rng(0).random((3, 5))
    vae.noise.step = 1
    gradients = []
    for weight, free_bits in ((3.0, 0.0), (3.0, 1e9)):      # with the KL term, and without it
        vae.objective.free_bits = free_bits
        vae.forward(x, training=True)
        vae.backward(weight)
        gradients.append(vae.z_mean.grads["bias"].copy())
    kl_part = vae.mu.mean(axis=0)                           # d(mean KL)/d(bias of z_mean)
    weights = (gradients[0] - gradients[1]) / kl_part
    return [Compared("gradient of the KL term has a weight that for kl_weight = 3", weights,
                     np.full(2, 3.0))]


FAMILIES = {
    "dense": dense,
    "conv2d": partial(convolution, Conv2D),
    "conv2d_transpose": partial(convolution, Conv2DTranspose),
    "batchnorm": batch_normalization,
    "gru": gated_recurrent_unit,
    "layer": any_layer,
    "loss": loss,
    "optimizer": optimizer,
    "words/embedding": embedding,
    "vae": whole_vae,
}
DEFINITIONS = (
    Golden("spread of samples", "z has the standard deviation exp(z_log_var / 2)",
           spread_of_samples),
    Golden("mean after dropout", "dropout keeps the mean", mean_after_dropout),
    Golden("first step of Adam", "Adam's paper", first_step_of_adam),
    Golden("weight of the KL term", "the loss is reconstruction + weight KL",
           weight_of_the_kl_term),
    Golden("known sequences", "the definitions of the operations", known_sequences),
    Golden("moments of noise", "the moments of the distribution", moments_of_noise),
)
