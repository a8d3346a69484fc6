"""The benchmark's VAE in JAX."""

from __future__ import annotations

import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from . import decoder_layers, keras_update, reads_words, split_activation, transposed_size

_ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "softmax": jax.nn.softmax,
}


class Trainer:
    """Train with one jitted, pure function from a state and a batch to the next state.

    The old state is donated to it. Losses and updates are written out, as JAX itself has none.
    `step` only starts a step; `wait` returns when all steps have finished.

    Parameters
    ----------
    model, optimizer : dict
        Their configs.
    batch_size : int
        Not used; an argument of every Trainer.
    threads : int
        How many threads XLA uses.
    """

    def __init__(self, model: dict, optimizer: dict, batch_size: int, threads: int):
        # JAX has no setting for the number of XLA's threads: when the first array is made, it
        # starts one thread per core of the process. So limit the cores, and make no array before.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        self.version = f"JAX {jax.__version__}"
        start, key = jax.random.split(jax.random.key(0))
        parameters, loss, moving = _loss(model, start)
        weights, tree = jax.tree.flatten(parameters)
        update, slots = keras_update(optimizer, jnp.sqrt, "JAX")

        def step(state, x):
            t, key, tensors, moving = state
            t = t + 1
            key, now = jax.random.split(key)
            gradient = jax.grad(lambda w: loss(tree.unflatten(w), x, now, moving), has_aux=True)
            gradients, moving = gradient([w for w, *_ in tensors])
            tensors = [update(t, g, *tensor) for g, tensor in zip(gradients, tensors)]
            return t, key, tensors, moving

        self._step = jax.jit(step, donate_argnums=0)
        tensors = [(w, *(jnp.zeros_like(w) for _ in range(slots))) for w in weights]
        self._state = jnp.zeros(()), key, tensors, moving

    launches = None

    def put(self, x: np.ndarray) -> np.ndarray:
        return x

    def step(self, x: np.ndarray) -> None:
        self._state = self._step(self._state, x)

    def wait(self) -> None:
        jax.block_until_ready(self._state)


def _loss(model: dict, key):
    """Return the initial parameters, the loss, and the initial moving averages.

    The loss is a function (parameters, batch, key, moving averages) -> (loss, moving averages).
    """
    error = _ERRORS[model["reconstruction"]]
    dtype = jnp.int32 if reads_words(model) else jnp.float32
    keys = jax.random.split(key, 4)
    averages = []
    encoder, encode, shape = _chain(
        model["encoder"], model["input_shape"], keys[0], averages, dtype)
    heads = []
    if model["class"] == "VAE":
        heads = [_dense(shape[-1], model["latent_dim"], k) for k in keys[1:3]]
        shape = [model["latent_dim"]]
    decoder, decode, _ = _chain(decoder_layers(model), shape, keys[3], averages)

    def loss(parameters, x, key, moving):
        encoder, heads, decoder = parameters
        keys = jax.random.split(key, 3)
        moving = list(moving)
        h = encode(encoder, x, keys[0], moving)
        z, kl = _sample(heads, h, keys[1]) if heads else (h, 0.0)
        output = decode(decoder, z, keys[2], moving)
        return model["reconstruction_scale"] * error(x, output) + kl, moving

    return (encoder, heads, decoder), loss, averages


def _sample(heads, h, key):
    mean, log_var = (h @ kernel + bias for kernel, bias in heads)
    kl = -0.5 * jnp.sum(1 + log_var - jnp.square(mean) - jnp.exp(log_var)) / len(h)
    return mean + jnp.exp(log_var / 2) * jax.random.normal(key, mean.shape), kl


def _squared_error(x, y):
    return jnp.mean(jnp.square(x - y))


def _crossentropy(x, logits):
    return jnp.mean(jnp.maximum(logits, 0) - x * logits + jnp.log1p(jnp.exp(-jnp.abs(logits))))


def _softmax_crossentropy(words, logits):
    onehot = jax.nn.one_hot(words, logits.shape[-1])
    return jnp.mean(jax.nn.logsumexp(logits, axis=-1) - jnp.sum(onehot * logits, axis=-1))


def _onehot_crossentropy(word, logits):
    # XLA fuses the one-hot vectors into the loss. That is faster than a scatter.
    return _crossentropy(jax.nn.one_hot(word[:, 0], logits.shape[1]), logits)


_ERRORS = {
    "binary_crossentropy": _crossentropy,
    "squared_error": _squared_error,
    "sparse_categorical_crossentropy": _softmax_crossentropy,
    "onehot_binary_crossentropy": _onehot_crossentropy,
}


def _dense(inputs: int, units: int, key):
    """Return a Glorot-uniform kernel and a zero bias, Keras's defaults."""
    limit = (6 / (inputs + units)) ** 0.5
    return jax.random.uniform(key, (inputs, units), minval=-limit, maxval=limit), jnp.zeros(units)


def _gru(inputs: int, units: int, key):
    """Return the parameters of a GRU in one direction, initialized by Keras's defaults."""
    kernel, _ = _dense(inputs, 3 * units, key)
    orthogonal = jax.nn.initializers.orthogonal()
    recurrent = orthogonal(jax.random.fold_in(key, 1), (units, 3 * units))
    return kernel, recurrent, jnp.zeros((2, 3 * units))


def _recur(directions, x):
    """Return the last states and all states of GRUs over x: one forwards, perhaps one backwards.

    Both run in one loop.
    """
    inputs = [jnp.swapaxes(x @ kernel + bias[0], 0, 1) for kernel, _, bias in directions]
    inputs[1:] = [a[::-1] for a in inputs[1:]]

    def step(states, inputs):
        states = [_gru_step(h, a, recurrent, bias[1])
                  for h, a, (_, recurrent, bias) in zip(states, inputs, directions)]
        return states, states

    start = [jnp.zeros((len(x), len(recurrent))) for _, recurrent, _ in directions]
    last, states = lax.scan(step, start, inputs)
    states[1:] = [h[::-1] for h in states[1:]]
    return jnp.concatenate(last, -1), jnp.swapaxes(jnp.concatenate(states, -1), 0, 1)


def _gru_step(h, a, recurrent, bias):
    """Return the next state of a GRU, by Keras's equations with reset_after."""
    q = h @ recurrent + bias
    a_z, a_r, a_c = jnp.split(a, 3, axis=1)
    q_z, q_r, q_c = jnp.split(q, 3, axis=1)
    z = jax.nn.sigmoid(a_z + q_z)
    return z * h + (1 - z) * jnp.tanh(a_c + jax.nn.sigmoid(a_r + q_r) * q_c)


def _convolution(convolve, config: dict, between, key):
    """Return the parameters of a convolutional layer, and the layer."""
    strides = tuple(config["strides"])
    padding = config["padding"].upper()
    activation = _activation(config["activation"])
    shape = *config["kernel_size"], *between
    limit = (6 / (shape[0] * shape[1] * sum(between))) ** 0.5
    kernel = jax.random.uniform(key, shape, minval=-limit, maxval=limit)
    parameters = kernel, jnp.zeros(config["filters"])
    return parameters, lambda p, x, *_: activation(convolve(x, p[0], strides, padding) + p[1])


def _convolve(x, kernel, strides, padding):
    axes = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=axes)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _convolve_transposed(x, kernel, strides, padding):
    """Return a transposed convolution: what a convolution does to gradients in its backward pass.

    Its own backward pass is written out below, as XLA needs five times as long for a step with the
    one that JAX derives.
    """
    size = transposed_size(x.shape[1:3], kernel.shape, strides, padding)
    image = jax.ShapeDtypeStruct((len(x), *size, kernel.shape[2]), x.dtype)
    return jax.linear_transpose(lambda y: _convolve(y, kernel, strides, padding), image)(x)[0]


def _forward(x, kernel, strides, padding):
    return _convolve_transposed(x, kernel, strides, padding), (x, kernel)


def _backward(strides, padding, kept, dy):
    x, kernel = kept
    dkernel, = jax.linear_transpose(lambda k: _convolve(dy, k, strides, padding), kernel)(x)
    return _convolve(dy, kernel, strides, padding), dkernel


_convolve_transposed.defvjp(_forward, _backward)


def _normalize(config: dict, p, x, key, moving):
    axes = tuple(range(x.ndim - 1))
    statistics = x.mean(axes), x.var(axes)
    momentum = config["momentum"]
    averages = moving.pop(0)
    moving.append([momentum * old + (1 - momentum) * now
                   for old, now in zip(averages, statistics)])
    mean, variance = statistics
    return (x - mean) * (p[0] * lax.rsqrt(variance + config["epsilon"])) + p[1]


def _dropout(keep, p, x, key, moving):
    return jnp.where(jax.random.bernoulli(key, keep, x.shape), x / keep, 0)


def _activation(name: str):
    kind, slope = split_activation(name)
    return lambda x: _ACTIVATIONS[kind](x, *slope)


def _chain(layers: list[dict], shape, key, averages: list, dtype=jnp.float32):
    """Return the layers' parameters, a function that runs them in order, and the output shape.

    The layers' moving averages are added to `averages`. The function takes each layer's averages
    from the front of such a list and appends the updated ones.
    """
    pairs = []
    x = jax.ShapeDtypeStruct((1, *shape), dtype)
    for i, config in enumerate(layers):
        parameters, layer = _layer(config, x.shape, jax.random.fold_in(key, i), averages)
        pairs.append((parameters, layer))
        x = jax.eval_shape(
            lambda p, x, key, layer=layer: layer(p, x, key, averages[-1:]), parameters, x, key)

    def run(parameters, x, key, moving):
        for i, (p, (_, layer)) in enumerate(zip(parameters, pairs)):
            x = layer(p, x, jax.random.fold_in(key, i), moving)
        return x

    return [p for p, _ in pairs], run, x.shape[1:]


def _layer(config: dict, shape, key, averages: list):
    """Return a layer's parameters, and its function of (parameters, input, key, averages)."""
    match config["class"]:
        case "Dense":
            activation = _activation(config["activation"])
            parameters = _dense(shape[-1], config["units"], key)
            return parameters, lambda p, x, *_: activation(x @ p[0] + p[1])
        case "OneHotDense":
            activation = _activation(config["activation"])
            parameters = _dense(config["depth"], config["units"], key)
            return parameters, lambda p, x, *_: activation(p[0][x[:, 0]] + p[1])
        case "Embedding" if not config["mask_zero"]:
            size = config["input_dim"], config["output_dim"]
            parameters = jax.random.uniform(key, size, minval=-0.05, maxval=0.05)
            return parameters, lambda p, x, *_: p[x]
        case "GRU":
            sequences = config["return_sequences"]
            parameters = [_gru(shape[-1], config["units"], key)]
            return parameters, lambda p, x, *_: _recur(p, x)[sequences]
        case "Bidirectional":
            gru = config["layer"]
            parameters = [_gru(shape[-1], gru["units"], k) for k in jax.random.split(key)]
            return parameters, lambda p, x, *_: _recur(p, x)[gru["return_sequences"]]
        case "RepeatVector":
            n = config["n"]
            return (), lambda p, x, *_: jnp.broadcast_to(x[:, None], (len(x), n, x.shape[1]))
        case "Conv2D":
            return _convolution(_convolve, config, (shape[-1], config["filters"]), key)
        case "Conv2DTranspose":
            return _convolution(_convolve_transposed, config, (config["filters"], shape[-1]), key)
        case "BatchNormalization":
            averages.append([jnp.zeros(shape[-1]), jnp.ones(shape[-1])])
            return (jnp.ones(shape[-1]), jnp.zeros(shape[-1])), partial(_normalize, config)
        case "Activation":
            activation = _activation(config["activation"])
            return (), lambda p, x, *_: activation(x)
        case "Flatten":
            return (), lambda p, x, *_: x.reshape(len(x), -1)
        case "Reshape":
            return (), lambda p, x, *_: x.reshape(len(x), *config["target_shape"])
        case "Dropout" if not config["rate"]:
            return (), lambda p, x, *_: x
        case "Dropout":
            keep = 1 - config["rate"]
            return (), partial(_dropout, keep)
        case name:
            raise ValueError(f"The JAX peer has no layer {name}.")
