"""Batch normalisation: against Keras's numbers, its definition, the other backend, and finite differences; and its manners."""
import numpy as np
import pytest
from conftest import GOLDEN, HOSTS

import kernels
from kernels.errors import ScratchVAEError
from scratchvae.gradcheck.check import check_layer
from scratchvae.layers import BatchNormalization, Layer

REFERENCE, CPU = kernels.load("reference"), kernels.load("cpu")
WEIGHTS = ("gamma", "beta", "moving_mean", "moving_variance")
with np.load(GOLDEN) as _file:
    KERAS_CASES = list(dict.fromkeys(path.rpartition("/")[0] for path in _file.files if path.startswith("batchnorm/")))


def close(actual, expected, tolerance):
    """The largest difference is within tolerance of the largest number expected."""
    assert actual.shape == expected.shape and np.isfinite(actual).all()
    assert np.abs(actual - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-30)


def normalize(backend, x, gamma, beta, moving_mean, moving_variance, dout, momentum=0.99, epsilon=1e-3, scratch=None):
    """Training forward and backward, and inference forward and backward by the moving averages before, written into NaN."""
    after = {"moving_mean_after": moving_mean.copy(), "moving_variance_after": moving_variance.copy()}
    y, dx, y_inference, dx_inference = (np.full_like(x, np.nan) for _ in range(4))
    mean, variance, dgamma, dbeta, dgamma_inference, dbeta_inference = (np.full_like(gamma, np.nan) for _ in range(6))
    scratch = backend.batchnorm_scratch(len(gamma), x.dtype) if scratch is None else scratch
    backend.batchnorm_forward(x, gamma, beta, *after.values(), y, mean, variance, momentum, epsilon, scratch)
    backend.batchnorm_backward(dout, x, gamma, mean, variance, dx, dgamma, dbeta, epsilon, True, scratch)
    backend.batchnorm_inference(x, gamma, beta, moving_mean, moving_variance, y_inference, epsilon, scratch)
    backend.batchnorm_backward(dout, x, gamma, moving_mean, moving_variance, dx_inference, dgamma_inference, dbeta_inference, epsilon, False,
                               scratch)
    return dict(y=y, dx=dx, dgamma=dgamma, dbeta=dbeta, y_inference=y_inference, **after, mean=mean, variance=variance,
                dx_inference=dx_inference, dgamma_inference=dgamma_inference, dbeta_inference=dbeta_inference)


def draw(rng, N, C, dtype=np.float64, offset=0):
    """x, gamma, beta, moving mean and variance, and dout."""
    arrays = (rng.standard_normal((N, C)) + offset, rng.standard_normal(C), rng.standard_normal(C), rng.standard_normal(C) + offset,
              rng.uniform(0.5, 2, C), rng.standard_normal((N, C)))
    return [array.astype(dtype) for array in arrays]


# Kernels

@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-10), (np.float32, 1e-4)])
@pytest.mark.parametrize("group", KERAS_CASES)
def test_batch_normalization_equals_keras(backend, golden, group, dtype, tolerance):
    if group == "batchnorm/large mean" and dtype == np.float32:
        tolerance = 1e-3                            # 1000 and a little has lost three digits of the little
    g = {name: array.astype(np.float64) for name, array in golden[group].items()}
    C = len(g["gamma"])
    results = normalize(backend, g["x"].reshape(-1, C).astype(dtype), *(g[name].astype(dtype) for name in WEIGHTS),
                        g["dout"].reshape(-1, C).astype(dtype), float(g["momentum"]), float(g["epsilon"]))
    for name in ("y", "dx", "dgamma", "dbeta", "moving_mean_after", "moving_variance_after", "y_inference"):
        close(results[name], g[name].reshape(results[name].shape), tolerance)


@pytest.mark.parametrize("offset", [0, 100])
def test_the_definition(backend, rng, offset):
    x, gamma, beta, moving_mean, moving_variance, dout = arrays = draw(rng, 11, 6, offset=offset)
    results = normalize(backend, *arrays, momentum=0.9, epsilon=0.01)
    close(results["mean"], x.mean(axis=0), 1e-12)
    close(results["variance"], x.var(axis=0), 1e-12)
    close(results["y"], gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.01) + beta, 1e-12)
    close(results["moving_mean_after"], 0.9 * moving_mean + 0.1 * x.mean(axis=0), 1e-12)
    close(results["moving_variance_after"], 0.9 * moving_variance + 0.1 * x.var(axis=0), 1e-12)
    standardized = (x - moving_mean) / np.sqrt(moving_variance + 0.01)
    close(results["y_inference"], gamma * standardized + beta, 1e-12)
    close(results["dx_inference"], dout * gamma / np.sqrt(moving_variance + 0.01), 1e-12)
    close(results["dgamma_inference"], (dout * standardized).sum(axis=0), 1e-12)
    close(results["dbeta_inference"], dout.sum(axis=0), 1e-12)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-11), (np.float32, 1e-4)])
@pytest.mark.parametrize("N, C", [(1, 1), (1, 9), (2, 3), (7, 1), (33, 17), (5, 300), (1000, 32), (20_003, 5), (100_001, 1), (6272, 64),
                                  (97, 1031), (2, 5001)])
@pytest.mark.parametrize("offset", [0, 30])
def test_cpu_equals_reference(N, C, offset, dtype, tolerance, rng):
    arrays = draw(rng, N, C, dtype, offset)
    expected = normalize(REFERENCE, *(array.astype(np.float64) for array in arrays))
    scale = max(np.abs(expected[name]).max() for name in ("dx", "dx_inference"))
    for name, array in normalize(CPU, *arrays).items():
        if N > 2:
            close(array, expected[name], tolerance)
        else:                                       # of one or two rows most is zero but for rounding
            assert np.isfinite(array).all() and np.abs(array - expected[name]).max() <= 10 * tolerance * max(np.abs(expected[name]).max(), scale)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-9), (np.float32, 1e-3)])
def test_a_large_mean_costs_no_digits_of_the_variance(backend, dtype, tolerance, rng):
    """With the mean of squares less the square of the mean, none is right in float32."""
    x = 4096 + rng.integers(-8, 9, (1000, 3)).astype(dtype) / 8
    gamma, zero, one = np.ones(3, dtype), np.zeros(3, dtype), np.ones(3, dtype)
    y, mean, variance = np.empty_like(x), np.empty(3, dtype), np.empty(3, dtype)
    backend.batchnorm_forward(x, gamma, zero, zero.copy(), one, y, mean, variance, 0.99, 1e-3, backend.batchnorm_scratch(3, dtype))
    close(variance, x.astype(np.float64).var(axis=0), tolerance)
    close(y.std(axis=0, dtype=np.float64), np.sqrt(1 / (1 + 1e-3 / x.astype(np.float64).var(axis=0))), tolerance)


def test_equal_rows_have_no_variance_and_a_batch_of_one_gives_beta(backend, rng):
    for N in (1, 5):
        _, gamma, beta, moving_mean, moving_variance, dout = draw(rng, N, 4)
        x = np.repeat(rng.standard_normal((1, 4)), N, axis=0)
        results = normalize(backend, x, gamma, beta, moving_mean, moving_variance, dout)
        np.testing.assert_allclose(results["y"], np.broadcast_to(beta, (N, 4)), atol=1e-12)
        np.testing.assert_allclose(results["variance"], 0, atol=1e-25)
        np.testing.assert_allclose(results["dx"], gamma / np.sqrt(1e-3) * (dout - dout.mean(axis=0)), atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N, C", [(1, 9), (33, 17), (5, 300), (6272, 64), (20_003, 5), (100_001, 1), (2, 5001)])
def test_same_bits_on_one_and_more_threads(N, C, dtype, rng):
    import numba
    arrays, results = draw(rng, N, C, dtype), []
    try:
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            CPU.set_threads(threads)
            results.append([array.tobytes() for array in normalize(CPU, *arrays).values()])
    finally:
        CPU.set_threads(numba.config.NUMBA_NUM_THREADS)
    assert results[0] == results[1]


def test_a_scratch_serves_any_number_of_rows_and_remembers_nothing(backend, rng):
    scratch = backend.batchnorm_scratch(17, np.float64)
    for N in (50, 3, 3000, 50):
        arrays = [N * array for array in draw(rng, N, 17)]
        expected = normalize(REFERENCE, *arrays)
        for name, array in normalize(backend, *arrays, scratch=scratch).items():
            close(array, expected[name], 1e-10)


def test_inputs_come_back_unchanged(backend, rng):
    arrays = draw(rng, 37, 5)
    kept = [array.copy() for array in arrays]
    normalize(backend, *arrays)                     # which copies the moving averages for training only
    for array, before in zip(arrays, kept):
        np.testing.assert_array_equal(array, before)


def test_wrong_arrays_are_refused(backend, rng):
    x, gamma, beta, moving_mean, moving_variance, _ = draw(rng, 6, 5)
    right = dict(x=x, gamma=gamma, beta=beta, moving_mean=moving_mean, moving_variance=moving_variance, y=np.empty_like(x), epsilon=1e-3,
                 scratch=backend.batchnorm_scratch(5, x.dtype))
    backend.batchnorm_inference(**right)
    for name in list(right)[:-2]:
        for wrong in (right[name][:-1], right[name][..., None].copy(), right[name].astype(np.float32), right[name][..., ::-1], [1.0]):
            with pytest.raises(ScratchVAEError, match="batchnorm_inference: "):
                backend.batchnorm_inference(**{**right, name: wrong})


# Layers

LAYERS = [(BatchNormalization(), (5,)), (BatchNormalization(0.9, 1e-5), (3, 2, 4)), (BatchNormalization(epsilon=0.5), (4, 3)),
          (BatchNormalization(), (1,))]


@pytest.mark.parametrize("layer, input_shape", LAYERS, ids=lambda value: str(value) if isinstance(value, tuple) else "")
@pytest.mark.parametrize("backend", HOSTS)
def test_gradients(layer, input_shape, backend):
    layer.backend = backend
    report = check_layer(layer, input_shape, batch=4)
    assert report.passed, report


def test_a_constant_dout_changes_no_input(rng):
    """The gradient that a check with dout = 1 sees: zero, whatever the layer does."""
    layer = built((6,), rng)
    layer.forward(rng.standard_normal((9, 6)), training=True)
    np.testing.assert_allclose(layer.backward(np.ones((9, 6))), 0, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("input_shape", [(37,), (14, 14, 32)])
def test_vector_jacobian_products_in_a_random_direction(input_shape, training, rng):
    layer = built(input_shape, rng)
    x, dout, h = rng.standard_normal((6, *input_shape)), rng.standard_normal((6, *input_shape)), 1e-5
    weights = layer.get_weights()
    layer.forward(x, training=training)
    gradients = [layer.backward(dout).copy(), layer.grads["gamma"].copy(), layer.grads["beta"].copy()]
    for i, (gradient, array) in enumerate(zip(gradients, (x, *weights[:2]))):
        direction, losses = rng.standard_normal(array.shape), []
        for step in (h, -h):
            moved = [a + step * direction if i == j else a for j, a in enumerate((x, *weights))]
            layer.set_weights(moved[1:])
            losses.append(np.vdot(dout, layer.forward(moved[0], training=training)))
        assert np.vdot(gradient, direction) == pytest.approx((losses[0] - losses[1]) / (2 * h), rel=1e-6, abs=1e-6)


def built(input_shape, rng, dtype="float64", **options):
    """A layer with random weights."""
    layer = BatchNormalization(dtype=dtype, **options)
    layer.build(input_shape)
    layer.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
    return layer


@pytest.mark.parametrize("group", KERAS_CASES)
@pytest.mark.parametrize("name", HOSTS)
def test_the_layer_equals_keras(golden, group, name):
    g = {key: array.astype(np.float64) for key, array in golden[group].items()}
    layer = BatchNormalization(float(g["momentum"]), float(g["epsilon"]), dtype="float64")
    layer.backend = name
    assert layer.build(g["x"].shape[1:]) == g["x"].shape[1:]
    layer.set_weights([g[weight] for weight in WEIGHTS])
    close(layer.forward(g["x"], training=False), g["y_inference"], 1e-10)
    for weight, array in zip(WEIGHTS, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(array, g[weight])                     # inference moves nothing
    close(layer.forward(g["x"], training=True), g["y"], 1e-10)
    close(layer.backward(g["dout"]), g["dx"], 1e-10)
    for weight in ("gamma", "beta"):
        close(layer.grads[weight], g[f"d{weight}"], 1e-10)
    for weight, array in zip(WEIGHTS[2:], layer.get_weights()[2:]):
        close(array, g[f"{weight}_after"], 1e-10)


@pytest.mark.parametrize("input_shape", [(7,), (5, 4, 7)])
def test_training_normalizes_every_channel_to_mean_beta_and_deviation_gamma(input_shape, rng):
    layer = built(input_shape, rng, epsilon=1e-9)
    gamma, beta, _, _ = layer.get_weights()
    y = layer.forward(5 + 3 * rng.standard_normal((50, *input_shape)), training=True).reshape(-1, 7)
    np.testing.assert_allclose(y.mean(axis=0), beta, rtol=1e-9)
    np.testing.assert_allclose(y.std(axis=0), gamma, rtol=1e-8)


def test_moving_averages_converge_and_inference_uses_them(rng):
    layer = BatchNormalization(momentum=0.9, dtype="float64")
    layer.build((4,))
    for weight, start in zip(layer.get_weights(), (1, 0, 0, 1), strict=True):
        assert (weight == start).all()
    x = rng.standard_normal((20, 4)) * [1, 2, 3, 4] + [5, 0, -5, 10]
    assert not np.allclose(layer.forward(x), layer.forward(x, training=True), atol=0.1)
    for _ in range(300):
        y = layer.forward(x, training=True).copy()
    _, _, mean, variance = layer.get_weights()
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(variance, x.var(axis=0), rtol=1e-10)         # biased, as Keras's
    np.testing.assert_allclose(layer.forward(x), y, atol=1e-9)
    np.testing.assert_allclose(layer.forward(x[:1]), y[:1], atol=1e-9)      # an example alone, too


def test_backward_after_inference_takes_the_statistics_for_constants(rng):
    layer = built((3, 5), rng)
    gamma, _, mean, variance = layer.get_weights()
    x, dout = rng.standard_normal((4, 3, 5)), rng.standard_normal((4, 3, 5))
    layer.forward(2 * x + 1, training=True)
    layer.set_weights([gamma, gamma, mean, variance])
    layer.forward(x, training=False)
    np.testing.assert_allclose(layer.backward(dout), dout * gamma / np.sqrt(variance + 1e-3), rtol=1e-12)
    np.testing.assert_allclose(layer.grads["beta"], dout.sum(axis=(0, 1)), rtol=1e-10)
    np.testing.assert_allclose(layer.grads["gamma"], (dout * (x - mean) / np.sqrt(variance + 1e-3)).sum(axis=(0, 1)), rtol=1e-10)


def test_backward_belongs_to_the_last_forward_pass(rng):
    layer, alone = built((6,), rng), built((6,), np.random.default_rng(9))
    alone.set_weights(layer.get_weights())
    x, dout = rng.standard_normal((8, 6)), rng.standard_normal((8, 6))
    for batch, training in ((rng.standard_normal((3, 6)), True), (x, False), (rng.standard_normal((9, 6)), True), (x, True)):
        layer.forward(batch, training=training)
    alone.forward(x, training=True)
    dx = layer.backward(dout).copy()
    np.testing.assert_array_equal(dx, alone.backward(dout))
    np.testing.assert_array_equal(layer.backward(dout), dx)                 # and does not use itself up
    for name in ("gamma", "beta"):
        np.testing.assert_array_equal(layer.grads[name], alone.grads[name])


def test_without_dx_the_other_gradients_are_the_same_and_inputs_are_left_alone(rng):
    for training in (True, False):
        layer = built((3, 4), rng, dtype="float32")
        x, dout = (rng.standard_normal((5, 3, 4)).astype(np.float32) for _ in range(2))
        kept_x, kept_dout = x.copy(), dout.copy()
        layer.forward(x, training=training)
        assert layer.backward(dout).shape == x.shape
        gradients = {name: array.copy() for name, array in layer.grads.items()}
        assert set(gradients) == {"gamma", "beta"} and layer.backward(dout, need_dx=False) is None
        for name, array in gradients.items():
            np.testing.assert_array_equal(layer.grads[name], array)
        np.testing.assert_array_equal(x, kept_x)
        np.testing.assert_array_equal(dout, kept_dout)


def test_weights_are_exchanged_in_keras_order(rng):
    layer = BatchNormalization()
    layer.build((3, 5))
    weights = [rng.uniform(1, 2, 5).astype(np.float32) for _ in range(4)]
    layer.set_weights(weights)
    for mine, given in zip(layer.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(mine, given)
    x = rng.standard_normal((2, 3, 5)).astype(np.float32)
    expected = weights[0] * (x - weights[2]) / np.sqrt(weights[3] + 1e-3) + weights[1]
    np.testing.assert_allclose(layer.forward(x), expected, rtol=1e-4, atol=1e-5)
    layer.get_weights()[2][...] = 7                                         # a copy
    np.testing.assert_array_equal(layer.get_weights()[2], weights[2])
    weights[3][...] = 7                                                     # of its own
    assert not (layer.get_weights()[3] == 7).any()
    with pytest.raises(ScratchVAEError, match="BatchNormalization: weights of shapes"):
        layer.set_weights(weights[:2])
    with pytest.raises(ScratchVAEError, match="BatchNormalization: weights of shapes"):
        layer.set_weights([*weights[:3], np.zeros(4)])


@pytest.mark.parametrize("layer, input_shape", LAYERS, ids=lambda value: str(value) if isinstance(value, tuple) else "")
def test_configuration_round_trip(layer, input_shape):
    again = Layer.from_config(layer.get_config())
    assert type(again) is BatchNormalization and again.get_config() == layer.get_config()
    assert again.build(input_shape) == input_shape


@pytest.mark.parametrize("arguments, name", [
    (dict(momentum=1.5), "momentum"), (dict(momentum=-0.1), "momentum"), (dict(momentum="a"), "momentum"), (dict(momentum=np.nan), "momentum"),
    (dict(epsilon=-1e-3), "epsilon"), (dict(epsilon="a"), "epsilon"), (dict(epsilon=np.nan), "epsilon"), (dict(epsilon=None), "epsilon"),
    (dict(dtype="float16"), "dtype")], ids=str)
def test_wrong_arguments_are_named_in_one_line(arguments, name):
    with pytest.raises(ScratchVAEError, match=f"BatchNormalization: {name}") as caught:
        BatchNormalization(**arguments)
    assert "\n" not in str(caught.value)


def test_wrong_inputs_and_gradients_get_one_clear_line():
    layer = BatchNormalization()
    with pytest.raises(ScratchVAEError, match="BatchNormalization is not built"):
        layer.forward(np.zeros((2, 3), np.float32))
    for wrong in ((), (0,), (3, 0)):
        with pytest.raises(ScratchVAEError, match="BatchNormalization: input shape"):
            layer.build(wrong)
    layer.build((3,))
    with pytest.raises(ScratchVAEError, match="backward without a forward pass"):
        layer.backward(np.zeros((2, 3), np.float32))
    for wrong in (np.zeros((2, 4), np.float32), np.zeros((2, 3)), np.zeros((0, 3), np.float32), np.zeros((2, 1, 3), np.float32)):
        with pytest.raises(ScratchVAEError, match="BatchNormalization: input a float"):
            layer.forward(wrong)
    layer.forward(np.zeros((2, 3), np.float32), training=True)
    with pytest.raises(ScratchVAEError, match="BatchNormalization: gradient a float32 array of shape"):
        layer.backward(np.zeros((3, 3), np.float32))
