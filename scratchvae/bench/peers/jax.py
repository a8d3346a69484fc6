"""The benchmark's VAE in JAX."""

from __future__ import annotations

import os

import jax
import jax.numpy as jnp
import numpy as np

from . import keras_update, without_sigmoid

_ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": jax.nn.relu,
    "leaky_relu": lambda x: jax.nn.leaky_relu(x, 0.2),  # Keras' slope
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
        parameters, loss = _loss(model, start)
        weights, tree = jax.tree.flatten(parameters)
        update, slots = keras_update(optimizer, jnp.sqrt, "JAX")

        def step(state, x):
            t, key, tensors = state
            t, (key, now) = t + 1, jax.random.split(key)
            gradients = jax.grad(lambda w: loss(tree.unflatten(w), x, now))([w for w, *_ in tensors])
            return t, key, [update(t, g, *tensor) for g, tensor in zip(gradients, tensors)]

        self._step = jax.jit(step, donate_argnums=0)
        self._state = jnp.zeros(()), key, [(w, *(jnp.zeros_like(w) for _ in range(slots))) for w in weights]

    def step(self, x: np.ndarray) -> None:
        self._state = self._step(self._state, x)

    def wait(self) -> None:
        jax.block_until_ready(self._state)


def _loss(model: dict, key):
    """The starting parameters, and a function from parameters, batch and key to the loss."""
    from_logits = model["reconstruction"] == "binary_crossentropy"
    error = _crossentropy if from_logits else lambda x, y: jnp.square(x - y)
    keys = jax.random.split(key, 4)
    encoder, encode, shape = _chain(model["encoder"], model["input_shape"], keys[0])
    heads = []
    if model["class"] == "VAE":
        heads = [_dense(shape[-1], model["latent_dim"], k) for k in keys[1:3]]
        shape = [model["latent_dim"]]
    layers = without_sigmoid(model["decoder"]) if from_logits else model["decoder"]
    decoder, decode, _ = _chain(layers, shape, keys[3])

    def loss(parameters, x, key):
        encoder, heads, decoder = parameters
        keys = jax.random.split(key, 3)
        h = encode(encoder, x, keys[0])
        z, kl = _sample(heads, h, keys[1]) if heads else (h, 0.0)
        return model["reconstruction_scale"] * jnp.mean(error(x, decode(decoder, z, keys[2]))) + kl

    return (encoder, heads, decoder), loss


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


def _chain(layers: list[dict], shape, key):
    """The layers' parameters, a function that runs all of them, and the shape that comes out of the last."""
    pairs, x = [], jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    for i, config in enumerate(layers):
        pairs.append(_layer(config, x.shape, jax.random.fold_in(key, i)))
        x = jax.eval_shape(pairs[-1][1], pairs[-1][0], x, key)

    def run(parameters, x, key):
        for i, (p, (_, layer)) in enumerate(zip(parameters, pairs)):
            x = layer(p, x, jax.random.fold_in(key, i))
        return x

    return [p for p, _ in pairs], run, x.shape[1:]


def _layer(config: dict, shape, key):
    """A layer's parameters, and its function of them, the input and a key."""
    match config["class"]:
        case "Dense":
            activation = _ACTIVATIONS[config["activation"]]
            return _dense(shape[-1], config["units"], key), lambda p, x, key: activation(x @ p[0] + p[1])
        case "Activation":
            return (), lambda p, x, key: _ACTIVATIONS[config["activation"]](x)
        case "Flatten":
            return (), lambda p, x, key: x.reshape(len(x), -1)
        case "Reshape":
            return (), lambda p, x, key: x.reshape(len(x), *config["target_shape"])
        case "Dropout":
            keep = 1 - config["rate"]
            return (), lambda p, x, key: jnp.where(jax.random.bernoulli(key, keep, x.shape), x / keep, 0)
        case name:
            raise ValueError(f"JAX's peer has no layer {name}")
