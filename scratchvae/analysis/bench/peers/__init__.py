"""The peers of the benchmark: the same VAE, built and trained as fast as another framework honestly can on a CPU.

Each module here is named after its framework, is imported only in a process of its own, and has one public thing:

    Trainer(model, optimizer, batch_size, threads)    built from two configs and ready to train; also takes `variants`
        .launches                                     of kernels on a device, so far, or None where nobody counts them
        .version                                      such as "PyTorch 2.13.0"
        .put(x)                                       a NumPy batch, float32 or words, where the framework computes
        .step(x)                                      asks for one training step on such a batch
        .wait()                                       returns when every step asked for has finished

No peer copies a batch, so its array has to be writable and stay as it is until `wait` returns. The first steps
compile, so leave them out of any timing.
"""

from __future__ import annotations

from functools import partial

PEERS = {"torch": "PyTorch", "tensorflow": "TensorFlow", "jax": "JAX"}
_CLOSING = {
    "binary_crossentropy": "sigmoid",
    "onehot_binary_crossentropy": "sigmoid",
    "sparse_categorical_crossentropy": "softmax",
}


def variants(name: str, model: dict, backend: str = "cpu") -> list[dict]:
    """The keyword arguments of a Trainer, one dict for each way in which people train such a model with it.

    No peer has a TextVAE.
    """
    if model["class"] == "TextVAE" and name in PEERS:
        return []
    if backend != "cpu":
        return [{"backend": backend}]
    return [{}, {"channels_last": True}] if name == "torch" and has_convolutions(model) else [{}]


def has_convolutions(model: dict) -> bool:
    """Whether the speed of convolutions is what decides."""
    return any(layer["class"].startswith("Conv2D") for layer in [*model["encoder"], *model["decoder"]])


def has_recurrence(model: dict) -> bool:
    """Whether there are steps that have to wait for one another."""
    return any(layer["class"] in ("GRU", "Bidirectional") for layer in [*model["encoder"], *model["decoder"]])


def reads_words(model: dict) -> bool:
    """Whether a batch is int32, the indices of words."""
    return model["encoder"][0]["class"] in ("Embedding", "OneHotDense")


def split_activation(name: str) -> tuple[str, list[float]]:
    """The activation's own name and its parameters: "leaky_relu(0.3)" has its slope, "leaky_relu" that of Keras."""
    kind, bracket, slope = name.rstrip(")").partition("(")
    return kind, [float(slope)] if bracket else [0.2] if kind == "leaky_relu" else []


def transposed_size(size, kernel, strides, padding: str) -> list[int]:
    """Height and width of what a Conv2DTranspose makes of an image."""
    return [n * s if padding == "SAME" else (n - 1) * s + max(k, s) for n, k, s in zip(size, kernel, strides)]


def decoder_layers(model: dict) -> list[dict]:
    """The decoder without the activation that belongs to the loss: every peer's cross-entropies start from logits."""
    layers, closing = model["decoder"], _CLOSING.get(model["reconstruction"])
    if closing is None:
        return layers
    last = max((i for i, layer in enumerate(layers) if "activation" in layer), default=None)
    if last is None or layers[last]["activation"] != closing:
        raise ValueError(f"{model['reconstruction']} needs a decoder that ends in a {closing}")
    return [*layers[:last], {**layers[last], "activation": "linear"}, *layers[last + 1 :]]


def keras_update(config: dict, sqrt, name: str):
    """Keras' update, for the frameworks that do best with it written out and compiled into the step.

    Returns a function (t, gradient, weight, *slots) -> (weight, *slots), and how many slots it has. Slots start at
    zero and t, the number of the step, at one.
    """
    lr = config["learning_rate"]
    match config["class"]:
        case "RMSprop":
            return partial(_rmsprop, sqrt, lr, config["rho"], config["epsilon"]), 1
        case "Adam":
            return partial(_adam, sqrt, lr, config["beta_1"], config["beta_2"], config["epsilon"]), 2
        case "SGD" if config["momentum"]:
            return partial(_momentum, lr, config["momentum"]), 1
        case "SGD":
            return lambda t, g, w: (w - lr * g,), 0
        case unknown:
            raise ValueError(f"{name}'s peer has no optimizer {unknown}")


def _rmsprop(sqrt, lr, rho, epsilon, t, g, w, v):
    v = rho * v + (1 - rho) * g * g
    return w - lr * g / sqrt(v + epsilon), v


def _adam(sqrt, lr, beta_1, beta_2, epsilon, t, g, w, m, v):
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g * g
    rate = lr * sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - rate * m / (sqrt(v) + epsilon), m, v


def _momentum(lr, momentum, t, g, w, m):
    m = momentum * m - lr * g
    return w + m, m
