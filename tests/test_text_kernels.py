"""The kernels of words: embeddings, recurrence and losses, against Keras's numbers, definitions, and the other backend."""
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import log_softmax

import kernels
from conftest import GOLDEN, HOSTS, MASK, built, close, on_one_and_more_threads
from kernels.contract import ScratchVAEError
from scratchvae.layers import GRU, Bidirectional, Dense, Embedding, OneHotDense, RepeatVector
from scratchvae.models import VAE, Sequential
from scratchvae.optimizers import SGD, Adam, RMSprop

pytestmark = pytest.mark.usefixtures("one_thread")
REFERENCE, CPU = kernels.load("reference"), kernels.load("cpu")
with np.load(GOLDEN) as _file:
    KERAS_GROUPS = list(dict.fromkeys(path.rpartition("/")[0] for path in _file.files))


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


# Keras's numbers

@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("name", HOSTS)
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
@pytest.mark.parametrize("name", HOSTS)
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
@pytest.mark.parametrize("name", HOSTS)
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
@pytest.mark.parametrize("name", HOSTS)
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


@pytest.mark.parametrize("name", HOSTS)
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
