"""Operations of every backend against Keras's numbers, definitions, and known answers.

test_operations.py compares the backends with each other.
"""
import shutil
from pathlib import Path

import numba
import numpy as np
import pytest
from helpers import close
from scipy.stats import kstest
from scratchvae.kernels import folders
from scratchvae.kernels.activation_names import EXAMPLES
from scratchvae.kernels.cpu import cache
from scratchvae.kernels.cpu.microkernel import COLUMNS
from scratchvae.kernels.cpu.product import TASKS, side_by_side
from scratchvae.kernels.errors import ScratchVAEError
from scratchvae.kernels.reference.noise import philox

from scratchvae import kernels

REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")
PRECISIONS = [("float64", 1e-12), ("float32", 2e-6)]
WIDE = 3 * TASKS * COLUMNS + COLUMNS // 2 + 3       # a task takes three panels, or what is left


def dense(backend, x, kernel, bias, dout, activation):
    """y, dx, dkernel and dbias of a dense layer, written into arrays of NaN."""
    N, K = x.shape
    M = kernel.shape[1]
    y = np.full((N, M), np.nan, x.dtype)
    dz = np.full_like(y, np.nan)
    dx = np.full_like(x, np.nan)
    dkernel = np.full_like(kernel, np.nan)
    dbias = np.full_like(bias, np.nan)
    scratch = backend.dense_scratch(N, K, M, x.dtype)
    backend.dense_forward(x, kernel, bias, y, activation, scratch)
    backend.dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch)
    return {"y": y, "dx": dx, "dkernel": dkernel, "dbias": dbias}


def draw_dense(rng, N, K, M, dtype="float64"):
    """x, kernel, bias and dout of a dense layer."""
    return [rng.standard_normal(shape).astype(dtype) for shape in ((N, K), (K, M), (M,), (N, M))]


# Dense layers

@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("activation", EXAMPLES)
def test_dense_equals_keras(backend, golden, activation, dtype, tolerance):
    g = golden[f"dense/{activation}"]
    arrays = [g[name].astype(dtype) for name in ("x", "kernel", "bias", "dout")]
    for name, array in dense(backend, *arrays, activation).items():
        close(array, g[name], tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-13), ("float32", 1e-5)])
@pytest.mark.parametrize("N, K, M", [(101, 784, 256), (300, 31, 65), (5, 2000, 47),
                                     (13, 300, WIDE), (300, 13, WIDE)])
def test_dense_of_several_blocks_and_chunks_equals_the_reference(N, K, M, dtype, tolerance, rng):
    arrays = draw_dense(rng, N, K, M, dtype)
    expected = dense(REFERENCE, *(array.astype(np.float64) for array in arrays), "linear")
    for name, array in dense(CPU, *arrays, "linear").items():
        close(array, expected[name], tolerance)


def test_a_task_takes_panels_side_by_side_where_the_result_is_wide():
    width = side_by_side.py_func
    assert width(WIDE, 13) == width(WIDE, 300) == 3 * COLUMNS
    assert width(TASKS * COLUMNS, 13) == COLUMNS        # threads need enough tasks
    assert width(WIDE, 100_000) == COLUMNS              # and the packed panels a cache


@pytest.mark.parametrize("rows, columns", [
    pytest.param(slice(6, 18), slice(0), id="rows"),
    pytest.param(slice(0), slice(250, 520), id="columns"),
    pytest.param(slice(0), slice(0), id="most"),
    pytest.param(slice(None), slice(0), id="all")])
def test_dense_leaves_out_zeros_and_nothing_else(rng, rows, columns):
    x, kernel, bias, dout = draw_dense(rng, 29, 613, 40)
    x[rng.random(x.shape) < 0.8] = 0
    x[rows] = 0
    x[:, columns] = 0
    expected = dense(REFERENCE, x, kernel, bias, dout, "linear")
    for name, array in dense(CPU, x, kernel, bias, dout, "linear").items():
        close(array, expected[name], 1e-13)


def test_dense_scratch_forgets_the_zeros_of_an_earlier_batch(rng):
    kernel = rng.standard_normal((40, 50))
    bias = np.zeros(50)
    scratch = CPU.dense_scratch(9, 40, 50, np.float64)
    for x in (np.zeros((9, 40)), rng.standard_normal((9, 40))):
        y = np.empty((9, 50))
        CPU.dense_forward(x, kernel, bias, y, "linear", scratch)
        close(y, x @ kernel + bias, 1e-13)


def test_dense_lets_nan_and_infinity_of_x_through(backend):
    x = np.ones((3, 40), np.float32)
    x[1, 7] = np.nan
    x[2, 9] = np.inf
    y = np.empty((3, 50), np.float32)
    scratch = backend.dense_scratch(3, 40, 50, np.float32)
    with np.errstate(invalid="ignore"):
        backend.dense_forward(x, np.ones((40, 50), np.float32), np.zeros(50, np.float32), y,
                              "relu", scratch)
    assert (y[0] == 40).all()
    assert np.isnan(y[1]).all()
    assert (y[2] == np.inf).all()


# Activations

@pytest.mark.parametrize("activation", EXAMPLES)
def test_activations_of_long_arrays_equal_the_reference(activation, rng):
    """Longer than a thread takes at a time, and over a wide range."""
    x = (3 * rng.standard_normal((2, 9000))).astype(np.float32)
    dout = rng.standard_normal(x.shape).astype(np.float32)
    x[0, 0] = 1e-5
    results = []
    for backend, dtype in ((REFERENCE, np.float64), (CPU, np.float32)):
        y = np.full(x.shape, np.nan, dtype)
        dx = np.full(x.shape, np.nan, dtype)
        backend.activation_forward(x.astype(dtype), y, activation)
        backend.activation_backward(dout.astype(dtype), y, dx, activation)
        results.append((y, dx))
    for expected, actual in zip(*results, strict=True):
        close(actual, expected, 1e-6)


@pytest.mark.parametrize("activation", EXAMPLES)
def test_activations_are_finite_at_the_extremes_and_let_nan_through(backend, activation):
    x = np.array([[-1e4, -100, -0.0, 0.0, 100, 1e4]], np.float32)
    y = np.empty_like(x)
    backend.activation_forward(x, y, activation)
    assert np.isfinite(y).all()
    x[0, 2] = np.nan
    backend.activation_forward(x, y, activation)
    assert np.isnan(y[0, 2])


@pytest.mark.parametrize("activation, formula, numbers", [
    ("tanh", np.tanh, [1e-20, -1e-20, 1e-3, 0.6249, 0.6251]),
    ("sigmoid", np.exp, [-80, -40, -20])])
def test_sigmoid_and_tanh_keep_the_digits_of_small_results(backend, activation, formula, numbers):
    x = np.array(numbers, np.float32)
    y = np.empty_like(x)
    backend.activation_forward(x, y, activation)
    np.testing.assert_allclose(y, formula(x.astype(np.float64)), rtol=3e-7)


# Losses and optimizers

@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
def test_binary_crossentropy_equals_keras(backend, golden, dtype, tolerance):
    g = golden["loss/binary_crossentropy/sigmoid"]
    logits = g["logits"].astype(dtype)
    target = g["target"].astype(dtype)
    probability = np.full_like(logits, np.nan)
    dlogits = np.full_like(logits, np.nan)
    loss = np.full(len(logits), np.nan, dtype)
    backend.binary_crossentropy_forward(logits, target, probability, loss, 784.0)
    backend.binary_crossentropy_backward(probability, target, dlogits, 784.0)
    close(loss, g["loss"], tolerance)
    close(dlogits, g["dlogits"], tolerance)


@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_squared_error_equals_keras(backend, golden, activation, dtype, tolerance):
    g = golden[f"loss/squared_error/{activation}"]
    logits = g["logits"].astype(dtype)
    target = g["target"].astype(dtype)
    output = np.full_like(logits, np.nan)
    dlogits = np.full_like(logits, np.nan)
    loss = np.full(len(logits), np.nan, dtype)
    backend.squared_error_forward(logits, target, output, loss, 784.0, activation)
    backend.squared_error_backward(output, target, dlogits, 784.0, activation)
    close(loss, g["loss"], tolerance)
    close(dlogits, g["dlogits"], tolerance)


# Keras's group, the operation, its averages, and its settings
OPTIMIZERS = [("Adam", "adam_update", 2, (0.01, 0.9, 0.999, 1e-7)),
              ("RMSprop", "rmsprop_update", 1, (0.01, 0.9, 1e-7)),
              ("SGD", "sgd_update", 1, (0.1, 0.0)),
              ("SGD momentum", "sgd_update", 1, (0.1, 0.8))]


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-7), ("float32", 2e-6)])
@pytest.mark.parametrize("group, operation, averages, settings", OPTIMIZERS)
def test_optimizers_equal_keras(backend, golden, group, operation, averages, settings, dtype,
                                tolerance):
    """Keras computes bias corrections in float32."""
    g = golden[f"optimizer/{group}"]
    w = g["start"].astype(dtype)
    slots = [np.zeros(11, dtype) for _ in range(averages)]
    update = getattr(backend, operation)
    for step, (gradient, after) in enumerate(zip(g["gradients"], g["after"]), 1):
        count = [step] if group == "Adam" else []
        update(w, gradient.astype(dtype), *slots, *settings, *count)
        close(w, after, tolerance)


def test_optimizers_flush_denormals(backend):
    w = np.ones(5, np.float32)
    v = np.full(5, 1.2e-38, np.float32)
    g = np.zeros(5, np.float32)
    for _ in range(3):
        backend.rmsprop_update(w, g, v, 0.001, 0.9, 1e-7)
    assert (v == 0).all()
    assert (w == 1).all()


# The latent variable

def test_samples_have_the_variance_that_log_var_says(backend):
    """A gradient check passes with exp(log_var) for exp(log_var / 2), too."""
    count = 200_000
    eps = np.empty((count, 1))
    z = np.empty((count, 1))
    backend.normal(eps, 3, 0, 0)
    backend.reparameterize_forward(np.full((count, 1), 0.5), np.full((count, 1), np.log(4.0)),
                                   eps, z)
    assert abs(z.mean() - 0.5) < 0.02
    assert abs(z.var() - 4) < 0.06


def test_kl_equals_its_monte_carlo_estimate(backend):
    count = 400_000
    mean = 0.8
    log_var = -0.9
    eps = np.empty((count, 1))
    z = np.empty((count, 1))
    kl = np.empty(1)
    backend.normal(eps, 4, 0, 0)
    backend.reparameterize_forward(np.full((count, 1), mean), np.full((count, 1), log_var), eps, z)
    log_q = -0.5 * (np.log(2 * np.pi) + log_var + (z - mean) ** 2 / np.exp(log_var))
    log_p = -0.5 * (np.log(2 * np.pi) + z ** 2)
    backend.gaussian_kl_forward(np.array([[mean]]), np.array([[log_var]]), kl)
    assert abs((log_q - log_p).mean() - kl[0]) < 0.005


def test_exponentials_reach_zero_and_infinity():
    """The float32 polynomial at its borders, seen through the KL: exp(log_var) is part of it."""
    log_var = np.float32([-200, -87.2, -80, 88, 88.7, 88.8, 200, np.nan]).reshape(8, 1)
    kl = np.empty(8, np.float32)
    CPU.gaussian_kl_forward(np.zeros_like(log_var), log_var, kl)
    with np.errstate(over="ignore"):
        expected = -0.5 * (1 + log_var - np.exp(log_var))[:, 0]
    np.testing.assert_allclose(kl, expected, rtol=1e-5)
    assert np.isinf(kl[5:7]).all()
    assert np.isnan(kl[7])


# Noise and dropout

@pytest.mark.parametrize("words, answer", [
    ((0,) * 6, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 6, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
     "d16cfe09 94fdcceb 5001e420 24126ea1")])
def test_philox_gives_the_published_words(words, answer):
    """The known answers of Salmon et al.'s library Random123 for philox4x32-10."""
    assert " ".join(f"{int(word):08x}" for word in philox(words[:4], words[4:])) == answer


@pytest.mark.parametrize("shape", [(1,), (3, 5), (4099,)])
def test_uniform_noise_has_the_same_bits_in_every_backend(shape):
    for seed, step, stream in ((0, 0, 0), (2 ** 40 + 1, 2 ** 33 + 5, 2 ** 32 - 1)):
        expected = np.full(shape, np.nan, np.float32)
        actual = np.full(shape, np.nan, np.float32)
        REFERENCE.uniform(expected, seed, step, stream)
        CPU.uniform(actual, seed, step, stream)
        np.testing.assert_array_equal(actual, expected)


def test_noise_depends_on_seed_step_and_stream_and_is_normal(backend):
    draws = []
    for seed, step, stream in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 2 ** 32, 0),
                               (2 ** 32, 0, 0)):
        out = np.empty(20_000)
        backend.normal(out, seed, step, stream)
        assert kstest(out, "norm").pvalue > 1e-3
        draws.append(out)
    correlations = np.corrcoef(draws)[np.triu_indices(6, 1)]
    assert np.abs(correlations).max() < 0.03


def test_uniform_noise_is_uniform(backend):
    out = np.empty(20_000)
    backend.uniform(out, 0, 0, 0)
    assert 0 <= out.min()
    assert out.max() < 1
    assert kstest(out, "uniform").pvalue > 1e-3


def test_dropout_drops_where_the_noise_is_below_the_rate_in_both_passes(backend, rng):
    x = rng.standard_normal((3, 7))
    noise = rng.random((3, 7))
    noise[0, 0] = 0.25
    y = np.empty((3, 7))
    dx = np.empty((3, 7))
    backend.dropout_forward(x, noise, y, 0.25)
    np.testing.assert_allclose(y, np.where(noise >= 0.25, x / 0.75, 0))
    backend.dropout_backward(x, noise, dx, 0.25)
    np.testing.assert_array_equal(dx, y)


# Backends

def test_unknown_activations_and_backends_are_refused_with_a_list(backend):
    with pytest.raises(ScratchVAEError, match="unknown activation 'selu'; allowed: linear, relu"):
        backend.activation_forward(np.zeros(3), np.zeros(3), "selu")
    with pytest.raises(ScratchVAEError, match="unknown backend 'gpu'; allowed: cpu, reference"):
        kernels.load("gpu")


@pytest.mark.parametrize("count", [0, 10 ** 6])
def test_a_number_of_threads_that_the_machine_does_not_have_is_refused(backend, count):
    with pytest.raises(ScratchVAEError, match=r"^threads.* 1 to \d+ on this machine") as caught:
        backend.set_threads(count)
    assert str(count) in str(caught.value)


@pytest.mark.parametrize("changed, anew", [("microkernel", True), ("dense", True), ("gru", False)])
def test_compiled_code_is_kept_under_a_hash_of_all_that_it_was_compiled_from(
        tmp_path, changed, anew):
    folder = Path(shutil.copytree(Path(cache.__file__).parent, tmp_path / "cpu"))
    before = cache.version(folder / "dense.py")
    assert cache.version(Path(cache.__file__).with_name("dense.py")) == before
    with open(folder / f"{changed}.py", "a") as file:
        file.write("\n")
    cache.version.cache_clear()
    assert (cache.version(folder / "dense.py") != before) == anew


def test_a_kernel_s_code_lies_in_its_version_s_folder(backend):
    y = np.empty(3)
    backend.dropout_forward(np.ones(3), np.ones(3), y, 0.5)
    if backend.__name__.endswith("cpu"):
        file = Path(cache.__file__).with_name("dropout.py")
        assert any((folders.kernels_home() / cache.version(str(file))).iterdir())


def test_numba_s_own_cache_folder_stays_as_it_was():
    assert not numba.config.CACHE_DIR or "scratchvae" not in numba.config.CACHE_DIR
