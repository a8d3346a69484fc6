"""The kernels of words:

embeddings, recurrence and losses, against Keras's numbers, definitions, and the other backend.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import HOSTS, KERAS_GROUPS, built, close
from scipy.special import log_softmax

import kernels
from kernels.errors import ScratchVAEError
from scratchvae.layers import GRU, Bidirectional, Dense, Embedding, OneHotDense, RepeatVector
from scratchvae.models import VAE, Sequential
from scratchvae.optimizers import SGD, Adam, RMSprop

pytestmark = pytest.mark.usefixtures("one_thread")
REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")


def numbered(group, name):
    """The arrays name_0, name_1, ... of a group."""
    return [group[f"{name}_{i}"] for i in range(sum(key.startswith(f"{name}_") for key in group))]


WORDS = {
    "words/embedding": lambda: [Embedding(9, 3)],
    "words/gru": lambda: [Embedding(9, 3, mask_zero=True), GRU(4)],
    "words/bidirectional": lambda: [Embedding(9, 3), Bidirectional(GRU(4, return_sequences=True))],
    "words/masked bidirectional": lambda: [
        Embedding(9, 3, mask_zero=True),
        Bidirectional(GRU(4, return_sequences=True)),
    ],
    "words/masked bidirectional last": lambda: [
        Embedding(9, 3, mask_zero=True),
        Bidirectional(GRU(4)),
    ],
    "words/masked stack": lambda: [
        Embedding(9, 3, mask_zero=True),
        Bidirectional(GRU(4, return_sequences=True)),
        GRU(5, return_sequences=True),
        GRU(3),
    ],
}


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("group", WORDS)
def test_layers_of_words_equal_keras(golden, group, name, dtype, tolerance):
    g = golden[group]
    chain = built(Sequential(WORDS[group]()), g["x"].shape[1:], numbered(g, "weight"), dtype, name)
    y = chain.forward(g["x"], training=True)
    expected = g["y"]
    if (
        "masked" in group and y.ndim == 3
    ):  # at a step that doesn't count we keep the state, Keras's Bidirectional has zeros
        y = y[g["x"] != 0]
        expected = expected[g["x"] != 0]
    close(y, expected, tolerance)
    assert chain.backward(g["dout"].astype(dtype)) is None
    for gradient, expected in zip(chain.grads.values(), numbered(g, "gradient"), strict=True):
        close(gradient, expected, tolerance)


def test_keras_s_numbers_are_of_every_kind():
    assert {
        "gru/last state",
        "gru/states",
        "gru/masked last state",
        "gru/masked states",
        *WORDS,
        "text-gru",
        "optimizer/Adam clipped",
        "loss/sparse_categorical_crossentropy",
    } <= set(KERAS_GROUPS)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-6)])
def test_sparse_categorical_crossentropy_equals_keras(backend, golden, dtype, tolerance):
    g = golden["loss/sparse_categorical_crossentropy"]
    logits = g["logits"].astype(dtype)
    (N, T) = g["targets"].shape
    loss = np.full(N, np.nan, dtype)
    log_total = np.full((N, T), np.nan, dtype)
    dlogits = np.full_like(logits, np.nan)
    backend.sparse_categorical_crossentropy_forward(logits, g["targets"], loss, log_total, float(T))
    backend.sparse_categorical_crossentropy_backward(
        logits, g["targets"], log_total, dlogits, float(T)
    )
    close(loss, g["loss"], tolerance)
    close(dlogits, g["dlogits"], tolerance)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-7), (np.float32, 2e-6)])
def test_adam_with_global_clipnorm_equals_keras(backend, golden, dtype, tolerance):
    g = golden[
        "optimizer/Adam clipped"
    ]  # of two variables in Keras: the norm is that of both together
    parameters = SimpleNamespace(values=g["start"].astype(dtype), gradients=np.zeros(11, dtype))
    optimizer = Adam(0.01, global_clipnorm=0.5)
    optimizer.build(parameters, backend)
    for gradient, after in zip(g["gradients"], g["after"]):
        parameters.gradients[...] = gradient
        optimizer.update()
        close(parameters.values, after, tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize("name", HOSTS)
def test_text_gru_equals_keras(golden, name, dtype, tolerance):
    g = golden["text-gru"]
    vae = VAE(
        [
            Embedding(11, 4, mask_zero=True),
            Bidirectional(GRU(3, return_sequences=True)),
            Bidirectional(GRU(2)),
            Dense(5, "relu"),
        ],
        3,
        [
            Dense(5),
            RepeatVector(6),
            Bidirectional(GRU(2, return_sequences=True)),
            Bidirectional(GRU(3, return_sequences=True)),
            Dense(11, "softmax"),
        ],
        "sparse_categorical_crossentropy",
        6.0,
        dtype=dtype,
        backend=name,
    )
    vae.build((6,))
    for part, module in vae.parts.items():
        module.set_weights(numbered(golden[f"text-gru/{part}"], "weight"))
        for weight, given in zip(
            module.get_weights(), numbered(golden[f"text-gru/{part}"], "weight"), strict=True
        ):
            np.testing.assert_allclose(weight, given, rtol=1e-6)
    vae.noise.normal = lambda out, stream: np.copyto(out, g["eps"])
    reconstruction, kl = vae.forward(g["x"], training=True)
    close(reconstruction, g["reconstruction"], tolerance)
    close(kl, g["kl"], tolerance)
    close(vae.loss._logits, g["logits"], tolerance)
    vae.backward(0.7)
    for part, module in vae.parts.items():
        for (key, gradient), expected in zip(
            module.grads.items(), numbered(golden[f"text-gru/{part}"], "gradient"), strict=True
        ):
            assert np.abs(gradient - expected).max() <= tolerance * np.abs(expected).max(), (
                f"{part}/{key}"
            )


# Embeddings, and dense layers on one-hot words


def test_rows_of_equal_words_add_up_and_other_rows_get_zeros(backend):
    words = np.array([3, 1, 3, 3, 1], np.int32)
    dout = np.arange(10.0).reshape(5, 2) ** 2
    dtable = np.full((5, 2), np.nan)
    backend.embedding_backward(dout, words, dtable)
    np.testing.assert_array_equal(
        dtable, [[0, 0], dout[1] + dout[4], [0, 0], dout[0] + dout[2] + dout[3], [0, 0]]
    )


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 5e-6)])
@pytest.mark.parametrize("N, V, E", [(1, 1, 1), (5, 3, 1), (33, 7, 16), (40, 5, 37), (7, 1000, 33)])
def test_embedding_equals_reference(N, V, E, dtype, tolerance, rng):
    words = rng.integers(0, V, N, np.int32)
    table, dout = (rng.standard_normal(shape).astype(dtype) for shape in ((V, E), (N, E)))
    y = np.full((N, E), np.nan, dtype)
    dtable = np.full((V, E), np.nan, dtype)
    expected = np.full((V, E), np.nan)
    CPU.embedding_forward(words, table, y)
    np.testing.assert_array_equal(y, table[words])
    CPU.embedding_backward(dout, words, dtable)
    REFERENCE.embedding_backward(dout.astype(np.float64), words, expected)
    close(dtable, expected, tolerance)
    assert np.array_equal(dtable.any(axis=1), np.isin(np.arange(V), words))


@pytest.mark.parametrize(
    "activation", ["linear", "relu", "leaky_relu(0.3)", "sigmoid", "tanh", "softmax"]
)
@pytest.mark.parametrize("name", HOSTS)
def test_onehot_dense_equals_dense_on_the_onehot_matrix(name, activation, rng):
    words = rng.integers(0, 13, (29, 1), np.int32)
    dout = rng.standard_normal((29, 17))
    weights = [rng.standard_normal((13, 17)), rng.standard_normal(17)]
    sparse = built(OneHotDense(13, 17, activation), (1,), weights, "float64", name)
    full = built(Dense(17, activation), (13,), weights, "float64", name)
    close(sparse.forward(words), full.forward(np.eye(13)[words[:, 0]]), 1e-14)
    assert sparse.backward(dout) is None
    full.backward(dout)
    for one, other in zip(sparse.grads.values(), full.grads.values(), strict=True):
        close(one, other, 1e-13)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 2e-6)])
def test_onehot_binary_crossentropy_equals_binary_crossentropy_on_the_onehot_matrix(
    backend, dtype, tolerance, rng
):
    logits = (5 * rng.standard_normal((11, 17))).astype(dtype)
    words = rng.integers(0, 17, 11, np.int32)
    logits[0, :4] = [1e4, -1e4, 90, -90]
    words[:2] = (0, 16)
    onehot = np.eye(17, dtype=dtype)
    loss, expected_loss, probability, dlogits, expected = (
        np.empty(11, dtype),
        np.empty(11, dtype),
        *np.full((3, 11, 17), np.nan, dtype),
    )
    backend.onehot_binary_crossentropy_forward(logits, words, loss, 17.0)
    backend.onehot_binary_crossentropy_backward(logits, words, dlogits, 17.0)
    backend.binary_crossentropy_forward(logits, onehot[words], probability, expected_loss, 17.0)
    backend.binary_crossentropy_backward(probability, onehot[words], expected, 17.0)
    np.testing.assert_allclose(loss, expected_loss, rtol=tolerance)
    close(dlogits, expected, tolerance)
    backend.onehot_binary_crossentropy_backward(logits, words, logits, 17.0)  # in place
    np.testing.assert_array_equal(logits, dlogits)


# Losses


def sparse_crossentropy(backend, logits, targets, scale=1.0):
    """The losses and dlogits, written into NaN."""
    loss, log_total, dlogits = (
        np.full(shape, np.nan, logits.dtype) for shape in (len(logits), targets.shape, logits.shape)
    )
    backend.sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, scale)
    backend.sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits, scale)
    return loss, dlogits


@pytest.mark.parametrize("N, T, V", [(1, 1, 1), (3, 1, 5), (1, 4, 2), (5, 3, 17), (2, 3, 1001)])
def test_sparse_crossentropy_is_the_negative_logarithm_of_softmax(backend, N, T, V, rng):
    logits = 3 * rng.standard_normal((N, T, V))
    targets = rng.integers(0, V, (N, T), np.int32)
    if V > 4:
        logits[0, 0, :4] = [1e4, -1e4, 1e4 - 1, 0]
        logits[-1, -1] -= 1e4
        targets[0, 0] = 1
    logarithm = log_softmax(logits, axis=2)
    (n, t) = np.indices((N, T))
    loss, dlogits = sparse_crossentropy(backend, logits, targets, 2.5)
    np.testing.assert_allclose(
        loss, -2.5 * logarithm[n, t, targets].mean(axis=1), rtol=1e-11, atol=1e-14
    )
    expected = np.exp(logarithm)
    expected[n, t, targets] -= 1
    np.testing.assert_allclose(dlogits, 2.5 / (N * T) * expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf])
def test_nan_goes_through_the_losses_of_words(backend, bad, dtype, rng):
    logits = rng.standard_normal((3, 2, 20)).astype(dtype)
    targets = rng.integers(0, 20, (3, 2), np.int32)
    logits[1, 1, 7] = bad
    targets[1, 1] = 3
    with np.errstate(invalid="ignore"):
        loss, dlogits = sparse_crossentropy(backend, logits, targets)
    assert np.isnan(loss[1]) and np.isfinite(loss[[0, 2]]).all()
    assert (
        np.isnan(dlogits[1, 1, 7])
        and np.isfinite(dlogits[[0, 2]]).all()
        and np.isfinite(dlogits[1, 0]).all()
    )
    if np.isnan(bad):
        backend.onehot_binary_crossentropy_forward(
            logits[:, 1].copy(), targets[:, 1].copy(), loss, 1.0
        )
        assert np.isnan(loss[1]) and np.isfinite(loss[[0, 2]]).all()


def test_impossible_words_cost_infinitely_much_and_the_others_nothing(backend):
    logits = np.array([[[0, -np.inf, -np.inf]], [[-np.inf, 0, -np.inf]]])
    loss, dlogits = sparse_crossentropy(backend, logits, np.array([[0], [0]], np.int32))
    assert loss[0] == 0 and loss[1] == np.inf
    np.testing.assert_array_equal(dlogits, [[[0, 0, 0]], [[-0.5, 0.5, 0]]])


def test_dlogits_may_take_the_place_of_the_logits(backend, rng):
    logits = rng.standard_normal((3, 2, 9))
    targets = rng.integers(0, 9, (3, 2), np.int32)
    _, expected = sparse_crossentropy(backend, logits.copy(), targets)
    loss = np.empty(3)
    log_total = np.empty((3, 2))
    backend.sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, 1.0)
    backend.sparse_categorical_crossentropy_backward(logits, targets, log_total, logits, 1.0)
    np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize(
    "call, size",
    [
        (lambda b, w: b.embedding_forward(w, np.zeros((5, 2)), np.zeros((3, 2))), 5),
        (lambda b, w: b.embedding_backward(np.zeros((3, 2)), w, np.zeros((5, 2))), 5),
        (
            lambda b, w: b.onehot_dense_forward(
                w, np.zeros((5, 2)), np.zeros(2), np.zeros((3, 2)), "relu"
            ),
            5,
        ),
        (
            lambda b, w: b.onehot_dense_backward(
                *np.zeros((1, 3, 2)), w, *np.zeros((2, 3, 2)), np.zeros((5, 2)), np.zeros(2), "relu"
            ),
            5,
        ),
        (
            lambda b, w: b.onehot_binary_crossentropy_forward(
                np.zeros((3, 4)), w, np.zeros(3), 1.0
            ),
            4,
        ),
        (
            lambda b, w: b.sparse_categorical_crossentropy_forward(
                np.zeros((1, 3, 4)), w[np.newaxis], np.zeros(1), np.zeros((1, 3)), 1.0
            ),
            4,
        ),
    ],
)
def test_words_outside_the_range_are_refused(backend, call, size):
    call(backend, np.array([0, 1, size - 1], np.int32))
    for word in (-1, size, 2**31 - 1, -(2**31)):
        with pytest.raises(
            ScratchVAEError, match=f": index {word} is out of range; allowed: 0 to {size - 1}$"
        ):
            call(backend, np.array([0, word, 1], np.int32))


# Clipping, and free bits


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 1e-6)])
@pytest.mark.parametrize("size", [1, 63, 65, 20_001, 600_001])
def test_clip_by_global_norm(backend, size, dtype, tolerance, rng):
    gradients = rng.standard_normal(size).astype(dtype)
    norm = np.linalg.norm(gradients.astype(np.float64))
    scratch = backend.clip_by_global_norm_scratch(dtype)
    clipped = gradients.copy()
    backend.clip_by_global_norm(clipped, 1.01 * norm, scratch)
    np.testing.assert_array_equal(clipped, gradients)
    backend.clip_by_global_norm(clipped, 0.3 * norm, scratch)
    close(clipped, 0.3 * gradients.astype(np.float64), tolerance)
    nothing = np.zeros(size, dtype)
    backend.clip_by_global_norm(nothing, 1.0, scratch)
    assert (nothing == 0).all()


@pytest.mark.parametrize("name", HOSTS)
def test_gradients_whose_squares_overflow_are_clipped_all_the_same(name):
    gradients = np.full(4, -1e20, np.float32)
    backend = kernels.load(name)
    backend.clip_by_global_norm(gradients, 1.0, backend.clip_by_global_norm_scratch(np.float32))
    np.testing.assert_allclose(gradients, -0.5, rtol=1e-6)


@pytest.mark.parametrize("optimizer", [SGD, RMSprop, Adam])
def test_every_optimizer_clips_before_it_updates(backend, optimizer, rng):
    gradients = rng.standard_normal(9)
    results = []
    for clipnorm, factor in ((0.5, 1.0), (None, 0.5 / np.linalg.norm(gradients)), (None, 1.0)):
        parameters = SimpleNamespace(values=np.zeros(9), gradients=factor * gradients)
        made = (
            optimizer(epsilon=0.1, global_clipnorm=clipnorm)
            if optimizer is not SGD
            else SGD(global_clipnorm=clipnorm)
        )
        assert made.get_config()["global_clipnorm"] == clipnorm
        made.build(parameters, backend)
        made.update()
        results.append(parameters.values)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12)
    assert not np.allclose(results[0], results[2], rtol=0.01)


def test_dimensions_below_the_free_bits_get_no_kl_gradient(backend, rng):
    mean = rng.standard_normal((8, 4)) * [0.01, 1, 0.3, 2]
    log_var = 0.1 * rng.standard_normal((8, 4))
    kl = np.mean(-0.5 * (1 + log_var - mean**2 - np.exp(log_var)), axis=0)
    free_bits = np.sort(kl)[1:3].mean()  # two dimensions below, two above
    before = rng.standard_normal((2, 8, 4))
    dmean, dlog_var = before.copy()
    backend.gaussian_kl_backward(mean, log_var, dmean, dlog_var, 0.7, free_bits)
    above = kl > free_bits
    assert above.sum() == 2
    np.testing.assert_array_equal(dmean[:, ~above], before[0][:, ~above])
    np.testing.assert_array_equal(dlog_var[:, ~above], before[1][:, ~above])
    np.testing.assert_allclose((dmean - before[0])[:, above], 0.7 * mean[:, above] / 8, rtol=1e-9)
    np.testing.assert_allclose(
        (dlog_var - before[1])[:, above],
        0.7 * (np.exp(log_var[:, above]) - 1) / 16,
        rtol=1e-9,
        atol=1e-15,
    )


def test_without_free_bits_even_a_kl_of_nothing_has_its_gradient(backend):
    """A KL that rounding makes a little less than 0 is no reason to leave it out."""
    mean = np.full((1, 1), 1e-9)
    log_var = np.full((1, 1), 1e-9)
    dmean = np.zeros((1, 1))
    dlog_var = np.zeros((1, 1))
    backend.gaussian_kl_backward(mean, log_var, dmean, dlog_var, 1.0, 0.0)
    assert dmean[0, 0] == 1e-9 and dlog_var[0, 0] == pytest.approx(5e-10, rel=1e-6)
