"""The benchmark's VAE in TensorFlow."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from . import keras_update, without_sigmoid

_ACTIVATIONS = {
    "linear": tf.identity,
    "relu": tf.nn.relu,
    "leaky_relu": lambda x: tf.nn.leaky_relu(x, 0.2),  # Keras' slope
    "sigmoid": tf.nn.sigmoid,
    "tanh": tf.nn.tanh,
    "softmax": tf.nn.softmax,
}


class Trainer:
    """Times one tf.function that does the whole training step on plain variables, compiled by XLA, without Keras.

    The update is written out, as XLA then fuses it and beats TensorFlow's own update kernels. The batch is handed
    over as it lies in memory, which asks for an array that may be written to.
    """

    def __init__(self, model: dict, optimizer: dict, batch_size: int, threads: int):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)  # the whole step is one operation
        self.version = f"TensorFlow {tf.__version__}"
        loss = _Loss(model)
        update, slots = keras_update(optimizer, tf.sqrt, "TensorFlow")
        weights = loss.trainable_variables
        tensors = [(w, *(tf.Variable(tf.zeros_like(w)) for _ in range(slots))) for w in weights]
        t = tf.Variable(0.0)

        @tf.function(input_signature=[tf.TensorSpec((batch_size, *model["input_shape"]))], jit_compile=True)
        def step(x):
            with tf.GradientTape() as tape:
                value = loss(x)
            t.assign_add(1.0)
            for gradient, tensor in zip(tape.gradient(value, weights), tensors):
                for variable, new in zip(tensor, update(t, gradient, *tensor)):
                    variable.assign(new)

        self._variables = t, tensors  # the step itself keeps none of them alive
        self._step = step.get_concrete_function()  # leaves out the search for the right trace at every call

    def step(self, x: np.ndarray) -> None:
        self._step(tf.experimental.dlpack.from_dlpack(x.__dlpack__()))

    def wait(self) -> None:
        """Nothing to wait for: on a CPU, TensorFlow has finished when it returns."""


class _Loss(tf.Module):
    """The model and its loss as one module: a batch in, a scalar out."""

    def __init__(self, model: dict):
        super().__init__()
        from_logits = model["reconstruction"] == "binary_crossentropy"
        self.error = tf.nn.sigmoid_cross_entropy_with_logits if from_logits else tf.math.squared_difference
        self.scale = model["reconstruction_scale"]
        self.encoder, shape = _chain(model["encoder"], model["input_shape"])
        self.heads = []
        if model["class"] == "VAE":
            self.heads = [_Dense(shape[-1], model["latent_dim"], "linear") for _ in range(2)]
            shape = [model["latent_dim"]]
        self.decoder, _ = _chain(without_sigmoid(model["decoder"]) if from_logits else model["decoder"], shape)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        h = _apply(self.encoder, x)
        z, kl = self._sample(h) if self.heads else (h, 0.0)
        return self.scale * tf.reduce_mean(self.error(x, _apply(self.decoder, z))) + kl

    def _sample(self, h: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, log_var = (head(h) for head in self.heads)
        kl = -0.5 * tf.reduce_sum(1 + log_var - tf.square(mean) - tf.exp(log_var)) / len(h)
        return mean + tf.exp(log_var / 2) * tf.random.normal(mean.shape), kl


class _Dense(tf.Module):
    """With Keras' defaults: a Glorot-uniform kernel and a zero bias."""

    def __init__(self, inputs: int, units: int, activation: str):
        super().__init__()
        limit = (6 / (inputs + units)) ** 0.5
        self.kernel = tf.Variable(tf.random.uniform((inputs, units), -limit, limit))
        self.bias = tf.Variable(tf.zeros(units))
        self.activation = _ACTIVATIONS[activation]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.activation(tf.matmul(x, self.kernel) + self.bias)


def _chain(layers: list[dict], shape) -> tuple[list, list[int]]:
    """The layers as callables, and the shape that comes out of the last."""
    chain, x = [], tf.zeros((1, *shape))
    for config in layers:
        chain.append(_layer(config, x.shape))
        x = chain[-1](x)
    return chain, x.shape[1:]


def _apply(chain: list, x: tf.Tensor) -> tf.Tensor:
    for layer in chain:
        x = layer(x)
    return x


def _layer(config: dict, shape):
    match config["class"]:
        case "Dense":
            return _Dense(shape[-1], config["units"], config["activation"])
        case "Activation":
            return _ACTIVATIONS[config["activation"]]
        case "Flatten":
            return lambda x: tf.reshape(x, (len(x), -1))
        case "Reshape":
            return lambda x: tf.reshape(x, (len(x), *config["target_shape"]))
        case "Dropout":
            return lambda x: tf.nn.dropout(x, config["rate"])
        case name:
            raise ValueError(f"TensorFlow's peer has no layer {name}")
