"""Operations of every backend: against the numbers of Keras, and against each other."""
import numpy as np
import pytest
from conftest import close

import kernels
from kernels.activation_names import ACTIVATIONS

REFERENCE, CPU = kernels.load("reference"), kernels.load("cpu")
ALL_ACTIVATIONS = (*ACTIVATIONS, "leaky_relu(0.3)")


def dense(backend, x, kernel, bias, dout, activation):
    """y, dx, dkernel and dbias of a dense layer, written into arrays of NaN."""
    (N, K), M = x.shape, kernel.shape[1]
    y, dz, dx, dkernel, dbias = (np.full(shape, np.nan, x.dtype) for shape in ((N, M), (N, M), (N, K), (K, M), (M,)))
    scratch = backend.dense_scratch(N, K, M, x.dtype)
    backend.dense_forward(x, kernel, bias, y, activation, scratch)
    backend.dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch)
    return {"y": y, "dx": dx, "dkernel": dkernel, "dbias": dbias}


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-6)])
@pytest.mark.parametrize("activation", ALL_ACTIVATIONS)
def test_dense_equals_keras(backend, golden, activation, dtype, tolerance):
    g = {name: array.astype(dtype) for name, array in golden[f"dense/{activation}"].items()}
    for name, array in dense(backend, g["x"], g["kernel"], g["bias"], g["dout"], activation).items():
        close(array, golden[f"dense/{activation}"][name], tolerance)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 1e-5)])
@pytest.mark.parametrize("N, K, M", [(1, 1, 1), (7, 5, 3), (6, 32, 32), (13, 300, 33), (33, 17, 130), (101, 784, 256), (300, 31, 65),
                                     (5, 2000, 47)])
def test_dense_equals_reference(N, K, M, dtype, tolerance, rng):
    x, kernel, bias, dout = (rng.standard_normal(shape).astype(dtype) for shape in ((N, K), (K, M), (M,), (N, M)))
    expected = dense(REFERENCE, *(a.astype(np.float64) for a in (x, kernel, bias, dout)), "linear")
    for name, array in dense(CPU, x, kernel, bias, dout, "linear").items():
        close(array, expected[name], tolerance)


@pytest.mark.parametrize("zeros", ["rows", "columns", "most", "all"])
def test_dense_leaves_out_zeros_and_nothing_else(rng, zeros):
    x = rng.standard_normal((29, 613)) * (rng.random((29, 613)) < 0.2)
    x[{"rows": slice(6, 18), "columns": slice(0, 0), "most": slice(0, 0), "all": slice(None)}[zeros]] = 0
    x[:, {"columns": slice(250, 520)}.get(zeros, slice(0, 0))] = 0
    kernel, bias, dout = rng.standard_normal((613, 40)), rng.standard_normal(40), rng.standard_normal((29, 40))
    expected = dense(REFERENCE, x, kernel, bias, dout, "linear")
    for name, array in dense(CPU, x, kernel, bias, dout, "linear").items():
        close(array, expected[name], 1e-13)


def test_dense_scratch_forgets_the_zeros_of_an_earlier_batch(rng):
    kernel, bias = rng.standard_normal((40, 50)), np.zeros(50)
    scratch = CPU.dense_scratch(9, 40, 50, np.float64)
    for x in (np.zeros((9, 40)), rng.standard_normal((9, 40))):
        y = np.empty((9, 50))
        CPU.dense_forward(x, kernel, bias, y, "linear", scratch)
        close(y, x @ kernel + bias, 1e-13)


def test_dense_lets_nan_and_infinity_through(backend):
    x = np.ones((3, 40), np.float32)
    x[1, 7] = np.nan
    x[2, 9] = np.inf            # (in the weights, what meets an exact zero may be left out: the contract says so)
    y = np.empty((3, 50), np.float32)
    backend.dense_forward(x, np.ones((40, 50), np.float32), np.zeros(50, np.float32), y, "relu",
                          backend.dense_scratch(3, 40, 50, np.float32))
    assert (y[0] == 40).all() and np.isnan(y[1]).all() and (y[2] == np.inf).all()


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 1e-6)])
@pytest.mark.parametrize("activation", ALL_ACTIVATIONS)
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 9000)])
def test_activations_equal_reference(activation, shape, dtype, tolerance, rng):
    x, dout = (3 * rng.standard_normal(shape)).astype(dtype), rng.standard_normal(shape).astype(dtype)
    x.flat[0] = 1e-5
    results = []
    for backend, kind in ((REFERENCE, np.float64), (CPU, dtype)):
        y, dx = np.full(shape, np.nan, kind), np.full(shape, np.nan, kind)
        backend.activation_forward(x.astype(kind), y, activation)
        backend.activation_backward(dout.astype(kind), y, dx, activation)
        results.append((y, dx))
    for expected, actual in zip(*results):
        close(actual, expected, tolerance)


@pytest.mark.parametrize("activation", ALL_ACTIVATIONS)
def test_activations_at_the_extremes(backend, activation):
    x = np.array([[-1e4, -100, -0.0, 0.0, 100, 1e4]], np.float32)
    y = np.empty_like(x)
    backend.activation_forward(x, y, activation)
    assert np.isfinite(y).all()
    x[0, 2] = np.nan
    backend.activation_forward(x, y, activation)
    assert np.isnan(y[0, 2])


def test_sigmoid_and_tanh_keep_small_numbers(backend):
    x = np.array([1e-20, -1e-20, 1e-3, 0.6249, 0.6251], np.float32)
    y = np.empty_like(x)
    backend.activation_forward(x, y, "tanh")
    np.testing.assert_allclose(y, np.tanh(x.astype(np.float64)), rtol=3e-7)
    x = np.array([-80, -40, -20], np.float32)
    y = np.empty_like(x)
    backend.activation_forward(x, y, "sigmoid")
    np.testing.assert_allclose(y, np.exp(x.astype(np.float64)), rtol=3e-7)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-6)])
@pytest.mark.parametrize("name", ["binary_crossentropy/sigmoid", "squared_error/sigmoid", "squared_error/linear"])
def test_losses_equal_keras(backend, golden, name, dtype, tolerance):
    g = golden[f"loss/{name}"]
    logits, target = g["logits"].astype(dtype), g["target"].astype(dtype)
    output, dlogits, loss = np.full_like(logits, np.nan), np.full_like(logits, np.nan), np.full(len(logits), np.nan, dtype)
    kind, activation = name.split("/")
    if kind == "binary_crossentropy":
        backend.binary_crossentropy_forward(logits, target, output, loss, 784.0)
        backend.binary_crossentropy_backward(output, target, dlogits, 784.0)
    else:
        backend.squared_error_forward(logits, target, output, loss, 784.0, activation)
        backend.squared_error_backward(output, target, dlogits, 784.0, activation)
    close(loss, g["loss"], tolerance)
    close(dlogits, g["dlogits"], tolerance)


@pytest.mark.parametrize("name, arguments", [("Adam", (0.01, 0.9, 0.999, 1e-7)), ("RMSprop", (0.01, 0.9, 1e-7)), ("SGD", (0.1, 0.0)),
                                             ("SGD momentum", (0.1, 0.8))])
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-7), (np.float32, 2e-6)])
def test_optimizers_equal_keras(backend, golden, name, arguments, dtype, tolerance):
    g = golden[f"optimizer/{name}"]         # Keras computes bias corrections in float32
    w, slots = g["start"].astype(dtype), [np.zeros(11, dtype) for _ in range(2)]
    update = {"A": backend.adam_update, "R": backend.rmsprop_update, "S": backend.sgd_update}[name[0]]
    for step, (gradient, after) in enumerate(zip(g["gradients"], g["after"])):
        kept = gradient.astype(dtype)
        arrays = (w, kept, *slots) if name == "Adam" else (w, kept, slots[0])
        update(*arrays, *arguments, *([step + 1] if name == "Adam" else []))
        close(w, after, tolerance)
        np.testing.assert_array_equal(kept, gradient.astype(dtype))


def test_optimizers_flush_denormals(backend):
    w, v, g = np.ones(5, np.float32), np.full(5, 1.2e-38, np.float32), np.zeros(5, np.float32)
    for _ in range(3):
        backend.rmsprop_update(w, g, v, 0.001, 0.9, 1e-7)
    assert (v == 0).all() and (w == 1).all()


@pytest.mark.parametrize("free_bits", [0.0, 0.8, 5.0])
def test_reparameterize_and_kl_equal_reference(free_bits, rng):
    mean, log_var, eps, dz = (rng.standard_normal((7, 3)) for _ in range(4))
    results = []
    for backend in (REFERENCE, CPU):
        z, dmean, dlog_var, kl = np.empty((7, 3)), np.empty((7, 3)), np.empty((7, 3)), np.empty(7)
        backend.reparameterize_forward(mean, log_var, eps, z)
        backend.gaussian_kl_forward(mean, log_var, kl)
        backend.reparameterize_backward(dz, log_var, eps, dmean, dlog_var)
        backend.gaussian_kl_backward(mean, log_var, dmean, dlog_var, 0.7, free_bits)
        results.append((z, kl, dmean, dlog_var))
    for expected, actual in zip(*results):
        close(actual, expected, 1e-14)


def test_samples_have_the_variance_that_log_var_says(backend):
    """A gradient check passes with exp(log_var) for exp(log_var / 2), too."""
    count = 200_000
    mean, log_var = np.full((count, 1), 0.5), np.full((count, 1), np.log(4.0))
    eps, z = np.empty((count, 1)), np.empty((count, 1))
    backend.normal(eps, 3, 0, 0)
    backend.reparameterize_forward(mean, log_var, eps, z)
    assert abs(z.mean() - 0.5) < 0.02 and abs(z.var() - 4) < 0.06


def test_kl_equals_its_monte_carlo_estimate(backend):
    count, mean, log_var = 400_000, 0.8, -0.9
    eps, z, kl = np.empty((count, 1)), np.empty((count, 1)), np.empty(1)
    backend.normal(eps, 4, 0, 0)
    backend.reparameterize_forward(np.full((count, 1), mean), np.full((count, 1), log_var), eps, z)
    log_q = -0.5 * (np.log(2 * np.pi) + log_var + (z - mean) ** 2 / np.exp(log_var))
    log_p = -0.5 * (np.log(2 * np.pi) + z ** 2)
    backend.gaussian_kl_forward(np.array([[mean]]), np.array([[log_var]]), kl)
    assert abs((log_q - log_p).mean() - kl[0]) < 0.005


def test_philox_gives_the_published_words():
    """The known answers of Salmon et al.'s library Random123 for philox4x32-10."""
    from kernels.reference.noise import philox
    answers = {(0,) * 6: "6627e8d5 e169c58d bc57ac4c 9b00dbd8", (0xFFFFFFFF,) * 6: "408f276d 41c83b0e a20bc7c6 6d5451fd",
               (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0): "d16cfe09 94fdcceb 5001e420 24126ea1"}
    for words, answer in answers.items():
        assert " ".join(f"{int(word):08x}" for word in philox(words[:4], words[4:])) == answer


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (4099,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_is_the_same_in_every_backend(shape, dtype):
    for seed, step, stream in ((0, 0, 0), (2 ** 40 + 1, 2 ** 33 + 5, 2 ** 32 - 1)):
        for name in ("uniform", "normal"):
            expected, actual = np.full(shape, np.nan, dtype), np.full(shape, np.nan, dtype)
            getattr(REFERENCE, name)(expected, seed, step, stream)
            getattr(CPU, name)(actual, seed, step, stream)
            np.testing.assert_allclose(actual, expected, rtol=1e-6 if dtype == np.float32 else 1e-12)
            if name == "uniform":
                np.testing.assert_array_equal(actual, expected)


def test_noise_depends_on_seed_step_and_stream_and_has_the_right_distribution(backend):
    from scipy.stats import kstest
    draws = []
    for seed, step, stream in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 2 ** 32, 0), (2 ** 32, 0, 0)):
        out = np.empty(20_000)
        backend.normal(out, seed, step, stream)
        assert kstest(out, "norm").pvalue > 1e-3
        draws.append(out)
    correlations = np.corrcoef(draws)[np.triu_indices(6, 1)]
    assert np.abs(correlations).max() < 0.03
    backend.uniform(out, 0, 0, 0)
    assert 0 <= out.min() and out.max() < 1 and kstest(out, "uniform").pvalue > 1e-3


def test_dropout(backend, rng):
    x, noise = rng.standard_normal((3, 7)), rng.random((3, 7))
    y, dx = np.empty((3, 7)), np.empty((3, 7))
    backend.dropout_forward(x, noise, y, 0.25)
    np.testing.assert_allclose(y, np.where(noise >= 0.25, x / 0.75, 0))
    backend.dropout_backward(x, noise, dx, 0.25)
    np.testing.assert_array_equal(dx, y)


def test_exponentials_reach_zero_and_infinity(rng):
    """The float32 polynomial at its borders, seen through the KL divergence: exp(log_var) is part of it."""
    log_var = np.array([[-200], [-87.2], [-80], [88], [88.7], [88.8], [200], [np.nan]], np.float32)
    kl = np.empty(8, np.float32)
    CPU.gaussian_kl_forward(np.zeros_like(log_var), log_var, kl)
    with np.errstate(over="ignore"):
        expected = -0.5 * (1 + log_var - np.exp(log_var))[:, 0]
    np.testing.assert_allclose(kl, expected, rtol=1e-5)
    assert np.isinf(kl[5:7]).all() and np.isnan(kl[7])


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="unknown activation 'selu'.*relu"):
        CPU.activation_forward(np.zeros(3), np.zeros(3), "selu")
    with pytest.raises(ValueError, match="unknown backend 'gpu'.*cpu, reference"):
        kernels.load("gpu")
    with pytest.raises(ValueError, match="threads: 0 is out of range; allowed: 1 to"):
        CPU.set_threads(0)


def test_compiled_code_is_kept_under_a_hash_of_all_sources_and_no_setting_is_left_behind(tmp_path, monkeypatch):
    import shutil
    from pathlib import Path

    import numba

    from kernels.cpu import jit
    assert numba.config.CACHE_DIR != str(jit._CACHE) and jit._CACHE.is_dir()
    copy = Path(shutil.copytree(Path(jit.__file__).parent, tmp_path / "cpu"))
    monkeypatch.setattr(jit, "__file__", str(copy / "jit.py"))
    assert jit._cache_directory() == jit._CACHE
    with open(copy / "microkernel.py", "a") as file:
        file.write("\n")
    assert jit._cache_directory() != jit._CACHE
