"""The benchmark's VAE in JAX."""

from __future__ import annotations

import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from . import keras_update, split_activation, transposed_size, without_sigmoid

_ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "softmax": jax.nn.softmax,
}


class Trainer:
    """Times one jitted, pure function from a state and a batch to the next state, the old state donated to it.

    Losses and updates are written out, as JAX itself has none. Steps are only asked for: `wait` sees them done.
    """

    def __init__(self, model: dict, optimizer: dict, batch_size: int, threads: int):
        # JAX has no setting for XLA's threads: it starts one for each core that the process may run on, at the first
        # array it makes. So the cores are what to limit, and nothing above this line may make an array.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        self.version = f"JAX {jax.__version__}"
        start, key = jax.random.split(jax.random.key(0))
        parameters, loss, moving = _loss(model, start)
        weights, tree = jax.tree.flatten(parameters)
        update, slots = keras_update(optimizer, jnp.sqrt, "JAX")

        def step(state, x):
            t, key, tensors, moving = state
            t, (key, now) = t + 1, jax.random.split(key)
            gradient = jax.grad(lambda w: loss(tree.unflatten(w), x, now, moving), has_aux=True)
            gradients, moving = gradient([w for w, *_ in tensors])
            return t, key, [update(t, g, *tensor) for g, tensor in zip(gradients, tensors)], moving

        self._step = jax.jit(step, donate_argnums=0)
        self._state = jnp.zeros(()), key, [(w, *(jnp.zeros_like(w) for _ in range(slots))) for w in weights], moving

    def step(self, x: np.ndarray) -> None:
        self._state = self._step(self._state, x)

    def wait(self) -> None:
        jax.block_until_ready(self._state)


def _loss(model: dict, key):
    """The starting parameters, a function from parameters, batch, key and moving averages to the loss and the next
    moving averages, and their start."""
    from_logits = model["reconstruction"] == "binary_crossentropy"
    error = _crossentropy if from_logits else lambda x, y: jnp.square(x - y)
    keys, averages = jax.random.split(key, 4), []
    encoder, encode, shape = _chain(model["encoder"], model["input_shape"], keys[0], averages)
    heads = []
    if model["class"] == "VAE":
        heads = [_dense(shape[-1], model["latent_dim"], k) for k in keys[1:3]]
        shape = [model["latent_dim"]]
    layers = without_sigmoid(model["decoder"]) if from_logits else model["decoder"]
    decoder, decode, _ = _chain(layers, shape, keys[3], averages)

    def loss(parameters, x, key, moving):
        encoder, heads, decoder = parameters
        keys, moving = jax.random.split(key, 3), list(moving)
        h = encode(encoder, x, keys[0], moving)
        z, kl = _sample(heads, h, keys[1]) if heads else (h, 0.0)
        return model["reconstruction_scale"] * jnp.mean(error(x, decode(decoder, z, keys[2], moving))) + kl, moving

    return (encoder, heads, decoder), loss, averages


def _sample(heads, h, key):
    mean, log_var = (h @ kernel + bias for kernel, bias in heads)
    kl = -0.5 * jnp.sum(1 + log_var - jnp.square(mean) - jnp.exp(log_var)) / len(h)
    return mean + jnp.exp(log_var / 2) * jax.random.normal(key, mean.shape), kl


def _crossentropy(x, logits):
    return jnp.maximum(logits, 0) - x * logits + jnp.log1p(jnp.exp(-jnp.abs(logits)))


def _dense(inputs: int, units: int, key):
    """Keras' defaults: a Glorot-uniform kernel and a zero bias."""
    limit = (6 / (inputs + units)) ** 0.5
    return jax.random.uniform(key, (inputs, units), minval=-limit, maxval=limit), jnp.zeros(units)


def _convolution(convolve, config: dict, between, key):
    strides, padding, activation = tuple(config["strides"]), config["padding"].upper(), _activation(config["activation"])
    shape = *config["kernel_size"], *between
    limit = (6 / (shape[0] * shape[1] * sum(between))) ** 0.5
    parameters = jax.random.uniform(key, shape, minval=-limit, maxval=limit), jnp.zeros(config["filters"])
    return parameters, lambda p, x, *_: activation(convolve(x, p[0], strides, padding) + p[1])


def _convolve(x, kernel, strides, padding):
    return lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _convolve_transposed(x, kernel, strides, padding):
    """What a convolution does to gradients. By JAX's own backward pass of it, a step takes XLA five times as long."""
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
    moving.append([momentum * old + (1 - momentum) * now for old, now in zip(moving.pop(0), statistics)])
    mean, variance = statistics
    return (x - mean) * (p[0] * lax.rsqrt(variance + config["epsilon"])) + p[1]


def _activation(name: str):
    kind, slope = split_activation(name)
    return lambda x: _ACTIVATIONS[kind](x, *slope)


def _chain(layers: list[dict], shape, key, averages: list):
    """The layers' parameters, a function that runs all of them, and the shape that comes out of the last.

    The layers' moving averages are added to `averages`. A run takes each from the front of such a list and puts it
    back, updated, at the end.
    """
    pairs, x = [], jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    for i, config in enumerate(layers):
        parameters, layer = _layer(config, x.shape, jax.random.fold_in(key, i), averages)
        pairs.append((parameters, layer))
        x = jax.eval_shape(lambda p, x, key: layer(p, x, key, averages[-1:]), parameters, x, key)

    def run(parameters, x, key, moving):
        for i, (p, (_, layer)) in enumerate(zip(parameters, pairs)):
            x = layer(p, x, jax.random.fold_in(key, i), moving)
        return x

    return [p for p, _ in pairs], run, x.shape[1:]


def _layer(config: dict, shape, key, averages: list):
    """A layer's parameters, and its function of them, the input, a key and the moving averages."""
    match config["class"]:
        case "Dense":
            activation = _activation(config["activation"])
            return _dense(shape[-1], config["units"], key), lambda p, x, *_: activation(x @ p[0] + p[1])
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
            return (), lambda p, x, key, _: jnp.where(jax.random.bernoulli(key, keep, x.shape), x / keep, 0)
        case name:
            raise ValueError(f"JAX's peer has no layer {name}")
