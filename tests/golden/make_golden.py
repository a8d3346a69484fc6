"""Makes golden.npz: what Keras 3 on JAX, in float64, computes for small random inputs.  Needs keras and jax; the tests do not.

    KERAS_BACKEND=jax python tests/golden/make_golden.py
"""
from pathlib import Path

import jax
import keras
import numpy as np

jax.config.update("jax_enable_x64", True)
FLOAT64 = {"dtype": "float64"}
rng = np.random.default_rng(20)
golden = {}

# Keras's own tanh, and its means and sums, return float32 here: JAX's stand in for them.
ACTIVATIONS = {"linear": "linear", "relu": "relu", "leaky_relu": "leaky_relu", "sigmoid": "sigmoid", "tanh": jax.numpy.tanh,
               "softmax": "softmax", "leaky_relu(0.3)": keras.layers.LeakyReLU(negative_slope=0.3, **FLOAT64)}


def dense():
    """A dense layer of each activation, forward, and backward from a random dout."""
    for name, activation in ACTIVATIONS.items():
        layer = keras.layers.Dense(17, activation=activation, **FLOAT64)
        x, dout = rng.standard_normal((5, 19)), rng.standard_normal((5, 17))
        layer.build(x.shape)
        weights = [0.5 * rng.standard_normal(w.shape) for w in layer.get_weights()]
        forward = lambda weights, x: layer.stateless_call(weights, [], x)[0]
        y, backward = jax.vjp(forward, weights, x)
        (dkernel, dbias), dx = backward(dout)
        record(f"dense/{name}", x=x, dout=dout, kernel=weights[0], bias=weights[1], y=y, dx=dx, dkernel=dkernel, dbias=dbias)


def losses():
    """Reconstruction losses of each example, and the gradient of their mean over the batch, from the logits."""
    logits, target = 6 * rng.standard_normal((5, 23)), rng.random((5, 23))
    target[:, :6] = [0, 1, 0, 1, 0, 1]
    logits[:, 6:10] = [90, -90, 40, -40]
    functions = {
        "binary_crossentropy/sigmoid": lambda l: keras.ops.binary_crossentropy(target, l, from_logits=True).mean(axis=1),
        "squared_error/sigmoid": lambda l: jax.numpy.square(target - jax.nn.sigmoid(l)).mean(axis=1),
        "squared_error/linear": lambda l: jax.numpy.square(target - l).mean(axis=1)}
    for name, function in functions.items():
        record(f"loss/{name}", logits=logits, target=target, loss=784 * function(logits),
               dlogits=jax.grad(lambda l: (784 * function(l)).mean())(logits))


def vae():
    """The whole loss of a small VAE with given noise, and the gradient of every weight."""
    layers = [keras.layers.Dense(units, activation=activation, **FLOAT64) for units, activation in
              ((7, "relu"), (3, None), (3, None), (6, "relu"), (12, "sigmoid"))]
    for layer, inputs in zip(layers, (12, 7, 7, 3, 6)):
        layer.build((None, inputs))
    weights = [[0.6 * rng.standard_normal(w.shape) for w in layer.get_weights()] for layer in layers]
    x, eps = rng.random((4, 12)), rng.standard_normal((4, 3))

    def loss(weights):
        call = lambda i, x: layers[i].stateless_call(weights[i], [], x)[0]
        h = call(0, x)
        z_mean, z_log_var = call(1, h), call(2, h)
        z = z_mean + jax.numpy.exp(0.5 * z_log_var) * eps
        reconstruction = 784 * keras.ops.binary_crossentropy(x, call(4, call(3, z))).mean(axis=1)
        kl = -0.5 * jax.numpy.sum(1 + z_log_var - jax.numpy.square(z_mean) - jax.numpy.exp(z_log_var), axis=-1)
        return jax.numpy.mean(reconstruction + 0.7 * kl), (reconstruction, kl)

    (_, (reconstruction, kl)), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
    record("vae", x=x, eps=eps, reconstruction=reconstruction, kl=kl,
           **{f"weight_{i}": w for i, w in enumerate(sum(weights, []))}, **{f"gradient_{i}": g for i, g in enumerate(sum(gradients, []))})


def optimizers():
    """Five updates of each optimizer, with gradients that span many magnitudes."""
    for name, optimizer in {"Adam": keras.optimizers.Adam(0.01), "RMSprop": keras.optimizers.RMSprop(0.01),
                            "SGD": keras.optimizers.SGD(0.1), "SGD momentum": keras.optimizers.SGD(0.1, momentum=0.8)}.items():
        start = rng.standard_normal(11)
        gradients = rng.standard_normal((5, 11)) * 10.0 ** np.arange(-8, 3)
        variable = keras.Variable(start, **FLOAT64)
        optimizer.build([variable])
        after = []
        for gradient in gradients:
            optimizer.apply([gradient])
            after.append(np.array(variable))
        record(f"optimizer/{name}", start=start, gradients=gradients, after=np.array(after))


def record(group, **arrays):
    """Keep the arrays under group/name."""
    golden.update({f"{group}/{name}": np.asarray(array) for name, array in arrays.items()})


if __name__ == "__main__":
    for part in (dense, losses, vae, optimizers):
        part()
    np.savez_compressed(Path(__file__).parent / "golden.npz", versions=f"keras {keras.__version__}, jax {jax.__version__}", **golden)
