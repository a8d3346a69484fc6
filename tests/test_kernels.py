"""Every operation of every backend: against Keras's numbers, against each other, and in its manners."""
import inspect

import numpy as np
import pytest

import kernels
from kernels.contract import ACTIVATIONS, INTEGERS, SHAPES, ScratchVAEError

REFERENCE, CPU = kernels.load("reference"), kernels.load("cpu")
OPERATIONS = sorted(name for name, member in vars(REFERENCE).items() if inspect.isfunction(member) and hasattr(member, "__wrapped__"))
ALL_ACTIVATIONS = (*ACTIVATIONS, "leaky_relu(0.3)")
SCRATCHES = [f"{family}_scratch" for family in ("batchnorm", "clip_by_global_norm", "conv2d", "conv2d_transpose", "dense", "gru")]
LARGE = 20_001                  # more than two chunks of the kernels that share out chunks


def close(actual, expected, tolerance):
    """The largest difference is within tolerance of the largest number expected."""
    assert np.isfinite(actual).all()
    assert np.abs(actual - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-30)


def dense(backend, x, kernel, bias, dout, activation):
    """y, dx, dkernel and dbias of a dense layer, written into arrays of NaN."""
    (N, K), M = x.shape, kernel.shape[1]
    y, dz, dx, dkernel, dbias = (np.full(shape, np.nan, x.dtype) for shape in ((N, M), (N, M), (N, K), (K, M), (M,)))
    scratch = backend.dense_scratch(N, K, M, x.dtype)
    backend.dense_forward(x, kernel, bias, y, activation, scratch)
    backend.dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch)
    return {"y": y, "dx": dx, "dkernel": dkernel, "dbias": dbias}


def test_backends_have_the_same_operations_with_the_same_signatures():
    assert OPERATIONS == sorted(name for name, member in vars(CPU).items() if inspect.isfunction(member) and hasattr(member, "__wrapped__"))
    assert OPERATIONS == sorted(SHAPES)
    for name in OPERATIONS + [*SCRATCHES, "set_threads", "describe"]:
        assert inspect.signature(getattr(REFERENCE, name)) == inspect.signature(getattr(CPU, name)), name


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


def convolution_calls(a, name, kernel):
    """The calls of a convolution, or a transposed one."""
    x, y = (3, 4, 3, 4), (3, 4, 3, 6)
    settings = dict(strides=(1, 1), padding="same", activation="relu", scratch=None)
    return {f"{name}_forward": (dict(x=a(*x), kernel=a(*kernel), bias=a(6), y=a(*y), **settings), "y"),
            f"{name}_backward": (dict(dout=a(*y), x=a(*x), y=a(*y), kernel=a(*kernel), dx=a(*x), dkernel=a(*kernel), dbias=a(6), **settings),
                                 "dx dkernel dbias")}


def scratch_for(backend, name, arguments):
    """{"scratch": work space} if the operation needs some."""
    if "scratch" not in arguments:
        return {}
    if name == "clip_by_global_norm":
        return {"scratch": backend.clip_by_global_norm_scratch(arguments["gradients"].dtype)}
    x, family = arguments["x"], name.rpartition("_")[0]
    sizes = {"dense": lambda: (*x.shape, arguments["kernel"].shape[1]), "batchnorm": lambda: x.shape[1:],
             "gru": lambda: (*x.shape, len(arguments["recurrent_kernel"]))}.get(
        family, lambda: (len(x), x.shape[1:], arguments["kernel"].shape, arguments["strides"], arguments["padding"]))()
    scratch = getattr(backend, f"{family}_scratch")(*sizes, x.dtype)
    if name == "gru_backward":              # reads what the forward pass left there
        inputs = [arguments[key] for key in ("x", "kernel", "recurrent_kernel", "dbias", "dinitial_state", "mask")]
        backend.gru_forward(*inputs, np.empty_like(arguments["dout"]), arguments["go_backwards"], scratch)
    return {"scratch": scratch}


def calls(rng):
    """(operation, arguments with arrays by name, names of outputs) for every operation."""
    def a(*shape):
        return rng.standard_normal(shape)
    target, words, targets = rng.random((3, 5)), rng.integers(0, 4, (5,), np.int32), rng.integers(0, 5, (3, 4), np.int32)
    mask = np.array([[1, 1, 1, 1], [0, 0, 1, 1], [1, 0, 1, 1]], np.int32)
    return {
        "activation_forward": (dict(x=a(3, 5), y=a(3, 5), activation="relu"), "y"),
        "activation_backward": (dict(dout=a(3, 5), y=a(3, 5), dx=a(3, 5), activation="tanh"), "dx"),
        "dense_forward": (dict(x=a(3, 4), kernel=a(4, 5), bias=a(5), y=a(3, 5), activation="relu", scratch=None), "y"),
        "dense_backward": (dict(dout=a(3, 5), x=a(3, 4), y=a(3, 5), kernel=a(4, 5), dz=a(3, 5), dx=a(3, 4), dkernel=a(4, 5), dbias=a(5),
                                activation="relu", scratch=None), "dz dx dkernel dbias"),
        **convolution_calls(a, "conv2d", (3, 3, 4, 6)),
        **convolution_calls(a, "conv2d_transpose", (3, 3, 6, 4)),
        "batchnorm_forward": (dict(x=a(3, 5), gamma=a(5), beta=a(5), moving_mean=a(5), moving_variance=a(5) ** 2, y=a(3, 5), mean=a(5),
                                   variance=a(5), momentum=0.9, epsilon=1e-3, scratch=None), "y mean variance moving_mean moving_variance"),
        "batchnorm_inference": (dict(x=a(3, 5), gamma=a(5), beta=a(5), moving_mean=a(5), moving_variance=a(5) ** 2, y=a(3, 5),
                                     epsilon=1e-3, scratch=None), "y"),
        "batchnorm_backward": (dict(dout=a(3, 5), x=a(3, 5), gamma=a(5), mean=a(5), variance=a(5) ** 2, dx=a(3, 5), dgamma=a(5), dbeta=a(5),
                                    epsilon=1e-3, training=True, scratch=None), "dx dgamma dbeta"),
        "dropout_forward": (dict(x=a(3, 5), noise=target, y=a(3, 5), rate=0.5), "y"),
        "dropout_backward": (dict(dout=a(3, 5), noise=target, dx=a(3, 5), rate=0.5), "dx"),
        "binary_crossentropy_forward": (dict(logits=a(3, 5), target=target, probability=a(3, 5), loss=a(3), scale=2.0), "probability loss"),
        "binary_crossentropy_backward": (dict(probability=target, target=a(3, 5), dlogits=a(3, 5), scale=2.0), "dlogits"),
        "squared_error_forward": (dict(logits=a(3, 5), target=target, output=a(3, 5), loss=a(3), scale=2.0, activation="tanh"), "output loss"),
        "squared_error_backward": (dict(output=a(3, 5), target=target, dlogits=a(3, 5), scale=2.0, activation="tanh"), "dlogits"),
        "reparameterize_forward": (dict(z_mean=a(3, 2), z_log_var=a(3, 2), eps=a(3, 2), z=a(3, 2)), "z"),
        "reparameterize_backward": (dict(dz=a(3, 2), z_log_var=a(3, 2), eps=a(3, 2), dz_mean=a(3, 2), dz_log_var=a(3, 2)), "dz_mean dz_log_var"),
        "gaussian_kl_forward": (dict(z_mean=a(3, 2), z_log_var=a(3, 2), kl=a(3)), "kl"),
        "gaussian_kl_backward": (dict(z_mean=a(3, 2), z_log_var=a(3, 2), dz_mean=a(3, 2), dz_log_var=a(3, 2), weight=0.5,
                                      free_bits=0.4), "dz_mean dz_log_var"),
        "sparse_categorical_crossentropy_forward": (dict(logits=a(3, 4, 5), targets=targets, loss=a(3), log_total=a(3, 4), scale=2.0),
                                                    "loss log_total"),
        "sparse_categorical_crossentropy_backward": (dict(logits=a(3, 4, 5), targets=targets, log_total=9 + a(3, 4), dlogits=a(3, 4, 5),
                                                          scale=2.0), "dlogits"),
        "onehot_binary_crossentropy_forward": (dict(logits=a(3, 5), targets=targets[:, 0].copy(), loss=a(3), scale=2.0), "loss"),
        "onehot_binary_crossentropy_backward": (dict(logits=a(3, 5), targets=targets[:, 0].copy(), dlogits=a(3, 5), scale=2.0), "dlogits"),
        "embedding_forward": (dict(indices=words, table=a(4, 3), y=a(5, 3)), "y"),
        "embedding_backward": (dict(dout=a(5, 3), indices=words, dtable=a(4, 3)), "dtable"),
        "onehot_dense_forward": (dict(indices=words, kernel=a(4, 3), bias=a(3), y=a(5, 3), activation="tanh"), "y"),
        "onehot_dense_backward": (dict(dout=a(5, 3), indices=words, y=a(5, 3), dz=a(5, 3), dkernel=a(4, 3), dbias=a(3), activation="relu"),
                                  "dz dkernel dbias"),
        "gru_forward": (dict(x=a(3, 4, 7), kernel=a(7, 18), recurrent_kernel=a(6, 18), bias=a(2, 18), initial_state=a(3, 6), mask=mask,
                             y=a(3, 4, 6), go_backwards=False, scratch=None), "y"),
        "gru_backward": (dict(dout=a(3, 4, 6), x=a(3, 4, 7), kernel=a(7, 18), recurrent_kernel=a(6, 18), mask=mask, dx=a(3, 4, 7),
                              dkernel=a(7, 18), drecurrent_kernel=a(6, 18), dbias=a(2, 18), dinitial_state=a(3, 6), go_backwards=True,
                              scratch=None), "dx dkernel drecurrent_kernel dbias dinitial_state"),
        "repeat_forward": (dict(x=a(3, 5), y=a(3, 4, 5)), "y"),
        "repeat_backward": (dict(dout=a(3, 4, 5), dx=a(3, 5)), "dx"),
        "concatenate_forward": (dict(a=a(3, 4), b=a(3, 6), y=a(3, 10)), "y"),
        "concatenate_backward": (dict(dout=a(3, 10), da=a(3, 4), db=a(3, 6)), "da db"),
        "last_forward": (dict(x=a(3, 4, 5), y=a(3, 5), t=3), "y"),
        "last_backward": (dict(dout=a(3, 5), dx=a(3, 4, 5), t=0), "dx"),
        "mask_steps": (dict(x=a(3, 4, 5), mask=mask, y=a(3, 4, 5)), "y"),
        "padding_mask": (dict(indices=targets, mask=mask + 2), "mask"),
        "words_before": (dict(indices=targets, noise=rng.random((3, 4)), before=targets + 9, first=7, unknown=8, rate=0.5), "before"),
        "uniform": (dict(out=a(3, 5), seed=1, step=2, stream=3), "out"),
        "normal": (dict(out=a(3, 5), seed=1, step=2, stream=3), "out"),
        "sgd_update": (dict(parameters=a(9), gradients=a(9), velocity=a(9), learning_rate=0.1, momentum=0.9), "parameters velocity"),
        "rmsprop_update": (dict(parameters=a(9), gradients=a(9), v=a(9) ** 2, learning_rate=0.1, rho=0.9, epsilon=1e-7), "parameters v"),
        "adam_update": (dict(parameters=a(9), gradients=a(9), m=a(9), v=a(9) ** 2, learning_rate=0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-7,
                             step=3), "parameters m v"),
        "clip_by_global_norm": (dict(gradients=a(9), clipnorm=1.5, scratch=None), "gradients"),
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_manners(backend, rng, name):
    """Inputs come back unchanged, outputs are written, and what is not contiguous or of mixed types is refused in one line."""
    arguments, outputs = calls(rng)[name]
    arguments |= scratch_for(backend, name, arguments)
    before = {key: value.copy() for key, value in arguments.items() if isinstance(value, np.ndarray) and key != "scratch"}
    getattr(backend, name)(*arguments.values())
    for key, value in before.items():
        changed = not np.array_equal(value, arguments[key])
        assert changed == (key in outputs.split()), key
    for key in before:
        strided = np.empty((*arguments[key].shape[:-1], 2 * arguments[key].shape[-1]), arguments[key].dtype)[..., ::2]
        with pytest.raises(ValueError, match=f"{name}: {key} is not C-contiguous"):
            getattr(backend, name)(*{**arguments, key: strided}.values())
        with pytest.raises(ValueError, match=f"{name}: .*int64"):
            getattr(backend, name)(*{**arguments, key: arguments[key].astype(np.int64)}.values())
        if key in INTEGERS or len(before.keys() - INTEGERS) > 1:
            refusal = "is float32; needed: int32" if key in INTEGERS else "share one dtype"
            with pytest.raises(ValueError, match=f"{name}: .*{refusal}"):
                getattr(backend, name)(*{**arguments, key: arguments[key].astype(np.float32)}.values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_wrong_shapes_are_refused_before_they_can_do_harm(backend, rng, name):
    arguments, _ = calls(rng)[name]
    arguments |= scratch_for(backend, name, arguments)
    getattr(backend, name)(**arguments)                 # by name, too
    arrays = [key for key, value in arguments.items() if isinstance(value, np.ndarray) and key != "scratch"]
    axes = dict(item.split("=") for item in SHAPES[name].split())
    for key in arrays if len(arrays) > 1 else []:
        free = axes[key] != "*" and SHAPES[name].partition("=")[2].count(axes[key][0]) == 1     # a smaller window, or fewer words
        for wrong in [arguments[key][..., np.newaxis].copy()] + ([] if free else [arguments[key][:-1]]):
            with pytest.raises(ScratchVAEError, match=f"{name}: .* has shape .* needed: "):
                getattr(backend, name)(**{**arguments, key: wrong})
    with pytest.raises(ScratchVAEError, match=f"{name}: {arrays[0]} is a list; needed: a NumPy array"):
        getattr(backend, name)(**{**arguments, arrays[0]: [1.0]})


def test_a_scratch_of_other_sizes_is_refused(rng):
    arguments, _ = calls(rng)["dense_forward"]
    for sizes in ((4, 4, 5), (3, 5, 5), (3, 4, 6)):
        with pytest.raises(ScratchVAEError, match=r"the scratch was made for other sizes; needed: dense_scratch\(3, 4, 5"):
            CPU.dense_forward(**{**arguments, "scratch": CPU.dense_scratch(*sizes, np.float64)})


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-6), (np.float64, 1e-13)])
@pytest.mark.parametrize("name", [name for name in OPERATIONS if not name.startswith(("dense", "conv2d", "gru", "padding_mask", "words_before"))])
def test_large_arrays_equal_reference(name, dtype, tolerance, rng):
    """Every operation that works in chunks, on more than two of them, in both precisions."""
    class Large:
        """Stands in for the generator: every axis called 5 or 9 is long."""

        def standard_normal(self, shape):
            return rng.standard_normal([{5: LARGE // 3, 9: LARGE, 2: 4001}.get(n, n) for n in np.atleast_1d(shape)])

        def random(self, shape):
            return rng.random([{5: LARGE // 3}.get(n, n) for n in shape])

        def integers(self, low, high, shape, dtype):
            return rng.integers(low, high, [{5: LARGE // 3}.get(n, n) for n in shape], dtype)

    arguments, outputs = calls(Large())[name]
    results = []
    for backend, kind in ((REFERENCE, np.float64), (CPU, dtype)):
        copies = {key: value.astype(dtype).astype(kind) if isinstance(value, np.ndarray) and key not in INTEGERS else value
                  for key, value in arguments.items()}
        copies |= scratch_for(backend, name, copies)
        getattr(backend, name)(**copies)
        results.append([copies[key] for key in outputs.split()])
    for expected, actual in zip(*results):
        assert actual.size > 2 and actual.dtype == dtype
        close(actual, expected, tolerance)


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
