"""The recurrent kernels:

against the numbers of Keras, against each other, with masks, and the same bits on any number of
threads.
"""

import numpy as np
import pytest
from conftest import HOSTS, KERAS_GROUPS, MASK, built, close, on_one_and_more_threads

import kernels
from kernels.errors import ScratchVAEError
from scratchvae.layers import GRU

REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")


def draw(rng, N, T, K, U, dtype=np.float64):
    """x, kernel, recurrent_kernel, bias, initial_state, a mask with a sequence that has no step,
    and dout.
    """
    shapes = ((N, T, K), (K, 3 * U), (U, 3 * U), (2, 3 * U), (N, U), (N, T, U))
    *arrays, dout = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    mask = (rng.random((N, T)) < 0.7).astype(np.int32)
    mask[0], mask[-1] = (1, 0) if N > 1 else (1, 1)
    return [*arrays, mask, dout]


def recur(
    backend,
    x,
    kernel,
    recurrent_kernel,
    bias,
    initial_state,
    mask,
    dout,
    go_backwards=False,
    scratch=None,
    need_dx=True,
):
    """The states of a GRU and all gradients, written into arrays of NaN."""
    scratch = backend.gru_scratch(*x.shape, dout.shape[2], x.dtype) if scratch is None else scratch
    y, dx, dkernel, drecurrent_kernel, dbias, dinitial_state = (
        np.full_like(array, np.nan)
        for array in (dout, x, kernel, recurrent_kernel, bias, initial_state)
    )
    dx = dx if need_dx else None
    backend.gru_forward(
        x, kernel, recurrent_kernel, bias, initial_state, mask, y, go_backwards, scratch
    )
    gradients = dict(
        dx=dx,
        dkernel=dkernel,
        drecurrent_kernel=drecurrent_kernel,
        dbias=dbias,
        dinitial_state=dinitial_state,
    )
    backend.gru_backward(
        dout, x, kernel, recurrent_kernel, mask, *gradients.values(), go_backwards, scratch
    )
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
    layer = built(
        GRU(g["y"].shape[-1], return_sequences=g["y"].ndim == 3),
        x.shape[1:],
        numbered(g, "weight"),
        dtype,
        name,
    )
    layer.mask = g["mask"]
    close(layer.forward(x, True, initial_state), g["y"], tolerance)
    close(layer.backward(dout), g["dx"], tolerance)
    close(layer.dinitial_state, g["dinitial_state"], tolerance)
    for gradient, expected in zip(layer.grads.values(), numbered(g, "gradient"), strict=True):
        close(gradient, expected, tolerance)


# The recurrent kernels

SIZES = [
    (1, 1, 1, 1),
    (3, 1, 5, 7),
    (1, 4, 3, 16),
    (7, 5, 9, 17),
    (13, 3, 33, 31),
    (6, 4, 8, 32),
    (25, 3, 5, 40),
    (2, 3, 1, 90),
]


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_gru_equals_reference(sizes, go_backwards, dtype, tolerance, rng):
    arrays = draw(rng, *sizes, dtype)
    expected = recur(
        REFERENCE,
        *(a if a.dtype == np.int32 else a.astype(np.float64) for a in arrays),
        go_backwards,
    )
    for name, array in recur(CPU, *arrays, go_backwards).items():
        close(array, expected[name], tolerance)


def test_a_gru_written_out_step_by_step(backend, rng):
    """Cho et al.'s equations, a number at a time."""
    x, W, R, b, initial_state, mask, dout = draw(rng, 4, 5, 3, 2)
    y = recur(backend, x, W, R, b, initial_state, mask, dout)["y"]
    for n in range(4):
        h = initial_state[n]
        for t in range(5):
            a = x[n, t] @ W + b[0]
            q = h @ R + b[1]
            z, r = (1 / (1 + np.exp(-(a[part] + q[part]))) for part in (slice(0, 2), slice(2, 4)))
            if mask[n, t]:
                h = z * h + (1 - z) * np.tanh(a[4:] + r * q[4:])
            np.testing.assert_allclose(y[n, t], h, rtol=1e-12)


def test_backwards_is_forwards_on_the_reversed_sequence(backend, rng):
    x, W, R, b, initial_state, mask, dout = draw(rng, 4, 5, 3, 7)
    there = recur(backend, x, W, R, b, initial_state, mask, dout, go_backwards=True)
    back = recur(
        backend,
        *(
            np.ascontiguousarray(a)
            for a in (x[:, ::-1], W, R, b, initial_state, mask[:, ::-1], dout[:, ::-1])
        ),
    )
    for name, array in there.items():
        close(array, back[name][:, ::-1] if name in ("y", "dx") else back[name], 1e-13)
    assert (
        np.abs(there["y"] - recur(backend, x, W, R, b, initial_state, mask, dout)["y"]).max() > 0.1
    )


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
    mask[...] = MASK
    dout[mask == 0] = 0
    expected = recur(backend, x, W, R, b, initial_state, mask, dout)
    for n in range(5):
        kept = mask[n] == 1
        short = recur(
            backend,
            *(
                np.ascontiguousarray(a)
                for a in (
                    x[n : n + 1, kept],
                    W,
                    R,
                    b,
                    initial_state[n : n + 1],
                    mask[n : n + 1, kept],
                    dout[n : n + 1, kept],
                )
            ),
        )
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
    results = recur(backend, *arrays)
    without = recur(backend, *arrays, need_dx=False)
    assert without.pop("dx") is None
    for name, array in without.items():
        np.testing.assert_array_equal(array, results[name])


@pytest.mark.parametrize("sizes", [(6, 4, 3, 5), (7, 5, 3, 5), (7, 4, 2, 5), (7, 4, 3, 6)])
def test_a_recurrent_scratch_of_other_sizes_is_refused(sizes, rng):
    with pytest.raises(
        ScratchVAEError,
        match=r"gru: the scratch was made for other sizes; needed: gru_scratch\(7, 4, 3, 5",
    ):
        recur(CPU, *draw(rng, 7, 4, 3, 5), scratch=CPU.gru_scratch(*sizes, np.float64))


@pytest.mark.parametrize("count", [1, 3])
def test_a_bias_needs_two_rows(backend, count, rng):
    x, W, R, _, initial_state, mask, dout = draw(rng, 3, 2, 4, 5)
    with pytest.raises(ScratchVAEError, match="gru"):
        recur(backend, x, W, R, rng.standard_normal((count, 15)), initial_state, mask, dout)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "operation",
    [
        "gru",
        "embedding",
        "onehot_dense",
        "sparse_categorical_crossentropy",
        "onehot_binary_crossentropy",
        "clip_by_global_norm",
    ],
)
def test_same_bits_on_one_and_more_threads(operation, dtype, rng):
    words = rng.integers(0, 9, 501, np.int32)
    table, dout = (rng.standard_normal(shape).astype(dtype) for shape in ((9, 70), (501, 70)))
    logits = rng.standard_normal((37, 5, 101)).astype(dtype)
    targets = rng.integers(0, 101, (37, 5), np.int32)
    sequences = draw(rng, 41, 4, 9, 37, dtype)
    gradients = rng.standard_normal(70_001).astype(dtype)

    def compute():
        y, dtable, dlogits = (np.empty_like(array) for array in (dout, table, logits))
        bias, one, last, clipped = (
            array.copy() for array in (table[0], logits[:, 0], targets[:, 0], gradients)
        )
        loss = np.empty(37, dtype)
        log_total = np.empty((37, 5), dtype)
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
        made = {
            "embedding": (y, dtable),
            "onehot_dense": (y, dtable, bias),
            "sparse_categorical_crossentropy": (loss, log_total, dlogits),
            "onehot_binary_crossentropy": (loss, one),
            "clip_by_global_norm": (clipped,),
        }
        return [array.tobytes() for array in made[operation]]

    first, *others = on_one_and_more_threads(compute)
    assert all(other == first for other in others)
