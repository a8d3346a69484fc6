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


# Convolutions to record: kernel size, strides, padding, activation, image (H, W, C), filters, batch.
CONVOLUTIONS = {
    "conv2d": (
        ((1, 1), (1, 1), "valid", "linear", (5, 6, 33), 16, 1),
        ((1, 1), (2, 2), "same", "linear", (7, 10, 17), 5, 1),
        ((2, 2), (2, 2), "valid", "linear", (7, 10, 3), 5, 3),
        ((2, 2), (3, 3), "same", "linear", (7, 10, 3), 5, 3),
        ((2, 2), (3, 3), "valid", "relu", (9, 7, 1), 1, 3),
        ((3, 3), (1, 1), "same", "leaky_relu(0.3)", (5, 6, 3), 5, 1),
        ((3, 3), (2, 2), "same", "relu", (7, 10, 3), 16, 1),
        ((4, 4), (2, 2), "same", "linear", (8, 7, 17), 5, 1),
        ((4, 4), (2, 2), "valid", "linear", (7, 10, 1), 33, 3),
        ((5, 3), (2, 1), "same", "leaky_relu(0.3)", (7, 10, 3), 5, 1),
        ((5, 3), (2, 1), "valid", "linear", (7, 10, 3), 5, 3),
        ((3, 3), (1, 1), "same", "linear", (7, 14, 16), 16, 1),
        ((3, 3), (1, 1), "valid", "linear", (7, 7, 16), 33, 1),
        ((4, 4), (1, 1), "same", "linear", (7, 7, 17), 16, 1),
        ((4, 4), (1, 1), "valid", "linear", (14, 7, 16), 16, 1)),
    "conv2d_transpose": (
        ((1, 1), (1, 1), "valid", "linear", (5, 6, 33), 16, 1),
        ((1, 1), (2, 2), "same", "linear", (3, 5, 17), 5, 1),
        ((2, 2), (2, 2), "valid", "linear", (3, 5, 3), 5, 3),
        ((2, 2), (3, 3), "same", "linear", (3, 4, 3), 5, 3),
        ((2, 2), (3, 3), "valid", "relu", (3, 4, 1), 1, 3),
        ((3, 3), (1, 1), "same", "leaky_relu(0.3)", (5, 6, 3), 5, 1),
        ((3, 3), (2, 2), "same", "relu", (4, 5, 16), 3, 1),
        ((4, 4), (2, 2), "same", "linear", (4, 3, 17), 5, 1),
        ((4, 4), (2, 2), "valid", "linear", (3, 5, 33), 1, 3),
        ((5, 3), (2, 1), "same", "leaky_relu(0.3)", (4, 7, 3), 5, 1),
        ((5, 3), (2, 1), "valid", "linear", (4, 7, 3), 5, 3),
        ((3, 3), (1, 1), "same", "linear", (7, 7, 17), 16, 1),
        ((3, 3), (1, 1), "valid", "linear", (14, 7, 16), 16, 1),
        ((4, 4), (1, 1), "same", "linear", (7, 14, 16), 16, 1),
        ((4, 4), (1, 1), "valid", "linear", (7, 7, 16), 17, 1))}


def convolutions():
    """Forward, and backward from a random dout, of the table above; a group's name tells the case."""
    rng = np.random.default_rng(21)
    coarse = lambda *shape: np.round(4 * rng.standard_normal(shape)) / 4      # whose sums of products are exact, and compress
    for operation, cases in CONVOLUTIONS.items():
        Layer = {"conv2d": keras.layers.Conv2D, "conv2d_transpose": keras.layers.Conv2DTranspose}[operation]
        for kernel_size, strides, padding, activation, image, filters, batch in cases:
            layer = Layer(filters, kernel_size, strides, padding, activation=ACTIVATIONS[activation], **FLOAT64)
            x = coarse(batch, *image)
            layer.build(x.shape)
            weights = [coarse(*layer.kernel.shape), coarse(filters)]
            if activation != "linear":
                weights[1] += 1e-3                                              # away from the kink
            forward = lambda weights, x: layer.stateless_call(weights, [], x)[0]
            y, backward = jax.vjp(forward, weights, x)
            dout = coarse(*y.shape)
            (dkernel, dbias), dx = backward(dout)
            record(f"{operation}/{times(kernel_size)} stride {times(strides)} {padding} {activation}, {times(image)} to {filters}",
                   **{name: narrow(array) for name, array in
                      dict(x=x, kernel=weights[0], bias=weights[1], dout=dout, y=y, dx=dx, dkernel=dkernel, dbias=dbias).items()})


def times(numbers):
    """(4, 3) -> "4x3"."""
    return "x".join(map(str, numbers))


def narrow(array):
    """The array in the smallest type that holds it exactly: these are many numbers, and most have few digits."""
    array = np.asarray(array)
    assert array.dtype == np.float64
    return next(array.astype(kind) for kind in (np.float16, np.float32, np.float64) if (array.astype(kind) == array).all())


def batch_normalization():
    """Training forward and backward, the moving averages after it, and inference from those before it."""
    rng = np.random.default_rng(22)
    for name, shape, offset, momentum, epsilon in (("rows", (5, 7), 0, 0.99, 1e-3), ("images", (2, 3, 4, 5), 0, 0.9, 1e-5),
                                                   ("large mean", (64, 8), 1000, 0.99, 1e-3)):
        C, axes = shape[-1], tuple(range(len(shape) - 1))
        x = offset + np.round(512 * rng.standard_normal(shape)) / 1024          # exact in float32, even around 1000
        gamma, beta, dout = rng.standard_normal(C), rng.standard_normal(C), np.round(512 * rng.standard_normal(shape)) / 512
        moving_mean, moving_variance = offset + rng.standard_normal(C), rng.uniform(0.5, 2, C)

        def normalize(x, gamma, beta, mean, variance):
            return gamma * (x - mean) / jax.numpy.sqrt(variance + epsilon) + beta

        def train(x, gamma, beta):
            mean = x.sum(axes) / (x.size / C)
            return normalize(x, gamma, beta, mean, jax.numpy.square(x - mean).sum(axes) / (x.size / C))

        y, backward = jax.vjp(train, x, gamma, beta)
        dx, dgamma, dbeta = backward(dout)
        after = [momentum * moving + (1 - momentum) * batch for moving, batch in
                 ((moving_mean, x.mean(axes)), (moving_variance, x.var(axes)))]
        y_inference = normalize(x, gamma, beta, moving_mean, moving_variance)

        # These are the formulas of Keras's documentation, as Keras itself computes in float32 here: it has to agree to six digits,
        # on images less the offset, which changes nothing but the mean.
        layer = keras.layers.BatchNormalization(momentum=momentum, epsilon=epsilon, **FLOAT64)
        layer.build(shape)
        call = lambda training, x, *weights: layer.stateless_call(weights, [moving_mean - offset, moving_variance], x, training=training)
        keras_y, backward, (mean, variance) = jax.vjp(lambda *arguments: call(True, *arguments), x - offset, gamma, beta, has_aux=True)
        keras_results = (keras_y, *backward(dout), mean + offset, variance, call(False, x - offset, gamma, beta)[0])
        for mine, theirs in zip((y, dx, dgamma, dbeta, *after, y_inference), keras_results):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=2e-6)
        record(f"batchnorm/{name}", momentum=momentum, epsilon=epsilon, x=narrow(x), gamma=gamma, beta=beta, moving_mean=moving_mean,
               moving_variance=moving_variance, dout=narrow(dout), y=y, dx=dx, dgamma=dgamma, dbeta=dbeta, moving_mean_after=after[0],
               moving_variance_after=after[1], y_inference=y_inference)


def record(group, **arrays):
    """Keep the arrays under group/name."""
    golden.update({f"{group}/{name}": np.asarray(array) for name, array in arrays.items()})


if __name__ == "__main__":
    for part in (dense, losses, vae, optimizers, convolutions, batch_normalization):
        part()
    np.savez_compressed(Path(__file__).parent / "golden.npz", versions=f"keras {keras.__version__}, jax {jax.__version__}", **golden)
