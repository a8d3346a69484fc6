"""The peers of the benchmark: the same models in other frameworks, trained as fast as they can.

Each module is named after its framework and is imported only in its own process. It has one public
class:

    Trainer(model, optimizer, batch_size, threads)
        Build the model and the optimizer from their configs, ready to train. The keyword arguments
        that `variants` returns choose another way to train.
    Trainer.version
        The name and version of the framework, such as "PyTorch 2.13.0".
    Trainer.launches
        The number of kernel launches on a device so far, or None if they are not counted.
    Trainer.put(x)
        Return a NumPy batch, float32 or word indices, where the framework computes.
    Trainer.step(x)
        Start one training step on such a batch.
    Trainer.wait()
        Return when all steps have finished.

A batch may be used without a copy: its array must be writable, and must not change before `wait`
returns. The first steps compile, so do not time them.
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
    """Return the keyword arguments of a Trainer, one dict for each usual way to train such a model.

    Parameters
    ----------
    name : str
        The framework.
    model : dict
        The config of the model.
    backend : {"cpu", "cuda"}, default "cpu"

    Returns
    -------
    list of dict
        Empty for a TextVAE and for the loss of tables, which no peer implements.
    """
    alone = model["class"] == "TextVAE" or model["reconstruction"].startswith("table")
    if alone and name in PEERS:
        return []
    if backend != "cpu":
        return [{"backend": backend}]
    if name == "torch" and has_convolutions(model):
        return [{}, {"channels_last": True}]
    return [{}]


def has_convolutions(model: dict) -> bool:
    """Return whether a model has convolutions: their speed then decides that of a step."""
    layers = [*model["encoder"], *model["decoder"]]
    return any(layer["class"].startswith("Conv2D") for layer in layers)


def has_recurrence(model: dict) -> bool:
    """Return whether a model has recurrent layers, whose time steps can't run in parallel."""
    layers = [*model["encoder"], *model["decoder"]]
    return any(layer["class"] in ("GRU", "Bidirectional") for layer in layers)


def reads_words(model: dict) -> bool:
    """Return whether a batch holds word indices (int32)."""
    return model["encoder"][0]["class"] in ("Embedding", "OneHotDense")


def split_activation(name: str) -> tuple[str, list[float]]:
    """Return the name of an activation and its parameters: "leaky_relu(0.3)" has the slope 0.3.

    The slope of "leaky_relu" without parameters is Keras's default, 0.2.
    """
    kind, bracket, slope = name.rstrip(")").partition("(")
    if bracket:
        return kind, [float(slope)]
    if kind == "leaky_relu":
        return kind, [0.2]
    return kind, []


def transposed_size(size, kernel, strides, padding: str) -> list[int]:
    """Return the height and width of the output of a Conv2DTranspose.

    Parameters
    ----------
    size, kernel, strides : sequence of int
        Height and width of the input, of the kernel, and of the strides.
    padding : {"SAME", "VALID"}

    Returns
    -------
    list of int
    """
    if padding == "SAME":
        return [n * s for n, s in zip(size, strides)]
    return [(n - 1) * s + max(k, s) for n, k, s in zip(size, kernel, strides)]


def decoder_layers(model: dict) -> list[dict]:
    """Return the decoder's layers without the activation that belongs to the loss.

    The cross-entropies of all peers are computed from logits.
    """
    layers = model["decoder"]
    closing = _CLOSING.get(model["reconstruction"])
    if closing is None:
        return layers
    last = max((i for i, layer in enumerate(layers) if "activation" in layer), default=None)
    if last is None or layers[last]["activation"] != closing:
        raise ValueError(f"{model['reconstruction']} needs a decoder that ends in a {closing}.")
    return [*layers[:last], {**layers[last], "activation": "linear"}, *layers[last + 1 :]]


def keras_update(config: dict, sqrt, name: str):
    """Return Keras's update, for frameworks that are fastest if it is compiled into the step.

    Parameters
    ----------
    config : dict
        The config of the optimizer.
    sqrt : callable
        The framework's square root.
    name : str
        The framework, for error messages.

    Returns
    -------
    update : callable
        A function (t, gradient, weight, *slots) -> (weight, *slots). t is the number of the step,
        from 1; slots start at zero.
    slots : int
        How many slots a weight has.

    Raises
    ------
    ValueError
        If the optimizer is unknown.
    """
    lr = config["learning_rate"]
    match config["class"]:
        case "RMSprop":
            return partial(_rmsprop, sqrt, lr, config["rho"], config["epsilon"]), 1
        case "Adam":
            betas = config["beta_1"], config["beta_2"]
            return partial(_adam, sqrt, lr, *betas, config["epsilon"]), 2
        case "SGD" if config["momentum"]:
            return partial(_momentum, lr, config["momentum"]), 1
        case "SGD":
            return lambda t, g, w: (w - lr * g,), 0
        case unknown:
            raise ValueError(f"The {name} peer has no optimizer {unknown}.")


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
