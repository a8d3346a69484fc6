"""Makes golden.npz: what Keras 3 on JAX, in float64, computes for small random inputs.  Needs keras
and jax; the tests do not.

KERAS_BACKEND=jax python tests/golden/make_golden.py            # everything anew
KERAS_BACKEND=jax python tests/golden/make_golden.py recurrent  # one of PARTS; the rest stays
"""

import json
import sys
from pathlib import Path

import jax
import keras
import numpy as np

jax.config.update("jax_enable_x64", True)
FLOAT64 = {"dtype": "float64"}
rng = np.random.default_rng(20)
golden = {}

# Keras's own tanh, and its means and sums, return float32 here: JAX's stand in for them.
ACTIVATIONS = {
    "linear": "linear",
    "relu": "relu",
    "leaky_relu": "leaky_relu",
    "sigmoid": "sigmoid",
    "tanh": jax.numpy.tanh,
    "softmax": "softmax",
    "leaky_relu(0.3)": keras.layers.LeakyReLU(negative_slope=0.3, **FLOAT64),
}


def dense():
    """A dense layer of each activation, forward, and backward from a random dout."""
    for name, activation in ACTIVATIONS.items():
        layer = keras.layers.Dense(17, activation=activation, **FLOAT64)
        x = rng.standard_normal((5, 19))
        dout = rng.standard_normal((5, 17))
        layer.build(x.shape)
        weights = [0.5 * rng.standard_normal(w.shape) for w in layer.get_weights()]
        forward = lambda weights, x: layer.stateless_call(weights, [], x)[0]
        y, backward = jax.vjp(forward, weights, x)
        (dkernel, dbias), dx = backward(dout)
        record(
            f"dense/{name}",
            x=x,
            dout=dout,
            kernel=weights[0],
            bias=weights[1],
            y=y,
            dx=dx,
            dkernel=dkernel,
            dbias=dbias,
        )


def losses():
    """Reconstruction losses of each example, and the gradient of their mean over the batch, from
    the logits.
    """
    logits = 6 * rng.standard_normal((5, 23))
    target = rng.random((5, 23))
    target[:, :6] = [0, 1, 0, 1, 0, 1]
    logits[:, 6:10] = [90, -90, 40, -40]
    functions = {
        "binary_crossentropy/sigmoid": lambda l: keras.ops.binary_crossentropy(
            target, l, from_logits=True
        ).mean(axis=1),
        "squared_error/sigmoid": lambda l: jax.numpy.square(target - jax.nn.sigmoid(l)).mean(
            axis=1
        ),
        "squared_error/linear": lambda l: jax.numpy.square(target - l).mean(axis=1),
    }
    for name, function in functions.items():
        record(
            f"loss/{name}",
            logits=logits,
            target=target,
            loss=784 * function(logits),
            dlogits=jax.grad(lambda l: (784 * function(l)).mean())(logits),
        )


def vae():
    """The whole loss of a small VAE with given noise, and the gradient of every weight."""
    layers = [
        keras.layers.Dense(units, activation=activation, **FLOAT64)
        for units, activation in ((7, "relu"), (3, None), (3, None), (6, "relu"), (12, "sigmoid"))
    ]
    for layer, inputs in zip(layers, (12, 7, 7, 3, 6)):
        layer.build((None, inputs))
    weights = [
        [0.6 * rng.standard_normal(w.shape) for w in layer.get_weights()] for layer in layers
    ]
    x = rng.random((4, 12))
    eps = rng.standard_normal((4, 3))

    def loss(weights):
        call = lambda i, x: layers[i].stateless_call(weights[i], [], x)[0]
        h = call(0, x)
        z_mean = call(1, h)
        z_log_var = call(2, h)
        z = z_mean + jax.numpy.exp(0.5 * z_log_var) * eps
        reconstruction = 784 * keras.ops.binary_crossentropy(x, call(4, call(3, z))).mean(axis=1)
        kl = -0.5 * jax.numpy.sum(
            1 + z_log_var - jax.numpy.square(z_mean) - jax.numpy.exp(z_log_var), axis=-1
        )
        return jax.numpy.mean(reconstruction + 0.7 * kl), (reconstruction, kl)

    (_, (reconstruction, kl)), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
    record(
        "vae",
        x=x,
        eps=eps,
        reconstruction=reconstruction,
        kl=kl,
        **{f"weight_{i}": w for i, w in enumerate(sum(weights, []))},
        **{f"gradient_{i}": g for i, g in enumerate(sum(gradients, []))},
    )


def optimizers():
    """Five updates of each optimizer, with gradients that span many magnitudes."""
    for name, optimizer in {
        "Adam": keras.optimizers.Adam(0.01),
        "RMSprop": keras.optimizers.RMSprop(0.01),
        "SGD": keras.optimizers.SGD(0.1),
        "SGD momentum": keras.optimizers.SGD(0.1, momentum=0.8),
    }.items():
        start = rng.standard_normal(11)
        gradients = rng.standard_normal((5, 11)) * 10.0 ** np.arange(-8, 3)
        variable = keras.Variable(start, **FLOAT64)
        optimizer.build([variable])
        after = []
        for gradient in gradients:
            optimizer.apply([gradient])
            after.append(np.array(variable))
        record(f"optimizer/{name}", start=start, gradients=gradients, after=np.array(after))


# Convolutions to record: kernel size, strides, padding, activation, image (H, W, C), filters,
# batch.
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
        ((4, 4), (1, 1), "valid", "linear", (14, 7, 16), 16, 1),
    ),
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
        ((4, 4), (1, 1), "valid", "linear", (7, 7, 16), 17, 1),
    ),
}


def convolutions():
    """Forward, and backward from a random dout, of the table above;

    a group's name tells the case.
    """
    rng = np.random.default_rng(21)
    coarse = lambda *shape: (
        np.round(4 * rng.standard_normal(shape)) / 4
    )  # whose sums of products are exact, and compress
    for operation, cases in CONVOLUTIONS.items():
        Layer = {"conv2d": keras.layers.Conv2D, "conv2d_transpose": keras.layers.Conv2DTranspose}[
            operation
        ]
        for kernel_size, strides, padding, activation, image, filters, batch in cases:
            layer = Layer(
                filters,
                kernel_size,
                strides,
                padding,
                activation=ACTIVATIONS[activation],
                **FLOAT64,
            )
            x = coarse(batch, *image)
            layer.build(x.shape)
            weights = [coarse(*layer.kernel.shape), coarse(filters)]
            if activation != "linear":
                weights[1] += 1e-3  # away from the kink
            forward = lambda weights, x: layer.stateless_call(weights, [], x)[0]
            y, backward = jax.vjp(forward, weights, x)
            dout = coarse(*y.shape)
            (dkernel, dbias), dx = backward(dout)
            record(
                f"{operation}/{times(kernel_size)} stride {times(strides)} {padding} "
                f"{activation}, {times(image)} to {filters}",
                **{
                    name: narrow(array)
                    for name, array in dict(
                        x=x,
                        kernel=weights[0],
                        bias=weights[1],
                        dout=dout,
                        y=y,
                        dx=dx,
                        dkernel=dkernel,
                        dbias=dbias,
                    ).items()
                },
            )


def times(numbers):
    """(4, 3) -> "4x3"."""
    return "x".join(map(str, numbers))


def narrow(array):
    """The array in the smallest type that holds it exactly:

    these are many numbers, and most have few digits.
    """
    array = np.asarray(array)
    assert array.dtype == np.float64
    return next(
        array.astype(kind)
        for kind in (np.float16, np.float32, np.float64)
        if (array.astype(kind) == array).all()
    )


def batch_normalization():
    """Training forward and backward, the moving averages after it, and inference from those before
    it.
    """
    rng = np.random.default_rng(22)
    for name, shape, offset, momentum, epsilon in (
        ("rows", (5, 7), 0, 0.99, 1e-3),
        ("images", (2, 3, 4, 5), 0, 0.9, 1e-5),
        ("large mean", (64, 8), 1000, 0.99, 1e-3),
    ):
        C = shape[-1]
        axes = tuple(range(len(shape) - 1))
        x = (
            offset + np.round(512 * rng.standard_normal(shape)) / 1024
        )  # exact in float32, even around 1000
        gamma = rng.standard_normal(C)
        beta = rng.standard_normal(C)
        dout = np.round(512 * rng.standard_normal(shape)) / 512
        moving_mean = offset + rng.standard_normal(C)
        moving_variance = rng.uniform(0.5, 2, C)

        def normalize(x, gamma, beta, mean, variance):
            return gamma * (x - mean) / jax.numpy.sqrt(variance + epsilon) + beta

        def train(x, gamma, beta):
            mean = x.sum(axes) / (x.size / C)
            return normalize(
                x, gamma, beta, mean, jax.numpy.square(x - mean).sum(axes) / (x.size / C)
            )

        y, backward = jax.vjp(train, x, gamma, beta)
        dx, dgamma, dbeta = backward(dout)
        after = [
            momentum * moving + (1 - momentum) * batch
            for moving, batch in ((moving_mean, x.mean(axes)), (moving_variance, x.var(axes)))
        ]
        y_inference = normalize(x, gamma, beta, moving_mean, moving_variance)

        # These are the formulas of Keras's documentation, as Keras itself computes in float32 here:
        # it has to agree to six digits,
        # on images less the offset, which changes nothing but the mean.
        layer = keras.layers.BatchNormalization(momentum=momentum, epsilon=epsilon, **FLOAT64)
        layer.build(shape)
        call = lambda training, x, *weights: layer.stateless_call(
            weights, [moving_mean - offset, moving_variance], x, training=training
        )
        keras_y, backward, (mean, variance) = jax.vjp(
            lambda *arguments: call(True, *arguments), x - offset, gamma, beta, has_aux=True
        )
        keras_results = (
            keras_y,
            *backward(dout),
            mean + offset,
            variance,
            call(False, x - offset, gamma, beta)[0],
        )
        for mine, theirs in zip((y, dx, dgamma, dbeta, *after, y_inference), keras_results):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=2e-6)
        record(
            f"batchnorm/{name}",
            momentum=momentum,
            epsilon=epsilon,
            x=narrow(x),
            gamma=gamma,
            beta=beta,
            moving_mean=moving_mean,
            moving_variance=moving_variance,
            dout=narrow(dout),
            y=y,
            dx=dx,
            dgamma=dgamma,
            dbeta=dbeta,
            moving_mean_after=after[0],
            moving_variance_after=after[1],
            y_inference=y_inference,
        )


@keras.saving.register_keras_serializable()
def tanh(x):
    """JAX's, under a name that Keras can copy to the other half of a Bidirectional."""
    return jax.numpy.tanh(x)


def gru(units, return_sequences):
    """A GRU in float64."""
    return keras.layers.GRU(units, activation=tanh, return_sequences=return_sequences, **FLOAT64)


def call(layer, weights, *inputs, **options):
    """The output of a layer with these weights."""
    return layer.stateless_call(
        weights, [seed.value for seed in layer.non_trainable_variables], *inputs, **options
    )[0]


def record_weights(layer, rng):
    """Random weights of a built layer or model, in the order of get_weights, and what to record of
    them and of their gradients.
    """
    weights = [0.5 * rng.standard_normal(w.shape) for w in layer.get_weights()]
    return weights, lambda gradients: numbered("weight", weights) | numbered("gradient", gradients)


def numbered(name, arrays):
    """{"weight_0": ..., "weight_1": ...}"""
    return {f"{name}_{i}": array for i, array in enumerate(arrays)}


# Which of 6 steps count, for 5 sequences: all, zeros before, behind, in the middle, and none.
MASK = np.array(
    [
        [1, 1, 1, 1, 1, 1],
        [0, 0, 1, 1, 1, 1],
        [1, 1, 1, 0, 0, 0],
        [0, 1, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ],
    np.int32,
)


def recurrent():
    """GRUs on numbers, with and without a mask, from a given state; and on words, behind an
    Embedding, forwards and in both directions.

    Where the mask is 0, Keras's Bidirectional gives zeros for the steps of a sequence, on which no
    dout is put here.
    """
    rng = np.random.default_rng(23)
    for name, shape, units, return_sequences, mask in (
        ("last state", (3, 5, 4), 7, False, None),
        ("states", (3, 5, 4), 7, True, None),
        ("one step", (2, 1, 3), 5, True, None),
        ("one sequence", (1, 9, 2), 17, True, None),
        ("masked last state", (5, 6, 3), 4, False, MASK),
        ("masked states", (5, 6, 3), 4, True, MASK),
    ):
        layer = gru(units, return_sequences)
        x = rng.standard_normal(shape)
        initial_state = rng.standard_normal((len(MASK) if mask is not None else shape[0], units))
        layer.build(shape)
        weights, arrays = record_weights(layer, rng)
        kept = None if mask is None else jax.numpy.asarray(mask, bool)
        if mask is not None and return_sequences:
            initial_state[...] = 0  # Keras gives zeros until the first step that counts

        def forward(weights, x, initial_state):
            return call(layer, weights, x, initial_state=initial_state, mask=kept)

        y, backward = jax.vjp(forward, weights, x, initial_state)
        dout = rng.standard_normal(y.shape)
        gradients, dx, dinitial_state = backward(dout)
        record(
            f"gru/{name}",
            x=x,
            initial_state=initial_state,
            mask=np.ones(shape[:2], np.int32) if mask is None else mask,
            dout=dout,
            y=y,
            dx=dx,
            dinitial_state=dinitial_state,
            **arrays(gradients),
        )

    for name, mask_zero, make in (
        ("embedding", False, []),
        ("gru", True, [gru(4, False)]),
        ("bidirectional", False, [keras.layers.Bidirectional(gru(4, True), **FLOAT64)]),
        ("masked bidirectional", True, [keras.layers.Bidirectional(gru(4, True), **FLOAT64)]),
        ("masked bidirectional last", True, [keras.layers.Bidirectional(gru(4, False), **FLOAT64)]),
        (
            "masked stack",
            True,
            [keras.layers.Bidirectional(gru(4, True), **FLOAT64), gru(5, True), gru(3, False)],
        ),
    ):
        model = keras.Sequential(
            [keras.layers.Embedding(9, 3, mask_zero=mask_zero, **FLOAT64), *make]
        )
        x = rng.integers(1, 9, MASK.shape, np.int32) * (MASK if mask_zero else 1)
        model.build(x.shape)
        weights, arrays = record_weights(model, rng)
        y, backward = jax.vjp(lambda weights: call(model, weights, x), weights)
        dout = rng.standard_normal(y.shape)
        if mask_zero and dout.ndim == 3:
            dout *= MASK[..., np.newaxis]
        record(f"words/{name}", x=x, dout=dout, y=y, **arrays(backward(dout)[0]))


def word_losses():
    """Sparse categorical cross-entropy of T words, summed, and the gradient of its mean over the
    batch, from the logits.
    """
    rng = np.random.default_rng(24)
    logits = 4 * rng.standard_normal((5, 3, 11))
    targets = rng.integers(0, 11, (5, 3), np.int32)
    logits[0, 0, 2:5] = [90, -90, 40]
    targets[0, 0] = 3

    def cost(logits):
        return keras.ops.sparse_categorical_crossentropy(targets, logits, from_logits=True).sum(
            axis=1
        )

    record(
        "loss/sparse_categorical_crossentropy",
        logits=logits,
        targets=targets,
        loss=cost(logits),
        dlogits=jax.grad(lambda logits: cost(logits).mean())(logits),
    )


def clipping():
    """Six updates of Adam on two arrays with global_clipnorm;

    the gradients get larger, those of the last three are clipped.
    """
    rng = np.random.default_rng(25)
    start = rng.standard_normal(11)
    gradients = rng.standard_normal((6, 11)) * 10.0 ** np.arange(-3, 3)[:, np.newaxis]
    variables = [keras.Variable(part, **FLOAT64) for part in np.split(start, [7])]
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=0.5)
    optimizer.build(variables)
    after = []
    for gradient in gradients:
        optimizer.apply([jax.numpy.asarray(part) for part in np.split(gradient, [7])])
        after.append(np.concatenate([np.asarray(variable) for variable in variables]))
    norms = np.sqrt(np.square(gradients).sum(axis=1))
    assert (norms[:3] < 0.5).all() and (norms[3:] > 0.5).all()
    record("optimizer/Adam clipped", start=start, gradients=gradients, after=np.array(after))


def weight_decay():
    """Five updates of AdamW, with gradients that span many magnitudes."""
    rng = np.random.default_rng(31)
    start = rng.standard_normal(11)
    gradients = rng.standard_normal((5, 11)) * 10.0 ** np.arange(-8, 3)
    variable = keras.Variable(start, **FLOAT64)
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.3)
    optimizer.build([variable])
    after = []
    for gradient in gradients:
        optimizer.apply([gradient])
        after.append(np.array(variable))
    record("optimizer/AdamW", start=start, gradients=gradients, after=np.array(after))


# Schedules of the learning rate: class and arguments.
SCHEDULES = {
    "exponential": ("ExponentialDecay", dict(initial_learning_rate=0.3, decay_steps=10,
                                             decay_rate=0.8)),
    "staircase": ("ExponentialDecay", dict(initial_learning_rate=0.3, decay_steps=10,
                                           decay_rate=0.8, staircase=True)),
    "piecewise": ("PiecewiseConstantDecay", dict(boundaries=[5, 12], values=[1.0, 0.5, 0.125])),
    "cosine": ("CosineDecay", dict(initial_learning_rate=0.3, decay_steps=20, alpha=0.1)),
    "cosine with warm-up": ("CosineDecay", dict(initial_learning_rate=0.1, decay_steps=20,
                                                warmup_target=0.5, warmup_steps=10)),
}


def schedules():
    """Learning rates at the start, in the middle, at changes, and beyond the end; in float32."""
    steps = np.array([0, 1, 4, 5, 6, 9, 10, 11, 12, 13, 19, 20, 21, 25, 29, 30, 31, 100])
    for name, (kind, arguments) in SCHEDULES.items():
        schedule = getattr(keras.optimizers.schedules, kind)(**arguments)
        record(
            f"schedule/{name}",
            config=json.dumps({"class": kind, **arguments}),
            steps=steps,
            rates=[np.asarray(schedule(int(step))) for step in steps],
        )


# Validation losses by epoch.
CURVE = [9, 8, 7.95, 8.2, 8.1, 7.94, 7.5, 7.6, 7.7, 7.49, 7.8, 7.9, 8, 8, 8, 7, 7.1, 7.2, 7.3, 7.4]


class Watched:
    """What callbacks see of a model: the number of the epoch is its weights."""

    stop_training = False

    def __init__(self):
        self.optimizer = keras.optimizers.SGD(1.0)

    def get_weights(self):
        """Return the epoch."""
        return self.epoch

    def set_weights(self, weights):
        """Return to an epoch."""
        self.epoch = weights


def monitors():
    """The epochs, from 1, at which EarlyStopping stops and to which it returns, and the learning
    rates after each epoch with ReduceLROnPlateau.
    """
    for name, kind, arguments in (
        ("patience 3", "EarlyStopping", dict(patience=3)),
        ("patience 0", "EarlyStopping", dict(patience=0)),
        ("min_delta", "EarlyStopping", dict(patience=4, min_delta=0.06)),
        ("never", "EarlyStopping", dict(patience=19)),
        ("reduction", "ReduceLROnPlateau", dict(patience=2, factor=0.5)),
        ("cooldown", "ReduceLROnPlateau", dict(patience=2, factor=0.5, cooldown=3)),
        ("at once", "ReduceLROnPlateau", dict(patience=0, factor=0.5, min_delta=0.3)),
        ("least", "ReduceLROnPlateau", dict(patience=1, factor=0.5, min_lr=0.2)),
    ):
        stopping = {"restore_best_weights": True} if kind == "EarlyStopping" else {}
        callback = getattr(keras.callbacks, kind)(**arguments, **stopping)
        model = Watched()
        callback.set_model(model)
        callback.on_train_begin()
        rates = []
        for epoch, loss in enumerate(CURVE):
            model.epoch = epoch + 1
            callback.on_epoch_end(epoch, {"val_loss": loss})
            rates.append(float(model.optimizer.learning_rate))
            if model.stop_training:
                break
        last = model.epoch
        callback.on_train_end()
        record(
            f"monitor/{name}",
            config=json.dumps({"class": kind, **arguments, **stopping}),
            curve=CURVE,
            last=last,
            kept=model.epoch,
            rates=rates,
        )


def text_gru():
    """The whole loss of a small VAE of sentences, padded before and behind, with given noise, and
    the gradient of every weight.
    """
    rng = np.random.default_rng(26)
    V = 11
    T = 6
    J = 3
    both = lambda units, return_sequences: keras.layers.Bidirectional(
        gru(units, return_sequences), **FLOAT64
    )
    encoder = keras.Sequential(
        [
            keras.layers.Embedding(V, 4, mask_zero=True, **FLOAT64),
            both(3, True),
            both(2, False),
            keras.layers.Dense(5, activation="relu", **FLOAT64),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.layers.Dense(5, **FLOAT64),
            keras.layers.RepeatVector(T, **FLOAT64),
            both(2, True),
            both(3, True),
            keras.layers.Dense(V, **FLOAT64),
        ]
    )
    heads = [keras.layers.Dense(J, **FLOAT64) for _ in range(2)]
    parts = {"encoder": encoder, "z_mean": heads[0], "z_log_var": heads[1], "decoder": decoder}
    x = rng.integers(1, V, MASK.shape, np.int32) * MASK
    eps = rng.standard_normal((len(MASK), J))
    for part, shape in zip(parts.values(), (x.shape, (None, 5), (None, 5), (None, J))):
        part.build(shape)
    drawn = {name: record_weights(part, rng) for name, part in parts.items()}

    def loss(weights):
        run = lambda name, x: call(parts[name], weights[name], x)
        h = run("encoder", x)
        z_mean = run("z_mean", h)
        z_log_var = run("z_log_var", h)
        logits = run("decoder", z_mean + jax.numpy.exp(0.5 * z_log_var) * eps)
        reconstruction = keras.ops.sparse_categorical_crossentropy(x, logits, from_logits=True).sum(
            axis=1
        )
        kl = -0.5 * jax.numpy.sum(
            1 + z_log_var - jax.numpy.square(z_mean) - jax.numpy.exp(z_log_var), axis=-1
        )
        return jax.numpy.mean(reconstruction + 0.7 * kl), (reconstruction, kl, logits)

    (_, results), gradients = jax.value_and_grad(loss, has_aux=True)(
        {name: weights for name, (weights, _) in drawn.items()}
    )
    record(
        "text-gru",
        x=x,
        eps=eps,
        **dict(zip(("reconstruction", "kl", "logits"), results)),
        **{
            f"{name}/{key}": array
            for name, (_, arrays) in drawn.items()
            for key, array in arrays(gradients[name]).items()
        },
    )


def layer(name, config, forward, weights, x, states=(), mask=None):
    """Record a layer under layer/NAME: forward, and backward from a random dout.

    tests/test_golden_layers.py makes the layer from its configuration and compares everything.

    Parameters
    ----------
    name : str
    config : dict
        What get_config of the library's layer returns.
    forward : function
        forward(weights, x, *states) returns Keras's output.
    weights : list of arrays
        In Keras's order.
    x : array
    states : list of arrays
        The initial states of a recurrent layer.
    mask : array, optional
        Keras's outputs are zeros where its Bidirectional skips a step, so dout is zero there.
    """
    y, backward = jax.vjp(forward, weights, x, *states)
    dout = np.random.default_rng(27).standard_normal(y.shape)
    given = {}
    if mask is not None:
        given["mask"] = mask
        dout *= mask[..., np.newaxis] if dout.ndim == 3 else 1
    gradients, dx, *dstates = backward(dout)
    record(
        f"layer/{name}",
        config=json.dumps(config),
        x=x,
        dout=dout,
        y=y,
        dx=dx,
        **given,
        **numbered("weight", weights),
        **numbered("gradient", gradients),
        **numbered("initial_state", states),
        **numbered("dinitial_state", dstates),
    )


def layer_normalization():
    """Layer normalisation of rows and of images.

    The formulas are those of Keras's documentation, since Keras computes its mean in float32.
    """
    rng = np.random.default_rng(28)
    for name, shape, epsilon in (
        ("rows", (5, 7), 1e-3),
        ("steps", (3, 4, 9), 0.1),
        ("one image", (1, 3, 5, 6), 1e-2),
    ):
        x = 1 + 2 * rng.standard_normal(shape)
        weights = [rng.standard_normal(shape[-1]) for _ in range(2)]

        def forward(weights, x, epsilon=epsilon):
            gamma, beta = weights
            deviation = x - jax.numpy.mean(x, -1, keepdims=True)
            variance = jax.numpy.mean(deviation**2, -1, keepdims=True)
            return gamma * deviation / jax.numpy.sqrt(variance + epsilon) + beta

        keras_layer = keras.layers.LayerNormalization(epsilon=epsilon, **FLOAT64)
        keras_layer.build(shape)
        np.testing.assert_allclose(forward(weights, x), call(keras_layer, weights, x), atol=1e-4)
        config = {"class": "LayerNormalization", "epsilon": epsilon}
        layer(f"layer normalization/{name}", config, forward, weights, x)


def keras_layer(name, config, shape, **options):
    """Record a layer that Keras computes in float64, with random weights and input.

    Parameters
    ----------
    name : str
    config : dict
        As in `layer`; without "class" these are the arguments of Keras's class of the same name.
    shape : tuple of int
        Of the input, with the batch axis.
    **options
        Further arguments of Keras's class.
    """
    arguments = {key: value for key, value in config.items() if key != "class"}
    made = getattr(keras.layers, config["class"])(**arguments, **options, **FLOAT64)
    made.build(shape)
    rng = np.random.default_rng(29)
    x = np.round(4 * rng.standard_normal(shape)) / 4  # with equal numbers among them
    weights = [rng.standard_normal(weight.shape) for weight in made.get_weights()]
    layer(name, config, lambda weights, x: call(made, weights, x), weights, x)


def pooling():
    """Both kinds of pooling; windows that overlap, leave gaps, and reach over the border."""
    for name in ("MaxPooling2D", "AveragePooling2D"):
        for pool_size, strides, padding, shape in (
            (2, None, "valid", (3, 7, 6, 2)),
            (2, None, "same", (1, 7, 5, 3)),
            ((3, 2), (1, 2), "same", (2, 5, 7, 1)),
            ((3, 3), (2, 2), "valid", (2, 7, 8, 5)),
            ((2, 1), (3, 2), "same", (2, 8, 5, 17)),
            ((1, 4), (2, 3), "valid", (1, 3, 9, 2)),
        ):
            config = {"class": name, "pool_size": pool_size, "strides": strides, "padding": padding}
            keras_layer(f"{name}/{pool_size} {strides} {padding}", config, shape)


def upsampling():
    """Pixels repeated equally and unequally down and across."""
    for size, shape in ((2, (3, 3, 5, 2)), ((1, 3), (1, 4, 3, 1)), ((3, 2), (2, 2, 3, 17))):
        keras_layer(f"UpSampling2D/{size}", {"class": "UpSampling2D", "size": size}, shape)


def border():
    """Zero padding and cropping, in each form of the argument."""
    for value in (1, (2, 0), ((0, 2), (1, 0))):
        for name, argument in (("ZeroPadding2D", "padding"), ("Cropping2D", "cropping")):
            keras_layer(f"{name}/{value}", {"class": name, argument: value}, (2, 5, 3, 2))


def output_padding():
    """Transposed convolutions of a chosen output size."""
    for kernel_size, strides, padding, extra, shape, filters in (
        ((3, 3), (2, 2), "same", (0, 0), (2, 4, 3, 2), 3),
        ((3, 3), (2, 2), "same", (1, 0), (1, 4, 5, 1), 2),
        ((4, 5), (2, 3), "same", (1, 2), (2, 3, 4, 3), 1),
        ((2, 2), (3, 3), "same", (2, 1), (2, 3, 4, 2), 2),
        ((3, 2), (2, 1), "valid", (1, 0), (2, 3, 5, 17), 3),
        ((2, 3), (3, 2), "valid", (0, 1), (1, 3, 3, 3), 16),
    ):
        config = {
            "class": "Conv2DTranspose",
            "filters": filters,
            "kernel_size": kernel_size,
            "strides": strides,
            "padding": padding,
            "output_padding": extra,
        }
        keras_layer(f"Conv2DTranspose/{kernel_size} {strides} {padding} {extra}", config, shape)


def lstm():
    """LSTMs with and without a mask and initial states, and in both directions of time."""
    rng = np.random.default_rng(30)
    for name, shape, units, return_sequences, mask, given, both in (
        ("last state", (3, 5, 4), 7, False, None, True, False),
        ("states", (3, 5, 4), 7, True, None, True, False),
        ("one step", (2, 1, 3), 5, True, None, True, False),
        ("one sequence", (1, 9, 2), 17, True, None, False, False),
        ("masked last state", (5, 6, 3), 4, False, MASK, True, False),
        ("masked states", (5, 6, 3), 4, True, MASK, False, False),
        ("bidirectional", (3, 5, 2), 3, True, None, False, True),
        ("masked bidirectional", (5, 6, 3), 4, True, MASK, False, True),
        ("masked bidirectional last", (5, 6, 3), 4, False, MASK, False, True),
    ):
        config = {"class": "LSTM", "units": units, "return_sequences": return_sequences}
        made = keras.layers.LSTM(
            units, activation=tanh, return_sequences=return_sequences, **FLOAT64
        )
        if both:
            made = keras.layers.Bidirectional(made, **FLOAT64)
            config = {"class": "Bidirectional", "layer": config}
        made.build(shape)
        weights, _ = record_weights(made, rng)
        states = [rng.standard_normal((shape[0], units)) for _ in range(2 if given else 0)]
        kept = None if mask is None else jax.numpy.asarray(mask, bool)

        def forward(weights, x, *states, made=made, kept=kept):
            options = {"initial_state": list(states)} if states else {}
            return call(made, weights, x, mask=kept, **options)

        layer(f"LSTM/{name}", config, forward, weights, rng.standard_normal(shape), states, mask)


def record(group, **arrays):
    """Keep the arrays under group/name."""
    golden.update({f"{group}/{name}": np.asarray(array) for name, array in arrays.items()})


PARTS = (
    dense,
    losses,
    vae,
    optimizers,
    convolutions,
    batch_normalization,
    recurrent,
    word_losses,
    clipping,
    weight_decay,
    schedules,
    monitors,
    text_gru,
    layer_normalization,
    pooling,
    upsampling,
    border,
    output_padding,
    lstm,
)
PATH = Path(__file__).parents[2] / "scratchvae" / "teaching" / "judge" / "golden.npz"

if __name__ == "__main__":
    chosen = sys.argv[1:]
    if chosen:
        with np.load(PATH) as file:
            golden.update(file)
    for part in PARTS:
        if not chosen or part.__name__ in chosen:
            part()
    golden["versions"] = f"keras {keras.__version__}, jax {jax.__version__}"
    np.savez_compressed(PATH, **golden)
