"""The benchmark's VAE in TensorFlow."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from . import (
    decoder_layers,
    has_convolutions,
    keras_update,
    reads_words,
    split_activation,
    transposed_size,
)

_ACTIVATIONS = {
    "linear": tf.identity,
    "relu": tf.nn.relu,
    "leaky_relu": tf.nn.leaky_relu,
    "sigmoid": tf.nn.sigmoid,
    "tanh": tf.nn.tanh,
    "softmax": tf.nn.softmax,
}


class Trainer:
    """Train with one tf.function that does the whole step on plain variables, without Keras.

    XLA compiles the step. With convolutions it compiles only the update: plain graphs have oneDNN's
    convolutions, with which a step takes 20 to 30% less time than with XLA's (about the same time
    for batches of ten). The update is written out: XLA then fuses it, which is faster than
    TensorFlow's own update kernels. XLA reads a batch without a copy, and therefore needs a
    writable array.

    Parameters
    ----------
    model, optimizer : dict
        Their configs.
    batch_size : int
        The examples in every batch.
    threads : int
        How many threads an operation uses.
    """

    def __init__(self, model: dict, optimizer: dict, batch_size: int, threads: int):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        # The step is one operation, or a chain of operations each of which is parallel.
        tf.config.threading.set_inter_op_parallelism_threads(1)
        xla = not has_convolutions(model)
        dtype = tf.int32 if reads_words(model) else tf.float32
        self.version = f"TensorFlow {tf.__version__}"
        loss = _Loss(model)
        update, slots = keras_update(optimizer, tf.sqrt, "TensorFlow")
        weights = loss.trainable_variables
        tensors = [(w, *(tf.Variable(tf.zeros_like(w)) for _ in range(slots))) for w in weights]
        t = tf.Variable(0.0)

        @tf.function(jit_compile=True)
        def apply(gradients):
            t.assign_add(1.0)
            for gradient, tensor in zip(gradients, tensors):
                for variable, new in zip(tensor, update(t, gradient, *tensor)):
                    variable.assign(new)

        batch = tf.TensorSpec((batch_size, *model["input_shape"]), dtype)

        @tf.function(input_signature=[batch], jit_compile=xla)
        def step(x):
            with tf.GradientTape() as tape:
                value = loss(x)
            gradients = tape.gradient(value, weights)
            apply([tf.convert_to_tensor(gradient) for gradient in gradients])

        self._variables = t, loss, tensors  # the step does not keep them alive
        # oneDNN and Eigen need an aligned copy of a batch.
        self._tensor = _share if xla else tf.convert_to_tensor
        self._step = step.get_concrete_function()  # avoids the search for a trace at every call

    launches = None

    def put(self, x: np.ndarray) -> np.ndarray:
        return x

    def step(self, x: np.ndarray) -> None:
        self._step(self._tensor(x))

    def wait(self) -> None:
        """Do nothing: on a CPU, TensorFlow has finished a step when the call returns."""


def _share(x: np.ndarray) -> tf.Tensor:
    return tf.experimental.dlpack.from_dlpack(x.__dlpack__())


class _Loss(tf.Module):
    """The model and its loss as one module, which maps a batch to a scalar."""

    def __init__(self, model: dict):
        super().__init__()
        self.error = _ERRORS[model["reconstruction"]]
        self.scale = model["reconstruction_scale"]
        dtype = tf.int32 if reads_words(model) else tf.float32
        self.encoder, shape = _chain(model["encoder"], model["input_shape"], dtype)
        self.heads = []
        if model["class"] == "VAE":
            self.heads = [_Dense(shape[-1], model["latent_dim"], "linear") for _ in range(2)]
            shape = [model["latent_dim"]]
        self.decoder, _ = _chain(decoder_layers(model), shape)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        h = _apply(self.encoder, x)
        z, kl = self._sample(h) if self.heads else (h, 0.0)
        output = _apply(self.decoder, z)
        return self.scale * tf.reduce_mean(self.error(x, output)) + kl

    def _sample(self, h: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, log_var = (head(h) for head in self.heads)
        kl = -0.5 * tf.reduce_sum(1 + log_var - tf.square(mean) - tf.exp(log_var)) / len(h)
        return mean + tf.exp(log_var / 2) * tf.random.normal(mean.shape), kl


def _onehot_crossentropy(word: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    onehot = tf.one_hot(word[:, 0], logits.shape[1])  # XLA fuses it into the loss
    return tf.nn.sigmoid_cross_entropy_with_logits(onehot, logits)


_ERRORS = {
    "binary_crossentropy": tf.nn.sigmoid_cross_entropy_with_logits,
    "squared_error": tf.math.squared_difference,
    "sparse_categorical_crossentropy": tf.nn.sparse_softmax_cross_entropy_with_logits,
    "onehot_binary_crossentropy": _onehot_crossentropy,
}


class _Dense(tf.Module):
    """A dense layer with Keras's defaults: a Glorot-uniform kernel and a zero bias."""

    def __init__(self, inputs: int, units: int, activation: str):
        super().__init__()
        limit = (6 / (inputs + units)) ** 0.5
        self.kernel = tf.Variable(tf.random.uniform((inputs, units), -limit, limit))
        self.bias = tf.Variable(tf.zeros(units))
        self.activation = _activation(activation)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.activation(_product(x, self.kernel) + self.bias)


class _OneHotDense(_Dense):
    """A dense layer of one-hot vectors: their products with the kernel are its rows."""

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.activation(tf.gather(self.kernel, x[:, 0]) + self.bias)


class _Embedding(tf.Module):
    def __init__(self, words: int, size: int):
        super().__init__()
        self.embeddings = tf.Variable(tf.random.uniform((words, size), -0.05, 0.05))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.embeddings, x)


class _GRU(tf.Module):
    """A GRU with Keras's defaults and its equations with reset_after."""

    def __init__(self, config: dict, inputs: int, backwards: bool = False):
        super().__init__()
        units = config["units"]
        limit = (6 / (inputs + 3 * units)) ** 0.5
        self.kernel = tf.Variable(tf.random.uniform((inputs, 3 * units), -limit, limit))
        self.recurrent = tf.Variable(tf.compat.v1.orthogonal_initializer()((units, 3 * units)))
        self.bias = tf.Variable(tf.zeros((2, 3 * units)))
        self.sequences = config["return_sequences"]
        self.backwards = backwards

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        inputs = tf.transpose(_product(x, self.kernel) + self.bias[0], (1, 0, 2))
        start = tf.zeros((x.shape[0], self.recurrent.shape[0]))
        states = tf.scan(self._step, inputs, start, reverse=self.backwards)
        last = 0 if self.backwards else -1
        return tf.transpose(states, (1, 0, 2)) if self.sequences else states[last]

    def _step(self, h: tf.Tensor, a: tf.Tensor) -> tf.Tensor:
        q = tf.matmul(h, self.recurrent) + self.bias[1]
        a_z, a_r, a_c = tf.split(a, 3, 1)
        q_z, q_r, q_c = tf.split(q, 3, 1)
        z = tf.sigmoid(a_z + q_z)
        return z * h + (1 - z) * tf.tanh(a_c + tf.sigmoid(a_r + q_r) * q_c)


class _Bidirectional(tf.Module):
    def __init__(self, config: dict, inputs: int):
        super().__init__()
        self.directions = [_GRU(config, inputs), _GRU(config, inputs, backwards=True)]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.concat([direction(x) for direction in self.directions], -1)


def _product(x: tf.Tensor, kernel: tf.Variable) -> tf.Tensor:
    """Return x times a kernel; the time steps of x, if it has any, are treated as batch axes."""
    rows = tf.reshape(x, (-1, x.shape[-1]))
    return tf.reshape(tf.matmul(rows, kernel), (*x.shape[:-1], kernel.shape[1]))


class _Convolution(tf.Module):
    def __init__(self, config: dict, channels: int):
        super().__init__()
        shape = *config["kernel_size"], *self._between(channels, config["filters"])
        limit = (6 / (shape[0] * shape[1] * (shape[2] + shape[3]))) ** 0.5
        self.kernel = tf.Variable(tf.random.uniform(shape, -limit, limit))
        self.bias = tf.Variable(tf.zeros(config["filters"]))
        self.strides = config["strides"]
        self.padding = config["padding"].upper()
        self.activation = _activation(config["activation"])

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.activation(tf.nn.bias_add(self._convolve(x), self.bias))

    def _between(self, channels: int, filters: int) -> tuple[int, int]:
        return channels, filters

    def _convolve(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(x, self.kernel, self.strides, self.padding)


class _Transposed(_Convolution):
    def _between(self, channels: int, filters: int) -> tuple[int, int]:
        return filters, channels

    def _convolve(self, x: tf.Tensor) -> tf.Tensor:
        size = transposed_size(x.shape[1:3], self.kernel.shape, self.strides, self.padding)
        shape = len(x), *size, self.kernel.shape[2]
        return tf.nn.conv2d_transpose(x, self.kernel, shape, self.strides, self.padding)


class _BatchNormalization(tf.Module):
    def __init__(self, config: dict, channels: int):
        super().__init__()
        self.gamma = tf.Variable(tf.ones(channels))
        self.beta = tf.Variable(tf.zeros(channels))
        self.moving = [
            tf.Variable(tf.zeros(channels), trainable=False),
            tf.Variable(tf.ones(channels), trainable=False),
        ]
        self.momentum = config["momentum"]
        self.epsilon = config["epsilon"]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        if len(x.shape) == 4:
            y, *statistics = tf.compat.v1.nn.fused_batch_norm(
                x, self.gamma, self.beta, epsilon=self.epsilon)
        else:
            statistics = tf.nn.moments(x, 0)
            y = tf.nn.batch_normalization(x, *statistics, self.beta, self.gamma, self.epsilon)
        for moving, now in zip(self.moving, statistics):
            moving.assign(self.momentum * moving + (1 - self.momentum) * now)
        return y


def _activation(name: str):
    kind, slope = split_activation(name)
    return lambda x: _ACTIVATIONS[kind](x, *slope)


def _chain(layers: list[dict], shape, dtype=tf.float32) -> tuple[list, list[int]]:
    """Return the layers as callables, and the output shape of the last."""
    chain = []
    x = tf.zeros((1, *shape), dtype)
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
        case "OneHotDense":
            return _OneHotDense(config["depth"], config["units"], config["activation"])
        case "Embedding" if not config["mask_zero"]:
            return _Embedding(config["input_dim"], config["output_dim"])
        case "GRU":
            return _GRU(config, shape[-1])
        case "Bidirectional":
            return _Bidirectional(config["layer"], shape[-1])
        case "RepeatVector":
            return lambda x: tf.repeat(x[:, tf.newaxis], config["n"], 1)
        case "Conv2D":
            return _Convolution(config, shape[-1])
        case "Conv2DTranspose":
            return _Transposed(config, shape[-1])
        case "BatchNormalization":
            return _BatchNormalization(config, shape[-1])
        case "Activation":
            return _activation(config["activation"])
        case "Flatten":
            return lambda x: tf.reshape(x, (len(x), -1))
        case "Reshape":
            return lambda x: tf.reshape(x, (len(x), *config["target_shape"]))
        case "Dropout":
            return lambda x: tf.nn.dropout(x, config["rate"])
        case name:
            raise ValueError(f"The TensorFlow peer has no layer {name}.")
