"""Words: embeddings, recurrent layers, their losses and models, against Keras's numbers, definitions, the other backend and differences."""
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from scipy.special import log_softmax

import kernels
from conftest import GOLDEN
from kernels.contract import ScratchVAEError
from scratchvae.gradcheck import check_layer, check_model, compare
from scratchvae.layers import GRU, Activation, Bidirectional, Dense, Dropout, Embedding, OneHotDense, RepeatVector, Reshape
from scratchvae.models import VAE, Model, Sequential, TextVAE
from scratchvae.models.text_vae import END, PAD, UNKNOWN
from scratchvae.optimizers import SGD, Adam, RMSprop

REFERENCE, CPU = kernels.load("reference"), kernels.load("cpu")
with np.load(GOLDEN) as _file:
    KERAS_GROUPS = list(dict.fromkeys(path.rpartition("/")[0] for path in _file.files))

# Which of 5 steps count: all, zeros before, behind, in the middle, at both ends, and none.
MASK = np.array([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], np.int32)


@pytest.fixture(autouse=True)
def one_thread(all_threads_afterwards):
    """Small arrays are done before a second thread has woken up.  (Tests of threads set their number themselves.)"""
    CPU.set_threads(1)


def close(actual, expected, tolerance):
    """The largest difference is within tolerance of the largest number expected."""
    assert actual.shape == expected.shape and np.isfinite(actual).all()
    assert np.abs(actual - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-30)


def draw(rng, N, T, K, U, dtype=np.float64):
    """x, kernel, recurrent_kernel, bias, initial_state, a mask with a sequence that has no step, and dout."""
    shapes = ((N, T, K), (K, 3 * U), (U, 3 * U), (2, 3 * U), (N, U), (N, T, U))
    *arrays, dout = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    mask = (rng.random((N, T)) < 0.7).astype(np.int32)
    mask[0], mask[-1] = (1, 0) if N > 1 else (1, 1)
    return [*arrays, mask, dout]


def recur(backend, x, kernel, recurrent_kernel, bias, initial_state, mask, dout, go_backwards=False, scratch=None, need_dx=True):
    """The states of a GRU and all gradients, written into arrays of NaN."""
    scratch = backend.gru_scratch(*x.shape, dout.shape[2], x.dtype) if scratch is None else scratch
    y, dx, dkernel, drecurrent_kernel, dbias, dinitial_state = (
        np.full_like(array, np.nan) for array in (dout, x, kernel, recurrent_kernel, bias, initial_state))
    dx = dx if need_dx else None
    backend.gru_forward(x, kernel, recurrent_kernel, bias, initial_state, mask, y, go_backwards, scratch)
    gradients = dict(dx=dx, dkernel=dkernel, drecurrent_kernel=drecurrent_kernel, dbias=dbias, dinitial_state=dinitial_state)
    backend.gru_backward(dout, x, kernel, recurrent_kernel, mask, *gradients.values(), go_backwards, scratch)
    return dict(y=y, **gradients)


def numbered(group, name):
    """The arrays name_0, name_1, ... of a group."""
    return [group[f"{name}_{i}"] for i in range(sum(key.startswith(f"{name}_") for key in group))]


def built(layer, input_shape, weights, dtype, backend):
    """A layer or a Sequential with these weights."""
    for member in layer.layers.values() if isinstance(layer, Sequential) else [layer]:
        member.dtype, member.backend = dtype, backend
    layer.build(input_shape)
    layer.set_weights(weights)
    return layer


# Keras's numbers

@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("name", kernels.BACKENDS)
@pytest.mark.parametrize("group", [group for group in KERAS_GROUPS if group.startswith("gru/")])
def test_gru_equals_keras(golden, group, name, dtype, tolerance):
    g = golden[group]
    x, initial_state, dout = (g[key].astype(dtype) for key in ("x", "initial_state", "dout"))
    layer = built(GRU(g["y"].shape[-1], return_sequences=g["y"].ndim == 3), x.shape[1:], numbered(g, "weight"), dtype, name)
    layer.mask = g["mask"]
    close(layer.forward(x, True, initial_state), g["y"], tolerance)
    close(layer.backward(dout), g["dx"], tolerance)
    close(layer.dinitial_state, g["dinitial_state"], tolerance)
    for gradient, expected in zip(layer.grads.values(), numbered(g, "gradient"), strict=True):
        close(gradient, expected, tolerance)


WORDS = {"words/embedding": lambda: [Embedding(9, 3)],
         "words/gru": lambda: [Embedding(9, 3, mask_zero=True), GRU(4)],
         "words/bidirectional": lambda: [Embedding(9, 3), Bidirectional(GRU(4, return_sequences=True))],
         "words/masked bidirectional": lambda: [Embedding(9, 3, mask_zero=True), Bidirectional(GRU(4, return_sequences=True))],
         "words/masked bidirectional last": lambda: [Embedding(9, 3, mask_zero=True), Bidirectional(GRU(4))],
         "words/masked stack": lambda: [Embedding(9, 3, mask_zero=True), Bidirectional(GRU(4, return_sequences=True)),
                                        GRU(5, return_sequences=True), GRU(3)]}


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("name", kernels.BACKENDS)
@pytest.mark.parametrize("group", WORDS)
def test_layers_of_words_equal_keras(golden, group, name, dtype, tolerance):
    g = golden[group]
    chain = built(Sequential(WORDS[group]()), g["x"].shape[1:], numbered(g, "weight"), dtype, name)
    y, expected = chain.forward(g["x"], training=True), g["y"]
    if "masked" in group and y.ndim == 3:           # at a step that doesn't count we keep the state, Keras's Bidirectional has zeros
        y, expected = y[g["x"] != 0], expected[g["x"] != 0]
    close(y, expected, tolerance)
    assert chain.backward(g["dout"].astype(dtype)) is None
    for gradient, expected in zip(chain.grads.values(), numbered(g, "gradient"), strict=True):
        close(gradient, expected, tolerance)


def test_keras_s_numbers_are_of_every_kind():
    assert {"gru/last state", "gru/states", "gru/masked last state", "gru/masked states", *WORDS, "text-gru", "optimizer/Adam clipped",
            "loss/sparse_categorical_crossentropy"} <= set(KERAS_GROUPS)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-6)])
def test_sparse_categorical_crossentropy_equals_keras(backend, golden, dtype, tolerance):
    g = golden["loss/sparse_categorical_crossentropy"]
    logits, (N, T) = g["logits"].astype(dtype), g["targets"].shape
    loss, log_total, dlogits = np.full(N, np.nan, dtype), np.full((N, T), np.nan, dtype), np.full_like(logits, np.nan)
    backend.sparse_categorical_crossentropy_forward(logits, g["targets"], loss, log_total, float(T))
    backend.sparse_categorical_crossentropy_backward(logits, g["targets"], log_total, dlogits, float(T))
    close(loss, g["loss"], tolerance)
    close(dlogits, g["dlogits"], tolerance)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-7), (np.float32, 2e-6)])
def test_adam_with_global_clipnorm_equals_keras(backend, golden, dtype, tolerance):
    g = golden["optimizer/Adam clipped"]            # of two variables in Keras: the norm is that of both together
    parameters = SimpleNamespace(values=g["start"].astype(dtype), gradients=np.zeros(11, dtype))
    optimizer = Adam(0.01, global_clipnorm=0.5)
    optimizer.build(parameters, backend)
    for gradient, after in zip(g["gradients"], g["after"]):
        parameters.gradients[...] = gradient
        optimizer.update()
        close(parameters.values, after, tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize("name", kernels.BACKENDS)
def test_text_gru_equals_keras(golden, name, dtype, tolerance):
    g = golden["text-gru"]
    vae = VAE([Embedding(11, 4, mask_zero=True), Bidirectional(GRU(3, return_sequences=True)), Bidirectional(GRU(2)), Dense(5, "relu")], 3,
              [Dense(5), RepeatVector(6), Bidirectional(GRU(2, return_sequences=True)), Bidirectional(GRU(3, return_sequences=True)),
               Dense(11, "softmax")], "sparse_categorical_crossentropy", 6.0, dtype=dtype, backend=name)
    vae.build((6,))
    for part, module in vae.parts.items():
        module.set_weights(numbered(golden[f"text-gru/{part}"], "weight"))
        for weight, given in zip(module.get_weights(), numbered(golden[f"text-gru/{part}"], "weight"), strict=True):
            np.testing.assert_allclose(weight, given, rtol=1e-6)
    vae.noise.normal = lambda out, stream: np.copyto(out, g["eps"])
    reconstruction, kl = vae.forward(g["x"], training=True)
    close(reconstruction, g["reconstruction"], tolerance)
    close(kl, g["kl"], tolerance)
    close(vae.loss._logits, g["logits"], tolerance)
    vae.backward(0.7)
    for part, module in vae.parts.items():
        for (key, gradient), expected in zip(module.grads.items(), numbered(golden[f"text-gru/{part}"], "gradient"), strict=True):
            assert np.abs(gradient - expected).max() <= tolerance * np.abs(expected).max(), f"{part}/{key}"


# The recurrent kernels

SIZES = [(1, 1, 1, 1), (3, 1, 5, 7), (1, 4, 3, 16), (7, 5, 9, 17), (13, 3, 33, 31), (6, 4, 8, 32), (25, 3, 5, 40), (2, 3, 1, 90)]


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_gru_equals_reference(sizes, go_backwards, dtype, tolerance, rng):
    arrays = draw(rng, *sizes, dtype)
    expected = recur(REFERENCE, *(a if a.dtype == np.int32 else a.astype(np.float64) for a in arrays), go_backwards)
    for name, array in recur(CPU, *arrays, go_backwards).items():
        close(array, expected[name], tolerance)


def test_a_gru_written_out_step_by_step(backend, rng):
    """Cho et al.'s equations, a number at a time."""
    x, W, R, b, initial_state, mask, dout = draw(rng, 4, 5, 3, 2)
    y = recur(backend, x, W, R, b, initial_state, mask, dout)["y"]
    for n in range(4):
        h = initial_state[n]
        for t in range(5):
            a, q = x[n, t] @ W + b[0], h @ R + b[1]
            z, r = (1 / (1 + np.exp(-(a[part] + q[part]))) for part in (slice(0, 2), slice(2, 4)))
            if mask[n, t]:
                h = z * h + (1 - z) * np.tanh(a[4:] + r * q[4:])
            np.testing.assert_allclose(y[n, t], h, rtol=1e-12)


def test_backwards_is_forwards_on_the_reversed_sequence(backend, rng):
    x, W, R, b, initial_state, mask, dout = draw(rng, 4, 5, 3, 7)
    there = recur(backend, x, W, R, b, initial_state, mask, dout, go_backwards=True)
    back = recur(backend, *(np.ascontiguousarray(a) for a in (x[:, ::-1], W, R, b, initial_state, mask[:, ::-1], dout[:, ::-1])))
    for name, array in there.items():
        close(array, back[name][:, ::-1] if name in ("y", "dx") else back[name], 1e-13)
    assert np.abs(there["y"] - recur(backend, x, W, R, b, initial_state, mask, dout)["y"]).max() > 0.1


@pytest.mark.parametrize("go_backwards", [False, True])
def test_sequences_without_any_step_keep_their_state(backend, go_backwards, rng):
    x, W, R, b, initial_state, mask, dout = draw(rng, 7, 3, 4, 5)
    mask[...] = 0
    results = recur(backend, x, W, R, b, initial_state, mask, dout, go_backwards)
    np.testing.assert_array_equal(results["y"], np.repeat(initial_state[:, np.newaxis], 3, axis=1))
    np.testing.assert_allclose(results["dinitial_state"], dout.sum(axis=1), rtol=1e-13)
    for name in ("dx", "dkernel", "drecurrent_kernel", "dbias"):
        assert (results[name] == 0).all(), name


def test_steps_that_do_not_count_might_as_well_not_be_there(backend, rng):
    """Whatever x is there; and its gradient is 0."""
    x, W, R, b, initial_state, mask, dout = draw(rng, 6, 5, 4, 3)
    mask[...], dout[mask == 0] = MASK, 0
    expected = recur(backend, x, W, R, b, initial_state, mask, dout)
    for n in range(5):
        kept = mask[n] == 1
        short = recur(backend, *(np.ascontiguousarray(a) for a in (x[n:n + 1, kept], W, R, b, initial_state[n:n + 1], mask[n:n + 1, kept],
                                                                   dout[n:n + 1, kept])))
        close(short["y"][0], expected["y"][n, kept], 1e-13)
    other = x.copy()
    other[mask == 0] = 100
    for name, array in recur(backend, other, W, R, b, initial_state, mask, dout).items():
        close(array, expected[name], 1e-13)
    assert (expected["dx"][mask == 0] == 0).all() and (expected["dx"][mask == 1] != 0).all()


def test_a_recurrent_scratch_remembers_nothing(backend, rng):
    scratch = backend.gru_scratch(7, 4, 3, 5, np.float64)
    for go_backwards in (False, True, False):
        arrays = draw(rng, 7, 4, 3, 5)
        arrays[5][...] = rng.integers(0, 2, (7, 4))
        expected = recur(REFERENCE, *arrays, go_backwards)
        for name, array in recur(backend, *arrays, go_backwards, scratch).items():
            close(array, expected[name], 1e-12)


def test_without_dx_the_other_gradients_are_the_same(backend, rng):
    arrays = draw(rng, 5, 3, 4, 6)
    results, without = recur(backend, *arrays), recur(backend, *arrays, need_dx=False)
    assert without.pop("dx") is None
    for name, array in without.items():
        np.testing.assert_array_equal(array, results[name])


@pytest.mark.parametrize("sizes", [(6, 4, 3, 5), (7, 5, 3, 5), (7, 4, 2, 5), (7, 4, 3, 6)])
def test_a_recurrent_scratch_of_other_sizes_is_refused(sizes, rng):
    with pytest.raises(ScratchVAEError, match=r"gru: the scratch was made for other sizes; needed: gru_scratch\(7, 4, 3, 5"):
        recur(CPU, *draw(rng, 7, 4, 3, 5), scratch=CPU.gru_scratch(*sizes, np.float64))


@pytest.mark.parametrize("count", [1, 3])
def test_a_bias_needs_two_rows(backend, count, rng):
    x, W, R, _, initial_state, mask, dout = draw(rng, 3, 2, 4, 5)
    with pytest.raises(ScratchVAEError, match="gru"):
        recur(backend, x, W, R, rng.standard_normal((count, 15)), initial_state, mask, dout)


def on_one_and_more_threads(compute):
    """What compute() gives on one thread, and on all (two at least, where there are two)."""
    results = []
    try:
        for threads in sorted({1, min(2, numba.config.NUMBA_NUM_THREADS), numba.config.NUMBA_NUM_THREADS}):
            CPU.set_threads(threads)
            results.append(compute())
    finally:
        CPU.set_threads(numba.config.NUMBA_NUM_THREADS)
    return results


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("operation", ["gru", "embedding", "onehot_dense", "sparse_categorical_crossentropy", "onehot_binary_crossentropy",
                                       "clip_by_global_norm"])
def test_same_bits_on_one_and_more_threads(operation, dtype, rng):
    words = rng.integers(0, 9, 501, np.int32)
    table, dout = (rng.standard_normal(shape).astype(dtype) for shape in ((9, 70), (501, 70)))
    logits, targets = rng.standard_normal((37, 5, 101)).astype(dtype), rng.integers(0, 101, (37, 5), np.int32)
    sequences, gradients = draw(rng, 41, 4, 9, 37, dtype), rng.standard_normal(70_001).astype(dtype)

    def compute():
        y, dtable, dlogits = (np.empty_like(array) for array in (dout, table, logits))
        bias, one, last, clipped = (array.copy() for array in (table[0], logits[:, 0], targets[:, 0], gradients))
        loss, log_total = np.empty(37, dtype), np.empty((37, 5), dtype)
        if operation == "gru":
            return [array.tobytes() for array in recur(CPU, *sequences).values()]
        if operation == "embedding":
            CPU.embedding_forward(words, table, y)
            CPU.embedding_backward(dout, words, dtable)
        if operation == "onehot_dense":
            CPU.onehot_dense_forward(words, table, bias, y, "tanh")
            CPU.onehot_dense_backward(dout, words, y, np.empty_like(y), dtable, bias, "tanh")
        if operation == "sparse_categorical_crossentropy":
            CPU.sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, 5.0)
            CPU.sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits, 5.0)
        if operation == "onehot_binary_crossentropy":
            CPU.onehot_binary_crossentropy_forward(one, last, loss, 3.0)
            CPU.onehot_binary_crossentropy_backward(one, last, one, 3.0)
        if operation == "clip_by_global_norm":
            CPU.clip_by_global_norm(clipped, 1.0, CPU.clip_by_global_norm_scratch(dtype))
        made = {"embedding": (y, dtable), "onehot_dense": (y, dtable, bias), "sparse_categorical_crossentropy": (loss, log_total, dlogits),
                "onehot_binary_crossentropy": (loss, one), "clip_by_global_norm": (clipped,)}
        return [array.tobytes() for array in made[operation]]

    first, *others = on_one_and_more_threads(compute)
    assert all(other == first for other in others)


# Embeddings, and dense layers on one-hot words

def test_rows_of_equal_words_add_up_and_other_rows_get_zeros(backend):
    words, dout = np.array([3, 1, 3, 3, 1], np.int32), np.arange(10.0).reshape(5, 2) ** 2
    dtable = np.full((5, 2), np.nan)
    backend.embedding_backward(dout, words, dtable)
    np.testing.assert_array_equal(dtable, [[0, 0], dout[1] + dout[4], [0, 0], dout[0] + dout[2] + dout[3], [0, 0]])


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 5e-6)])
@pytest.mark.parametrize("N, V, E", [(1, 1, 1), (5, 3, 1), (33, 7, 16), (40, 5, 37), (7, 1000, 33)])
def test_embedding_equals_reference(N, V, E, dtype, tolerance, rng):
    words = rng.integers(0, V, N, np.int32)
    table, dout = (rng.standard_normal(shape).astype(dtype) for shape in ((V, E), (N, E)))
    y, dtable, expected = np.full((N, E), np.nan, dtype), np.full((V, E), np.nan, dtype), np.full((V, E), np.nan)
    CPU.embedding_forward(words, table, y)
    np.testing.assert_array_equal(y, table[words])
    CPU.embedding_backward(dout, words, dtable)
    REFERENCE.embedding_backward(dout.astype(np.float64), words, expected)
    close(dtable, expected, tolerance)
    assert np.array_equal(dtable.any(axis=1), np.isin(np.arange(V), words))


@pytest.mark.parametrize("activation", ["linear", "relu", "leaky_relu(0.3)", "sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize("name", kernels.BACKENDS)
def test_onehot_dense_equals_dense_on_the_onehot_matrix(name, activation, rng):
    words, dout = rng.integers(0, 13, (29, 1), np.int32), rng.standard_normal((29, 17))
    weights = [rng.standard_normal((13, 17)), rng.standard_normal(17)]
    sparse = built(OneHotDense(13, 17, activation), (1,), weights, "float64", name)
    full = built(Dense(17, activation), (13,), weights, "float64", name)
    close(sparse.forward(words), full.forward(np.eye(13)[words[:, 0]]), 1e-14)
    assert sparse.backward(dout) is None
    full.backward(dout)
    for one, other in zip(sparse.grads.values(), full.grads.values(), strict=True):
        close(one, other, 1e-13)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 2e-6)])
def test_onehot_binary_crossentropy_equals_binary_crossentropy_on_the_onehot_matrix(backend, dtype, tolerance, rng):
    logits, words = (5 * rng.standard_normal((11, 17))).astype(dtype), rng.integers(0, 17, 11, np.int32)
    logits[0, :4], words[:2], onehot = [1e4, -1e4, 90, -90], (0, 16), np.eye(17, dtype=dtype)
    loss, expected_loss, probability, dlogits, expected = np.empty(11, dtype), np.empty(11, dtype), *np.full((3, 11, 17), np.nan, dtype)
    backend.onehot_binary_crossentropy_forward(logits, words, loss, 17.0)
    backend.onehot_binary_crossentropy_backward(logits, words, dlogits, 17.0)
    backend.binary_crossentropy_forward(logits, onehot[words], probability, expected_loss, 17.0)
    backend.binary_crossentropy_backward(probability, onehot[words], expected, 17.0)
    np.testing.assert_allclose(loss, expected_loss, rtol=tolerance)
    close(dlogits, expected, tolerance)
    backend.onehot_binary_crossentropy_backward(logits, words, logits, 17.0)            # in place
    np.testing.assert_array_equal(logits, dlogits)


# Losses

def sparse_crossentropy(backend, logits, targets, scale=1.0):
    """The losses and dlogits, written into NaN."""
    loss, log_total, dlogits = (np.full(shape, np.nan, logits.dtype) for shape in (len(logits), targets.shape, logits.shape))
    backend.sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, scale)
    backend.sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits, scale)
    return loss, dlogits


@pytest.mark.parametrize("N, T, V", [(1, 1, 1), (3, 1, 5), (1, 4, 2), (5, 3, 17), (2, 3, 1001)])
def test_sparse_crossentropy_is_the_negative_logarithm_of_softmax(backend, N, T, V, rng):
    logits, targets = 3 * rng.standard_normal((N, T, V)), rng.integers(0, V, (N, T), np.int32)
    if V > 4:
        logits[0, 0, :4] = [1e4, -1e4, 1e4 - 1, 0]
        logits[-1, -1] -= 1e4
        targets[0, 0] = 1
    logarithm, (n, t) = log_softmax(logits, axis=2), np.indices((N, T))
    loss, dlogits = sparse_crossentropy(backend, logits, targets, 2.5)
    np.testing.assert_allclose(loss, -2.5 * logarithm[n, t, targets].mean(axis=1), rtol=1e-11, atol=1e-14)
    expected = np.exp(logarithm)
    expected[n, t, targets] -= 1
    np.testing.assert_allclose(dlogits, 2.5 / (N * T) * expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf])
def test_nan_goes_through_the_losses_of_words(backend, bad, dtype, rng):
    logits, targets = rng.standard_normal((3, 2, 20)).astype(dtype), rng.integers(0, 20, (3, 2), np.int32)
    logits[1, 1, 7], targets[1, 1] = bad, 3
    with np.errstate(invalid="ignore"):
        loss, dlogits = sparse_crossentropy(backend, logits, targets)
    assert np.isnan(loss[1]) and np.isfinite(loss[[0, 2]]).all()
    assert np.isnan(dlogits[1, 1, 7]) and np.isfinite(dlogits[[0, 2]]).all() and np.isfinite(dlogits[1, 0]).all()
    if np.isnan(bad):
        backend.onehot_binary_crossentropy_forward(logits[:, 1].copy(), targets[:, 1].copy(), loss, 1.0)
        assert np.isnan(loss[1]) and np.isfinite(loss[[0, 2]]).all()


def test_impossible_words_cost_infinitely_much_and_the_others_nothing(backend):
    logits = np.array([[[0, -np.inf, -np.inf]], [[-np.inf, 0, -np.inf]]])
    loss, dlogits = sparse_crossentropy(backend, logits, np.array([[0], [0]], np.int32))
    assert loss[0] == 0 and loss[1] == np.inf
    np.testing.assert_array_equal(dlogits, [[[0, 0, 0]], [[-0.5, 0.5, 0]]])


def test_dlogits_may_take_the_place_of_the_logits(backend, rng):
    logits, targets = rng.standard_normal((3, 2, 9)), rng.integers(0, 9, (3, 2), np.int32)
    _, expected = sparse_crossentropy(backend, logits.copy(), targets)
    loss, log_total = np.empty(3), np.empty((3, 2))
    backend.sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, 1.0)
    backend.sparse_categorical_crossentropy_backward(logits, targets, log_total, logits, 1.0)
    np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize("call, size", [
    (lambda b, w: b.embedding_forward(w, np.zeros((5, 2)), np.zeros((3, 2))), 5),
    (lambda b, w: b.embedding_backward(np.zeros((3, 2)), w, np.zeros((5, 2))), 5),
    (lambda b, w: b.onehot_dense_forward(w, np.zeros((5, 2)), np.zeros(2), np.zeros((3, 2)), "relu"), 5),
    (lambda b, w: b.onehot_dense_backward(*np.zeros((1, 3, 2)), w, *np.zeros((2, 3, 2)), np.zeros((5, 2)), np.zeros(2), "relu"), 5),
    (lambda b, w: b.onehot_binary_crossentropy_forward(np.zeros((3, 4)), w, np.zeros(3), 1.0), 4),
    (lambda b, w: b.sparse_categorical_crossentropy_forward(np.zeros((1, 3, 4)), w[np.newaxis], np.zeros(1), np.zeros((1, 3)), 1.0), 4)])
def test_words_outside_the_range_are_refused(backend, call, size):
    call(backend, np.array([0, 1, size - 1], np.int32))
    for word in (-1, size, 2 ** 31 - 1, -2 ** 31):
        with pytest.raises(ScratchVAEError, match=f": index {word} is out of range; allowed: 0 to {size - 1}$"):
            call(backend, np.array([0, word, 1], np.int32))


# Clipping, and free bits

@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 1e-6)])
@pytest.mark.parametrize("size", [1, 63, 65, 20_001, 600_001])
def test_clip_by_global_norm(backend, size, dtype, tolerance, rng):
    gradients = rng.standard_normal(size).astype(dtype)
    norm, scratch = np.linalg.norm(gradients.astype(np.float64)), backend.clip_by_global_norm_scratch(dtype)
    clipped = gradients.copy()
    backend.clip_by_global_norm(clipped, 1.01 * norm, scratch)
    np.testing.assert_array_equal(clipped, gradients)
    backend.clip_by_global_norm(clipped, 0.3 * norm, scratch)
    close(clipped, 0.3 * gradients.astype(np.float64), tolerance)
    nothing = np.zeros(size, dtype)
    backend.clip_by_global_norm(nothing, 1.0, scratch)
    assert (nothing == 0).all()


@pytest.mark.parametrize("name", kernels.BACKENDS)
def test_gradients_whose_squares_overflow_are_clipped_all_the_same(name):
    gradients, backend = np.full(4, -1e20, np.float32), kernels.load(name)
    backend.clip_by_global_norm(gradients, 1.0, backend.clip_by_global_norm_scratch(np.float32))
    np.testing.assert_allclose(gradients, -0.5, rtol=1e-6)


@pytest.mark.parametrize("optimizer", [SGD, RMSprop, Adam])
def test_every_optimizer_clips_before_it_updates(backend, optimizer, rng):
    gradients, results = rng.standard_normal(9), []
    for clipnorm, factor in ((0.5, 1.0), (None, 0.5 / np.linalg.norm(gradients)), (None, 1.0)):
        parameters = SimpleNamespace(values=np.zeros(9), gradients=factor * gradients)
        made = optimizer(epsilon=0.1, global_clipnorm=clipnorm) if optimizer is not SGD else SGD(global_clipnorm=clipnorm)
        assert made.get_config()["global_clipnorm"] == clipnorm
        made.build(parameters, backend)
        made.update()
        results.append(parameters.values)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12)
    assert not np.allclose(results[0], results[2], rtol=0.01)


def test_dimensions_below_the_free_bits_get_no_kl_gradient(backend, rng):
    mean, log_var = rng.standard_normal((8, 4)) * [0.01, 1, 0.3, 2], 0.1 * rng.standard_normal((8, 4))
    kl = np.mean(-0.5 * (1 + log_var - mean ** 2 - np.exp(log_var)), axis=0)
    free_bits = np.sort(kl)[1:3].mean()                         # two dimensions below, two above
    before = rng.standard_normal((2, 8, 4))
    dmean, dlog_var = before.copy()
    backend.gaussian_kl_backward(mean, log_var, dmean, dlog_var, 0.7, free_bits)
    above = kl > free_bits
    assert above.sum() == 2
    np.testing.assert_array_equal(dmean[:, ~above], before[0][:, ~above])
    np.testing.assert_array_equal(dlog_var[:, ~above], before[1][:, ~above])
    np.testing.assert_allclose((dmean - before[0])[:, above], 0.7 * mean[:, above] / 8, rtol=1e-9)
    np.testing.assert_allclose((dlog_var - before[1])[:, above], 0.7 * (np.exp(log_var[:, above]) - 1) / 16, rtol=1e-9, atol=1e-15)


def test_without_free_bits_even_a_kl_of_nothing_has_its_gradient(backend):
    """A KL that rounding makes a little less than 0 is no reason to leave it out."""
    mean, log_var = np.full((1, 1), 1e-9), np.full((1, 1), 1e-9)
    dmean, dlog_var = np.zeros((1, 1)), np.zeros((1, 1))
    backend.gaussian_kl_backward(mean, log_var, dmean, dlog_var, 1.0, 0.0)
    assert dmean[0, 0] == 1e-9 and dlog_var[0, 0] == pytest.approx(5e-10, rel=1e-6)


# Gradients of layers

@pytest.mark.parametrize("name", kernels.BACKENDS)
@pytest.mark.parametrize("make, input_shape", [
    (lambda: Embedding(4, 3), (3,)), (lambda: Embedding(4, 3, mask_zero=True), (2, 2)), (lambda: OneHotDense(3, 4), (1,)),
    (lambda: OneHotDense(3, 4, "sigmoid"), (1,)), (lambda: GRU(3), (1, 2)), (lambda: GRU(2, return_sequences=True), (3, 4)),
    (lambda: Bidirectional(GRU(2)), (3, 2)), (lambda: Bidirectional(GRU(2, return_sequences=True)), (3, 2)),
    (lambda: RepeatVector(3), (4,)), (lambda: Dense(4, "tanh"), (3, 5)), (lambda: Dense(3, "softmax"), (2, 2, 3)),
    (lambda: [Dense(3), RepeatVector(2), GRU(2, return_sequences=True), Dense(4, "softmax")], (2,)),
    (lambda: [Embedding(4, 2, mask_zero=True), Bidirectional(GRU(2, return_sequences=True)), Dropout(0.3), GRU(2)], (3,)),
    (lambda: [Embedding(4, 2, mask_zero=True), Dropout(0.3), GRU(2, return_sequences=True), Activation("sigmoid")], (3,))])
def test_gradients(make, input_shape, name):
    layers = make()
    layer = Sequential(layers) if isinstance(layers, list) else layers
    for member in layers if isinstance(layers, list) else [layer]:
        member.backend = name
    report = check_layer(layer, input_shape)
    assert report.passed, report


@pytest.mark.parametrize("name", kernels.BACKENDS)
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("kind", ["forward", "backward", "bidirectional"])
def test_gradients_with_masks(kind, return_sequences, name, rng):
    """Of the initial state, too, where a layer takes one."""
    layer = GRU(3, return_sequences, dtype="float64")
    if kind == "bidirectional":
        layer = Bidirectional(layer, dtype="float64")
    layer.backend = name
    layer.build((5, 2))
    layer.mask, layer.go_backwards = MASK, kind == "backward"
    for parameter in layer.params.values():
        parameter += 0.3 * rng.standard_normal(parameter.shape)
    x, dout, arrays = rng.standard_normal((6, 5, 2)), rng.standard_normal((6, *layer.output_shape)), {}
    if kind != "bidirectional":
        arrays["initial_state"] = rng.standard_normal((6, 3))

    def loss():
        return np.sum(dout * layer.forward(x, True, **arrays))

    loss()
    gradients = {"x": layer.backward(dout), "initial_state": getattr(layer, "dinitial_state", None)} | layer.grads
    gradients = {name: gradient for name, gradient in gradients.items() if gradient is not None}
    rows = compare(loss, {"x": x} | arrays | layer.params, gradients)
    assert len(rows) == (7 if kind == "bidirectional" else 5) and all(row.passed for row in rows), rows


def test_a_forgotten_reset_gate_is_found():
    """The gradient check is sharp enough: dq_c = da_c, without r, is wrong."""
    class Forgetful(GRU):
        """Its reset gate is 1, as far as the gradient is concerned."""

        def backward(self, dout, need_dx=True):
            self._scratch.gates[..., self.units:] = 1
            return super().backward(dout, need_dx)

    for name in kernels.BACKENDS:
        layer = Forgetful(2, return_sequences=True)
        layer.backend = name
        wrong = {row.parameter for row in check_layer(layer, (3, 2)).rows if not row.passed}
        assert wrong == {"kernel", "recurrent_kernel", "bias", "input"}


# Layers

def test_padding_is_skipped_and_only_with_mask_zero():
    words = np.array([[3, 1, 4, 0, 0]], np.int32)
    for mask_zero in (False, True):
        for last in (GRU(4), Bidirectional(GRU(4))):
            chain = Sequential([Embedding(5, 3, mask_zero=mask_zero), Bidirectional(GRU(2, return_sequences=True)), Dropout(0.5), last])
            chain.build((5,))
            long = chain.forward(words)
            early = chain.forward(np.roll(words, 2, axis=1))
            short = Sequential([*chain.layers.values()])
            short.build((3,))
            short.set_weights(chain.get_weights())
            expected = short.forward(words[:, :3].copy())
            assert np.allclose(long, expected, rtol=1e-5) == np.allclose(early, expected, rtol=1e-5) == mask_zero


def test_a_mask_is_of_its_own_forward_pass():
    chain = Sequential([Embedding(5, 3, mask_zero=True), GRU(4)])
    chain.build((3,))
    first = chain.forward(np.array([[1, 2, 3]], np.int32)).copy()
    chain.forward(np.array([[0, 0, 3]], np.int32))
    np.testing.assert_array_equal(chain.forward(np.array([[1, 2, 3]], np.int32)), first)
    np.testing.assert_array_equal(chain.layers["gru"].forward(chain.layers["embedding"].forward(np.array([[1, 2, 3]], np.int32))), first)


def test_bidirectional_is_two_layers_side_by_side(rng):
    for return_sequences in (False, True):
        both = Bidirectional(GRU(3, return_sequences))
        both.build((5, 2), seed=4)
        assert list(both.params) == [f"{direction}/{name}" for direction in ("forward", "backward")
                                     for name in ("kernel", "recurrent_kernel", "bias")]
        assert not np.array_equal(both.params["forward/kernel"], both.params["backward/kernel"])
        x, weights = rng.standard_normal((4, 5, 2)).astype(np.float32), both.get_weights()
        one, other = (built(GRU(3, return_sequences), (5, 2), part, "float32", "cpu") for part in (weights[:3], weights[3:]))
        back = other.forward(np.ascontiguousarray(x[:, ::-1]))
        expected = np.concatenate([one.forward(x), back[:, ::-1] if return_sequences else back], axis=-1)
        np.testing.assert_allclose(both.forward(x), expected, rtol=1e-5, atol=1e-6)


def test_one_step_of_a_layer_equals_the_sequence(rng):
    layer = built(GRU(4, return_sequences=True), (5, 3), [rng.standard_normal(s) for s in ((3, 12), (4, 12), (2, 12))], "float64", "cpu")
    x, state = rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 4))
    states = layer.forward(x, initial_state=state)
    for t in range(5):
        state = layer.step(np.ascontiguousarray(x[:, t]), state)
        np.testing.assert_allclose(state, states[:, t], rtol=1e-12)


def test_dense_on_steps_is_dense_on_rows(rng):
    x, dout = rng.standard_normal((3, 4, 2, 5)), rng.standard_normal((3, 4, 2, 7))
    weights = [rng.standard_normal((5, 7)), rng.standard_normal(7)]
    steps, rows = (built(Dense(7, "softmax"), shape, weights, "float64", "cpu") for shape in ((4, 2, 5), (5,)))
    close(steps.forward(x).reshape(24, 7), rows.forward(x.reshape(24, 5)), 1e-14)
    close(steps.backward(dout).reshape(24, 5), rows.backward(dout.reshape(24, 7)), 1e-14)
    for one, other in zip(steps.grads.values(), rows.grads.values(), strict=True):
        close(one, other, 1e-14)


def test_repeat_vector(rng):
    layer = built(RepeatVector(3), (2,), [], "float64", "cpu")
    x, dout = rng.standard_normal((4, 2)), rng.standard_normal((4, 3, 2))
    np.testing.assert_array_equal(layer.forward(x), np.stack([x, x, x], axis=1))
    np.testing.assert_allclose(layer.backward(dout), dout[:, 0] + dout[:, 1] + dout[:, 2])


@pytest.mark.parametrize("make, message", [
    (lambda: GRU(0), "GRU: units is 0; allowed: whole numbers from 1"),
    (lambda: GRU(2, recurrent_initializer="he"), "unknown initializer 'he'"),
    (lambda: GRU(2).build((3,)), r"GRU: input shape \(3,\); needed: two axes"),
    (lambda: Bidirectional(Dense(3)), "Bidirectional: .*needed: a GRU"),
    (lambda: Embedding(0, 3), "Embedding: input_dim is 0; allowed: whole numbers from 1"),
    (lambda: Embedding(3, 1.5), "Embedding: output_dim is 1.5"),
    (lambda: OneHotDense(3, 0), "OneHotDense: units is 0"),
    (lambda: OneHotDense(-1, 2), "OneHotDense: depth is -1"),
    (lambda: OneHotDense(3, 2, "selu"), "unknown activation 'selu'"),
    (lambda: OneHotDense(3, 2).build((2,)), r"OneHotDense: input shape \(2,\); needed: \(1,\), the index of a word"),
    (lambda: RepeatVector(0), "RepeatVector: n is 0"),
    (lambda: RepeatVector(2).build((3, 4)), r"RepeatVector: input shape \(3, 4\); needed: one axis"),
    (lambda: built(Embedding(3, 2), (2,), [np.zeros((3, 2))], "float32", "cpu").forward(np.zeros((1, 2), np.float32)),
     r"Embedding: input a float32 array of shape \(1, 2\); needed: a int32 array of shape \(batch, 2\)"),
    (lambda: built(Embedding(3, 2), (2,), [np.zeros((3, 2))], "float32", "cpu").forward(np.zeros((1, 2), np.int64)), "input a int64 array"),
    (lambda: built(Embedding(3, 2), (2,), [np.zeros((3, 2))], "float32", "cpu").forward(np.array([[0, 3]], np.int32)),
     "embedding: index 3 is out of range; allowed: 0 to 2"),
    (lambda: built(OneHotDense(3, 1), (1,), [np.zeros((3, 1)), [0]], "float32", "cpu").forward(np.array([[-1]], np.int32)),
     "onehot_dense: index -1 is out of range; allowed: 0 to 2"),
    (lambda: Adam(global_clipnorm=-1), "optimizer: global_clipnorm is -1; allowed: numbers from 0"),
    (lambda: TextVAE(9, 4, 2, 3, 3, word_dropout=1.0), "rate is 1.0; allowed: 0 <= rate < 1"),
    (lambda: TextVAE(9, 4, 2, 3, 3, free_bits=-1), "free_bits is -1; allowed: numbers from 0"),
    (lambda: TextVAE(9, 0, 2, 3, 3), "TextVAE: steps is 0"),
    (lambda: TextVAE(9, 4, 0, 3, 3), "TextVAE: latent_dim is 0"),
    (lambda: TextVAE(9, 4, 2, 3, 3).build((5,)), r"TextVAE: an example has shape \(5,\); needed: \(4,\), its steps"),
    (lambda: VAE([OneHotDense(3, 2)], 2, [Dense(3)], "onehot_binary_crossentropy"), "output activation is linear; needed: sigmoid"),
    (lambda: VAE([Embedding(3, 2), GRU(2)], 2, [Dense(3, "sigmoid")], "sparse_categorical_crossentropy"), "is sigmoid; needed: softmax"),
    (lambda: VAE([OneHotDense(3, 2)], 2, [Dense(3, "softmax")], "sparse_categorical_crossentropy").build((1,)),
     r"sparse_categorical_crossentropy: the decoder's output has shape \(3,\); needed: two axes"),
    (lambda: VAE([OneHotDense(3, 2)], 2, [Dense(4), Reshape((2, 2)), Activation("sigmoid")], "onehot_binary_crossentropy").build((1,)),
     r"onehot_binary_crossentropy: the decoder's output has shape \(2, 2\); needed: one axis"),
    (lambda: VAE([Embedding(3, 2), GRU(2)], 2, [RepeatVector(4), Dense(3, "softmax")], "sparse_categorical_crossentropy").build((5,)),
     r"an example has shape \(5,\), the decoder's output \(4, 3\)"),
    (lambda: VAE([Embedding(3, 2)], 2, [RepeatVector(4), Dense(3, "softmax")], "sparse_categorical_crossentropy").build((4,)),
     r"the encoder's output has shape \(4, 2\); needed: one axis"),
])
def test_wrong_use_gets_one_clear_line(make, message):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


# Models

V, T = 7, 4                     # words and steps of the small models


def both(units, return_sequences):
    """The lab's recurrent layer."""
    return Bidirectional(GRU(units, return_sequences))


def text_gru(backend="cpu", mask_zero=False):
    """The lab's layers, small."""
    return VAE([Embedding(V, 3, mask_zero=mask_zero), both(2, True), both(1, False), Dense(4, "relu")], 2,
               [Dense(3), RepeatVector(T), both(1, True), both(2, True), Dense(V, "softmax")], "sparse_categorical_crossentropy", float(T),
               kl_weight=0.7, backend=backend)


def shakespeare_onehot(backend="cpu", dtype="float32"):
    """The lab's layers, small."""
    return VAE([OneHotDense(V, 5, "relu")], 3, [Dense(5, "relu"), Dense(V, "sigmoid")], "onehot_binary_crossentropy", float(V),
               kl_weight=0.7, dtype=dtype, backend=backend)


def text_vae(backend="cpu", dtype="float32", steps=T, units=3, **options):
    """A small one, with all that makes training noisy."""
    options = dict(dropout=0.2, word_dropout=0.4) | options
    return TextVAE(V, steps, 2, 2, units, kl_weight=0.7, dtype=dtype, backend=backend, **options)


MODELS = {"text-gru": (text_gru, (T,)), "text-gru masked": (lambda backend="cpu": text_gru(backend, True), (T,)),
          "shakespeare-onehot": (shakespeare_onehot, (1,)), "text-vae": (text_vae, (T,))}


def lines(rng, count, steps=T):
    """Lines of words, END and PAD, of every length."""
    words, lengths = rng.integers(END + 1, V, (count, steps), np.int32), np.arange(count) % steps
    words[np.arange(steps) > lengths[:, np.newaxis]] = PAD
    words[np.arange(count), lengths] = END
    return words


@pytest.mark.parametrize("backend", kernels.BACKENDS)
@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_whole_models(name, backend, rng):
    make, shape = MODELS[name]
    model = make(backend)
    model.build(shape)
    report = check_model(model, lines(rng, 5) if shape == (T,) else rng.integers(0, V, (5, 1), np.int32))
    assert report.passed, report
    assert [row.parameter for row in report.rows] == model.parameters.names        # words have no gradient


@pytest.mark.parametrize("backend", kernels.BACKENDS)
def test_gradients_towards_another_target(backend, rng):
    model = shakespeare_onehot(backend, "float64")
    model.build((1,))
    x, y = rng.integers(0, V, (2, 5, 1), np.int32)
    model.noise.step = 3
    model.forward(x, training=True, target=y)
    model.backward(0.7)

    def loss():
        reconstruction, kl = model.forward(x, training=True, target=y)
        return np.mean(reconstruction + 0.7 * kl)

    gradients = {f"{path}/{name}": grad for path, layer in model.layers.items() for name, grad in layer.grads.items()}
    rows = compare(loss, {name: model.parameters[name] for name in model.parameters.names}, gradients)
    assert all(row.passed for row in rows), rows


@pytest.mark.parametrize("backend", kernels.BACKENDS)
def test_gradients_with_free_bits(backend, rng):
    """The loss then has the KL of those dimensions only whose mean is above."""
    model = text_vae(backend, "float64", free_bits=0.1)
    model.build((T,))
    for name in model.parameters.names:
        model.parameters[name][...] += 0.3 * rng.standard_normal(model.parameters[name].shape)
    model.parameters["z_mean/kernel"][:, 0] *= 5                # the KL of one dimension is above the free bits, that of the other below
    model.parameters["z_mean/bias"][0] += 1
    model.parameters["z_mean/kernel"][:, 1] *= 0.1
    model.parameters["z_log_var/kernel"][:, 1] *= 0.1
    for name in ("z_mean/bias", "z_log_var/bias"):
        model.parameters[name][1] = 0
    x, model.noise.step = lines(rng, 5), 1

    def costs():
        reconstruction, _ = model.forward(x, training=True)
        return reconstruction.mean(), -0.5 * np.mean(1 + model.lv - model.mu ** 2 - np.exp(model.lv), axis=0)

    def loss():
        reconstruction, kl = costs()
        return reconstruction + 0.7 * kl[kl >= 0.1].sum()

    kl = costs()[1]
    assert kl[0] > 0.11 and kl[1] < 0.09, kl
    model.backward(0.7)
    gradients = {f"{path}/{name}": grad for path, layer in model.layers.items() for name, grad in layer.grads.items()}
    rows = compare(loss, {name: model.parameters[name] for name in model.parameters.names}, gradients)
    assert all(row.passed for row in rows), rows


def test_text_gru_has_the_lab_s_parameters():
    vae = VAE([Embedding(10_000, 64), both(32, True), both(16, False), Dense(16, "relu")], 32,
              [Dense(16), RepeatVector(5), both(16, True), both(32, True), Dense(10_000, "softmax")], "sparse_categorical_crossentropy")
    vae.build((5,))
    assert vae.count == vae.parameters.count == 1_334_768


@pytest.mark.parametrize("name", MODELS)
def test_backends_train_to_the_same_numbers(name, rng):
    make, shape = MODELS[name]
    x, histories = lines(rng, 21) if shape == (T,) else rng.integers(0, V, (21, 1)), []
    for backend in kernels.BACKENDS:
        histories.append(make(backend).fit(x, epochs=2, batch_size=8, validation_data=x, seed=2, progress=False))
    for column in ("loss", "reconstruction", "kl", "val_loss"):
        np.testing.assert_allclose(histories[0][column], histories[1][column], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_same_seed_same_bits_on_any_number_of_threads(name, rng):
    make, shape = MODELS[name]
    x = lines(rng, 50) if shape == (T,) else rng.integers(0, V, (50, 1))

    def train():
        model = make()
        history = model.fit(x, epochs=2, batch_size=16, optimizer=Adam(global_clipnorm=0.5), validation_data=x, seed=5, progress=False)
        return model.parameters.values.tobytes(), [{**row, "seconds": 0} for row in history.rows]

    first, *others = on_one_and_more_threads(train)
    assert all(other == first for other in others)


@pytest.mark.parametrize("name", MODELS)
def test_resumed_training_gives_the_same_bits(name, rng, tmp_path):
    """With targets of their own, except for the TextVAE, which has none."""
    make, shape = MODELS[name]
    x = lines(rng, 21) if shape == (T,) else rng.integers(0, V, (21, 1))
    pair = {} if name == "text-vae" else {"y": np.roll(x, -1, axis=0)}
    options = dict(batch_size=8, validation_data=(x, pair["y"]) if pair else x, seed=4, progress=False, **pair)
    whole, first, second = make(), make(), make()
    expected = whole.fit(x, epochs=4, optimizer=Adam(global_clipnorm=1.0), **options)
    first.fit(x, epochs=1, optimizer=Adam(global_clipnorm=1.0), checkpoint=tmp_path / "c.npz", **options)
    resumed = second.fit(x, epochs=4, optimizer=Adam(global_clipnorm=1.0), checkpoint=tmp_path / "c.npz", resume=True, **options)
    assert second.parameters.values.tobytes() == whole.parameters.values.tobytes() != first.parameters.values.tobytes()
    assert [{**row, "seconds": 0} for row in resumed.rows] == [{**row, "seconds": 0} for row in expected.rows]
    others = [({**options, "y": x[::-1].copy(), "validation_data": None}, Adam(global_clipnorm=1.0))] if pair else []
    for changed, optimizer in [*others, (options, Adam(global_clipnorm=2.0)), (options, Adam())]:
        with pytest.raises(ScratchVAEError, match="was trained with (data|optimizer)"):
            make().fit(x, epochs=4, optimizer=optimizer, checkpoint=tmp_path / "c.npz", resume=True, **changed)


@pytest.mark.parametrize("name", MODELS)
def test_save_and_load(name, rng, tmp_path):
    make, shape = MODELS[name]
    model, x = make(), lines(rng, 9) if shape == (T,) else rng.integers(0, V, (9, 1))
    model.fit(x, epochs=1, progress=False)
    model.save(tmp_path / "model.npz")
    again = Model.load(tmp_path / "model.npz")
    assert type(again) is type(model) and again.get_config() == model.get_config() and again.evaluate(x) == model.evaluate(x)
    for one, other in zip(again.encode(x), model.encode(x)):
        np.testing.assert_array_equal(one, other)


def test_fit_learns_the_target_and_not_the_example():
    """Which word follows which: in a circle."""
    x = np.tile(np.arange(V)[:, np.newaxis], (6, 1))
    y = (x + 1) % V
    model = VAE([OneHotDense(V, 16, "relu")], 4, [Dense(16, "relu"), Dense(V, "sigmoid")], "onehot_binary_crossentropy", float(V), 0.01)
    history = model.fit(x, epochs=60, batch_size=7, optimizer=Adam(0.02), y=y, validation_data=(x, y), seed=1, progress=False)
    np.testing.assert_array_equal(model.reconstruct(x).argmax(axis=1), y[:, 0])
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert model.evaluate(x, 1, y)["loss"] == history["val_loss"][-1] < 0.3 * model.evaluate(x, 1)["loss"]


def test_fit_on_the_example_itself_as_target_is_fit_without(rng):
    x, results = rng.integers(0, V, (20, 1)), []
    for target in ({}, {"y": x}, {"y": x.copy()}):
        model = shakespeare_onehot()
        results.append((model.fit(x, epochs=2, batch_size=8, seed=3, progress=False, **target)["loss"], model.parameters.values.tobytes()))
    assert results[0] == results[1] == results[2]


def test_targets_go_with_their_examples_in_every_batch(rng):
    """A squared error against y, after a step without any learning, is the mean over all pairs."""
    x, y = rng.random((23, 6)).astype(np.float32), rng.random((23, 6)).astype(np.float32)
    model = VAE([Dense(4, "tanh")], 2, [Dense(6)], "squared_error", 6.0)
    model.build((6,), 1)
    model.parameters["z_log_var/bias"][...] = -60               # no noise to speak of
    history = model.fit(x, epochs=1, batch_size=5, optimizer=SGD(0.0), y=y, seed=1, progress=False)
    expected = np.square(model.reconstruct(x) - y).sum(axis=1).mean()
    assert history["reconstruction"][0] == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(x, y=y)["reconstruction"] == pytest.approx(expected, rel=1e-5)


X, Y = np.arange(10)[:, np.newaxis] % V, np.arange(1, 11)[:, np.newaxis] % V


@pytest.mark.parametrize("call, message", [
    (lambda m: m.fit(X.astype(float)), "x is a ndarray that is no array of whole numbers; needed: indices of words"),
    (lambda m: m.fit(X == 1), "x is a ndarray that is no array of whole numbers"),
    (lambda m: m.fit(X + 1), f"onehot_dense: index {V} is out of range; allowed: 0 to {V - 1}"),
    (lambda m: m.fit(X - 1), "has the index -1; needed: words as whole numbers from 0"),
    (lambda m: m.fit(X, y=Y.astype(float)), "y is a ndarray that is no array of whole numbers"),
    (lambda m: m.fit(X, y=Y + 1), f"onehot_binary_crossentropy: index {V} is out of range; allowed: 0 to {V - 1}"),
    (lambda m: m.fit(X, y=Y - 1), "has the index -1; needed: words as whole numbers from 0"),
    (lambda m: m.fit(X, y=Y[:9]), "10 examples x, but 9 targets y; needed: as many"),
    (lambda m: m.fit(X, y=Y[:, 0]), r"y has shape \(10,\); needed: \(examples, 1\)"),
    (lambda m: m.fit(X, y=np.eye(V, dtype=int)[Y[:, 0]]), r"y has shape \(10, 7\); needed: \(examples, 1\)"),
    (lambda m: m.fit(X, y=Y, validation_data=(X, Y[:5])), "10 examples x, but 5 targets y"),
    (lambda m: m.fit(X, y=Y, validation_data=X), r"validation_data must be a pair \(x, y\)"),
    (lambda m: m.fit(X, validation_data=(X, Y)), r"x has shape \(2, 10, 1\); needed: \(examples, 1\)"),
    (lambda m: m.fit(X, progress=False) and m.evaluate(X, y=Y[:3]), "10 examples x, but 3 targets y"),
    (lambda m: m.fit(X, progress=False) and m.evaluate(X * 1.0), "x is a ndarray that is no array of whole numbers"),
    (lambda m: m.fit(X, progress=False) and m.encode(X + V), f"onehot_dense: index {2 * V - 1} is out of range"),
    *((lambda m, x=x, y=y: m.fit(x, y=y, progress=False), "indices of words, below 2.31")
      for x, y in ((X + 2 ** 32, Y), (X, Y + 2 ** 32), (X.astype(np.uint64) + 2 ** 63, Y))),
])
def test_wrong_words_and_targets_get_one_clear_line(call, message):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        call(shakespeare_onehot())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64, list])
def test_words_may_be_any_whole_numbers(kind, rng):
    x = lines(rng, 9)
    given, model = x.tolist() if kind is list else x.astype(kind), text_gru()
    model.build((T,))
    assert model.evaluate(given) == model.evaluate(x)


# The VAE of lines

def test_writing_step_by_step_is_the_teacher_forced_forward_pass(rng):
    """-log p(x|z), word by word."""
    for backend in kernels.BACKENDS:
        model = text_vae(backend, "float64")
        model.build((T,), 3)
        for name in model.parameters.names:
            model.parameters[name][...] += 0.5 * rng.standard_normal(model.parameters[name].shape)
        x = lines(rng, 6)
        reconstruction = model.forward(x)[0]
        z, total, words = model.z.copy(), np.zeros(6), np.full(6, END)
        state = model.start(z)
        for t in range(T):
            logits, state = model.step(words, state)
            words = x[:, t]
            total -= np.where(words == PAD, 0, log_softmax(logits, axis=1)[np.arange(6), words])
        np.testing.assert_allclose(reconstruction, total, rtol=1e-10)


def test_a_line_costs_the_same_alone_and_among_others_and_padding_costs_nothing(rng):
    model, x = text_vae(dtype="float64"), lines(rng, 8)
    model.build((T,), 3)
    model.noise.normal = lambda out, stream: out.fill(0.3)
    together = [values.copy() for values in model.forward(x)]
    alone = [np.concatenate(values) for values in zip(*([v.copy() for v in model.forward(x[n:n + 1])] for n in range(8)))]
    for one, other in zip(together, alone):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    longer = text_vae(dtype="float64", steps=T + 3)
    longer.build((T + 3,), 3)
    longer.parameters.values[...] = model.parameters.values
    longer.noise.normal = model.noise.normal
    for one, other in zip(longer.forward(np.pad(x, ((0, 0), (0, 3)))), together):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_word_dropout_hides_words_from_the_decoder_in_training_only(rng):
    x = np.full((400, T), 5, np.int32)
    model = text_vae(word_dropout=0.4)
    model.build((T,))
    shown = model.words_before(x, training=True).copy()
    assert (shown[:, 0] == END).all() and set(np.unique(shown[:, 1:])) == {UNKNOWN, 5}
    assert (shown[:, 1:] == UNKNOWN).mean() == pytest.approx(0.4, abs=0.05)
    np.testing.assert_array_equal(model.words_before(x, training=True), shown)
    model.noise.step += 1
    assert not np.array_equal(model.words_before(x, training=True), shown)
    plain = model.words_before(np.arange(3, 3 + T, dtype=np.int32)[np.newaxis], training=False)
    np.testing.assert_array_equal(plain, [[END, *range(3, 2 + T)]])


def test_free_bits_keep_the_latent_space_in_use(rng):
    x, options = lines(rng, 40), dict(epochs=30, batch_size=10, optimizer=Adam(0.02), seed=1, progress=False)
    kl = [text_vae(free_bits=bits, dropout=0, word_dropout=0).fit(x, **options)["kl"][-1] for bits in (0.0, 1.0)]
    assert kl[0] < 0.5 < 1 < kl[1]


def test_the_model_learns_lines_and_what_they_are_made_of(rng):
    x, model = lines(rng, 24), text_vae(dropout=0, word_dropout=0, units=8)
    history = model.fit(x, epochs=30, batch_size=8, optimizer=Adam(0.02), validation_data=x, seed=1, progress=False)
    assert history["loss"][-1] < 0.7 * history["loss"][0] and history["val_loss"][-1] < 0.7 * history["val_loss"][0]


def test_lines_are_decoded_word_by_word():
    model = text_vae()
    model.build((T,))
    z = np.random.default_rng(3).standard_normal((4, model.latent_dim)).astype(model.dtype)
    written, state, words = model.decode(z), model.start(z), np.full(4, END)
    assert written.shape == (4, T) and written.dtype == np.int32
    for t in range(T):
        logits, state = model.step(words, state)
        logits[:, [0, 1]] = -np.inf             # padding and the unknown word are never written
        words = logits.argmax(axis=1)
        running = (written[:, :t] != END).all(axis=1)
        np.testing.assert_array_equal(written[running, t], words[running])
    assert model.sample(3).shape == (3, T) and model.reconstruct(np.full((2, T), END)).shape == (2, T)


def test_lines_without_words_are_refused():
    model = text_vae()
    model.build((T,))
    x = np.full((3, T), END)
    x[1, 0] = 0
    with pytest.raises(ScratchVAEError, match=r"line 1 begins with padding \(PAD, 0\)"):
        model.evaluate(x)
    with pytest.raises(ScratchVAEError, match="TextVAE reconstructs its lines"):
        model.fit(x, y=x.copy())
