"""Operations of words by Keras's numbers and definitions: embeddings, losses, clipping, free bits.

test_operations.py compares the backends with each other.
"""
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import HOSTS, KERAS_GROUPS, built, close, numbered
from scipy.special import log_softmax
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae.layers import GRU, Bidirectional, Dense, Embedding, OneHotDense, RepeatVector
from scratchvae.models import VAE, Sequential
from scratchvae.optimizers import SGD, Adam, RMSprop

# Keras's numbers

def both(units, return_sequences=False):
    """A GRU in both directions."""
    return Bidirectional(GRU(units, return_sequences))


CHAINS = {
    "words/embedding": lambda: [Embedding(9, 3)],
    "words/gru": lambda: [Embedding(9, 3, mask_zero=True), GRU(4)],
    "words/bidirectional": lambda: [Embedding(9, 3), both(4, True)],
    "words/masked bidirectional": lambda: [Embedding(9, 3, mask_zero=True), both(4, True)],
    "words/masked bidirectional last": lambda: [Embedding(9, 3, mask_zero=True), both(4)],
    "words/masked stack": lambda: [Embedding(9, 3, mask_zero=True), both(4, True),
                                   GRU(5, return_sequences=True), GRU(3)],
}
OTHER_GROUPS = ("gru/last state", "gru/states", "gru/masked last state", "gru/masked states",
                "text-gru", "optimizer/Adam clipped", "loss/sparse_categorical_crossentropy")


@pytest.mark.parametrize("group", [*OTHER_GROUPS, *CHAINS])
def test_keras_s_numbers_are_of_every_kind(group):
    assert group in KERAS_GROUPS


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("group", CHAINS)
def test_chains_of_layers_on_words_equal_keras(golden, group, name, dtype, tolerance):
    g = golden[group]
    chain = Sequential(CHAINS[group]())
    built(chain, g["x"].shape[1:], numbered(g, "weight"), dtype, name)
    close(chain.forward(g["x"], training=True), g["y"], tolerance)
    assert chain.backward(g["dout"].astype(dtype)) is None
    for gradient, expected in zip(chain.grads.values(), numbered(g, "gradient"), strict=True):
        close(gradient, expected, tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 2e-6)])
def test_sparse_categorical_crossentropy_equals_keras(backend, golden, dtype, tolerance):
    g = golden["loss/sparse_categorical_crossentropy"]
    steps = g["targets"].shape[1]
    loss, dlogits = sparse_crossentropy(backend, g["logits"].astype(dtype), g["targets"], steps)
    close(loss, g["loss"], tolerance)
    close(dlogits, g["dlogits"], tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-7), ("float32", 2e-6)])
def test_adam_with_global_clipnorm_equals_keras(backend, golden, dtype, tolerance):
    """Of two variables in Keras: the norm is that of both together."""
    g = golden["optimizer/Adam clipped"]
    parameters = SimpleNamespace(values=g["start"].astype(dtype), gradients=np.zeros(11, dtype))
    optimizer = Adam(0.01, global_clipnorm=0.5)
    optimizer.build(parameters, backend)
    for gradient, after in zip(g["gradients"], g["after"], strict=True):
        parameters.gradients[...] = gradient
        optimizer.update()
        close(parameters.values, after, tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize("name", HOSTS)
def test_a_whole_vae_of_words_equals_keras(golden, name, dtype, tolerance):
    g = golden["text-gru"]
    encoder = [Embedding(11, 4, mask_zero=True), both(3, True), both(2), Dense(5, "relu")]
    decoder = [Dense(5), RepeatVector(6), both(2, True), both(3, True), Dense(11, "softmax")]
    vae = VAE(encoder, 3, decoder, "sparse_categorical_crossentropy", 6.0, dtype=dtype,
              backend=name)
    vae.build((6,))
    for part, module in vae.parts.items():
        module.set_weights(numbered(golden[f"text-gru/{part}"], "weight"))
    vae.noise.normal = lambda out, stream: np.copyto(out, g["eps"])
    reconstruction, kl = vae.forward(g["x"], training=True)
    close(reconstruction, g["reconstruction"], tolerance)
    close(kl, g["kl"], tolerance)
    close(vae.loss._logits, g["logits"], tolerance)
    vae.backward(0.7)
    for part, module in vae.parts.items():
        expected = numbered(golden[f"text-gru/{part}"], "gradient")
        for gradient, right in zip(module.grads.values(), expected, strict=True):
            close(gradient, right, tolerance)


# Embeddings, and dense layers on one-hot words

def test_rows_of_equal_words_add_up_and_other_rows_get_zeros(backend):
    words = np.array([3, 1, 3, 3, 1], np.int32)
    dout = np.arange(10.0).reshape(5, 2) ** 2
    dtable = np.full((5, 2), np.nan)
    backend.embedding_backward(dout, words, dtable)
    expected = [[0, 0], dout[1] + dout[4], [0, 0], dout[0] + dout[2] + dout[3], [0, 0]]
    np.testing.assert_array_equal(dtable, expected)


@pytest.mark.parametrize("word", [-1, 5, 2 ** 31 - 1, -2 ** 31])
def test_words_just_outside_the_table_are_refused(backend, word):
    table = np.zeros((5, 2))
    y = np.zeros((3, 2))
    backend.embedding_forward(np.array([0, 1, 4], np.int32), table, y)
    with pytest.raises(ScratchVAEError, match=f"^embedding_forward: indices: index {word} is out "
                                              "of range; allowed: 0 to 4$"):
        backend.embedding_forward(np.array([0, word, 1], np.int32), table, y)


@pytest.mark.parametrize("activation", ["linear", "relu", "leaky_relu(0.3)", "sigmoid", "tanh",
                                        "softmax"])
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


# Losses

@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-13), ("float32", 2e-6)])
def test_onehot_binary_crossentropy_equals_that_of_the_onehot_matrix(backend, dtype, tolerance,
                                                                     rng):
    logits = (5 * rng.standard_normal((11, 17))).astype(dtype)
    words = rng.integers(0, 17, 11, np.int32)
    logits[0, :4] = [1e4, -1e4, 90, -90]
    words[:2] = (0, 16)
    onehot = np.eye(17, dtype=dtype)[words]
    loss = np.full(11, np.nan, dtype)
    dlogits = np.full_like(logits, np.nan)
    backend.onehot_binary_crossentropy_forward(logits, words, loss, 17.0)
    backend.onehot_binary_crossentropy_backward(logits, words, dlogits, 17.0)
    probability = np.full_like(logits, np.nan)
    expected_loss = np.full_like(loss, np.nan)
    expected = np.full_like(logits, np.nan)
    backend.binary_crossentropy_forward(logits, onehot, probability, expected_loss, 17.0)
    backend.binary_crossentropy_backward(probability, onehot, expected, 17.0)
    np.testing.assert_allclose(loss, expected_loss, rtol=tolerance)
    close(dlogits, expected, tolerance)
    backend.onehot_binary_crossentropy_backward(logits, words, logits, 17.0)        # in place
    np.testing.assert_array_equal(logits, dlogits)


def sparse_crossentropy(backend, logits, targets, scale=1.0):
    """The losses and dlogits, written into NaN."""
    loss = np.full(len(logits), np.nan, logits.dtype)
    log_total = np.full(targets.shape, np.nan, logits.dtype)
    dlogits = np.full_like(logits, np.nan)
    backend.sparse_categorical_crossentropy_forward(logits, targets, loss, log_total,
                                                    float(scale))
    backend.sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits,
                                                     float(scale))
    return loss, dlogits


@pytest.mark.parametrize("N, T, V", [(1, 1, 1), (1, 4, 2), (5, 3, 17), (2, 3, 1001)])
def test_sparse_crossentropy_is_the_negative_logarithm_of_softmax(backend, N, T, V, rng):
    logits = 3 * rng.standard_normal((N, T, V))
    targets = rng.integers(0, V, (N, T), np.int32)
    if V > 4:
        logits[0, 0, :4] = [1e4, -1e4, 1e4 - 1, 0]
        logits[-1, -1] -= 1e4
        targets[0, 0] = 1
    logarithm = log_softmax(logits, axis=2)
    n, t = np.indices((N, T))
    loss, dlogits = sparse_crossentropy(backend, logits, targets, 2.5)
    expected_loss = -2.5 * logarithm[n, t, targets].mean(axis=1)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-11, atol=1e-14)
    expected = np.exp(logarithm)
    expected[n, t, targets] -= 1
    np.testing.assert_allclose(dlogits, 2.5 / (N * T) * expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf])
def test_nan_and_infinity_go_through_the_softmax_loss(backend, bad, dtype, rng):
    logits = rng.standard_normal((3, 2, 20)).astype(dtype)
    targets = rng.integers(0, 20, (3, 2), np.int32)
    logits[1, 1, 7] = bad
    targets[1, 1] = 3
    with np.errstate(invalid="ignore"):
        loss, dlogits = sparse_crossentropy(backend, logits, targets)
    assert np.isnan(loss[1])
    assert np.isnan(dlogits[1, 1, 7])
    assert np.isfinite(loss[[0, 2]]).all()
    assert np.isfinite(dlogits[[0, 2]]).all()
    assert np.isfinite(dlogits[1, 0]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, -np.nan])
def test_nan_goes_through_the_onehot_loss(backend, bad, dtype, rng):
    logits = rng.standard_normal((3, 20)).astype(dtype)
    logits[1, 7] = bad
    loss = np.zeros(3, dtype)
    backend.onehot_binary_crossentropy_forward(logits, np.array([1, 3, 5], np.int32), loss, 1.0)
    assert np.isnan(loss[1])
    assert np.isfinite(loss[[0, 2]]).all()


def test_impossible_words_cost_infinitely_much_and_certain_ones_nothing(backend):
    logits = np.array([[[0, -np.inf, -np.inf]], [[-np.inf, 0, -np.inf]]])
    loss, dlogits = sparse_crossentropy(backend, logits, np.array([[0], [0]], np.int32))
    np.testing.assert_array_equal(loss, [0, np.inf])
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


# Clipping, and free bits

@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-13), ("float32", 1e-6)])
@pytest.mark.parametrize("size", [1, 65, 600_001])
def test_gradients_above_the_clipnorm_are_scaled_down_to_it(backend, size, dtype, tolerance, rng):
    gradients = rng.standard_normal(size).astype(dtype)
    norm = np.linalg.norm(gradients.astype(np.float64))
    scratch = backend.clip_by_global_norm_scratch(size, dtype)
    clipped = gradients.copy()
    backend.clip_by_global_norm(clipped, 1.01 * norm, scratch)
    np.testing.assert_array_equal(clipped, gradients)
    backend.clip_by_global_norm(clipped, 0.3 * norm, scratch)
    close(clipped, 0.3 * gradients.astype(np.float64), tolerance)


def test_gradients_of_zero_stay_zero(backend):
    nothing = np.zeros(65)
    backend.clip_by_global_norm(nothing, 1.0, backend.clip_by_global_norm_scratch(65, "float64"))
    assert (nothing == 0).all()


def test_gradients_whose_squares_overflow_are_clipped_all_the_same(backend):
    gradients = np.full(4, -1e20, np.float32)
    scratch = backend.clip_by_global_norm_scratch(4, np.float32)
    backend.clip_by_global_norm(gradients, 1.0, scratch)
    np.testing.assert_allclose(gradients, -0.5, rtol=1e-6)


@pytest.mark.parametrize("make", [SGD, lambda **options: RMSprop(epsilon=0.1, **options),
                                  lambda **options: Adam(epsilon=0.1, **options)])
def test_every_optimizer_clips_before_it_updates(backend, make, rng):
    gradients = rng.standard_normal(9)
    small = gradients * (0.5 / np.linalg.norm(gradients))

    def updated(gradients, clipnorm):
        parameters = SimpleNamespace(values=np.zeros(9), gradients=gradients.copy())
        optimizer = make(global_clipnorm=clipnorm)
        assert optimizer.get_config()["global_clipnorm"] == clipnorm
        optimizer.build(parameters, backend)
        optimizer.update()
        return parameters.values

    clipped = updated(gradients, 0.5)
    np.testing.assert_allclose(clipped, updated(small, None), rtol=1e-12)
    assert not np.allclose(clipped, updated(gradients, None), rtol=0.01)


def test_dimensions_below_the_free_bits_get_no_kl_gradient(backend, rng):
    mean = rng.standard_normal((8, 4)) * [0.01, 1, 0.3, 2]
    log_var = 0.1 * rng.standard_normal((8, 4))
    kl = np.mean(-0.5 * (1 + log_var - mean ** 2 - np.exp(log_var)), axis=0)
    free_bits = np.sort(kl)[1:3].mean()                 # two dimensions below, two above
    before_mean, before_log_var = rng.standard_normal((2, 8, 4))
    dmean = before_mean.copy()
    dlog_var = before_log_var.copy()
    backend.gaussian_kl_backward(mean, log_var, dmean, dlog_var, 0.7, free_bits)
    above = kl > free_bits
    expected = np.where(above, 0.7 * mean / 8, 0)
    np.testing.assert_allclose(dmean - before_mean, expected, rtol=1e-9, atol=1e-15)
    expected = np.where(above, 0.7 * (np.exp(log_var) - 1) / 16, 0)
    np.testing.assert_allclose(dlog_var - before_log_var, expected, rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(dmean[:, ~above], before_mean[:, ~above])
    np.testing.assert_array_equal(dlog_var[:, ~above], before_log_var[:, ~above])


def test_without_free_bits_even_a_kl_of_nothing_has_its_gradient(backend):
    """A KL that rounding makes a little less than 0 has its gradient, too."""
    mean = np.full((1, 1), 1e-9)
    log_var = np.full((1, 1), 1e-9)
    dmean = np.zeros((1, 1))
    dlog_var = np.zeros((1, 1))
    backend.gaussian_kl_backward(mean, log_var, dmean, dlog_var, 1.0, 0.0)
    assert dmean[0, 0] == 1e-9
    assert dlog_var[0, 0] == pytest.approx(5e-10, rel=1e-6)
