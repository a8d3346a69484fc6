"""Batch normalisation: Keras's numbers, the definition, large arrays, gradients, and the layer."""
import numpy as np
import pytest
from helpers import HOSTS, KERAS_GROUPS, close, same_on_any_number_of_threads
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae import kernels
from scratchvae.gradcheck.check import check_layer
from scratchvae.layers import BatchNormalization, Layer

REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")
WEIGHTS = ("gamma", "beta", "moving_mean", "moving_variance")
KERAS_CASES = [group for group in KERAS_GROUPS if group.startswith("batchnorm/")]


def normalize(backend, arrays, momentum=0.99, epsilon=1e-3, scratch=None):
    """All results of the five operations by name, written into NaN.

    arrays: as from draw. Inference uses the moving averages from before the update.
    """
    x, gamma, beta, moving_mean, moving_variance, dout = arrays
    results = {name: np.full_like(x, np.nan) for name in ("y", "dx", "y_inference",
                                                          "dx_inference")}
    results |= {name: np.full_like(gamma, np.nan)
                for name in ("mean", "variance", "dgamma", "dbeta", "dgamma_inference",
                             "dbeta_inference")}
    results |= {"moving_mean_after": moving_mean.copy(),
                "moving_variance_after": moving_variance.copy()}
    if scratch is None:
        scratch = backend.batchnorm_scratch(len(x), len(gamma), x.dtype)
    mean = results["mean"]
    variance = results["variance"]
    backend.batchnorm_forward(x, gamma, beta, results["y"], mean, variance, epsilon, scratch)
    backend.batchnorm_update(mean, variance, results["moving_mean_after"],
                             results["moving_variance_after"], momentum)
    backend.batchnorm_backward(dout, x, gamma, mean, variance, results["dx"], results["dgamma"],
                               results["dbeta"], epsilon, scratch)
    backend.batchnorm_inference(x, gamma, beta, moving_mean, moving_variance,
                                results["y_inference"], epsilon, scratch)
    backend.batchnorm_inference_backward(
        dout, x, gamma, moving_mean, moving_variance, results["dx_inference"],
        results["dgamma_inference"], results["dbeta_inference"], epsilon, scratch)
    return results


def draw(rng, N, C, dtype="float64", offset=0):
    """x, gamma, beta, moving mean and variance, and dout."""
    arrays = (rng.standard_normal((N, C)) + offset, rng.standard_normal(C),
              rng.standard_normal(C), rng.standard_normal(C) + offset, rng.uniform(0.5, 2, C),
              rng.standard_normal((N, C)))
    return [array.astype(dtype) for array in arrays]


# Operations

@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize("group", KERAS_CASES)
def test_batch_normalization_equals_keras(backend, golden, group, dtype, tolerance):
    if group == "batchnorm/large mean" and dtype == "float32":
        tolerance = 1e-3                # 1000 and a little has lost three digits of the little
    g = {name: array.astype(np.float64) for name, array in golden[group].items()}
    C = len(g["gamma"])
    arrays = [g[name].reshape(-1, C) if g[name].ndim > 1 else g[name]
              for name in ("x", *WEIGHTS, "dout")]
    results = normalize(backend, [array.astype(dtype) for array in arrays],
                        float(g["momentum"]), float(g["epsilon"]))
    for name in ("y", "dx", "dgamma", "dbeta", "moving_mean_after", "moving_variance_after",
                 "y_inference"):
        close(results[name], g[name].reshape(results[name].shape), tolerance)


@pytest.mark.parametrize("offset", [0, 100])
def test_results_are_those_of_the_definition(backend, rng, offset):
    x, gamma, beta, moving_mean, moving_variance, dout = arrays = draw(rng, 11, 6, offset=offset)
    results = normalize(backend, arrays, momentum=0.9, epsilon=0.01)
    mean = x.mean(axis=0)
    variance = x.var(axis=0)
    standardized = (x - moving_mean) / np.sqrt(moving_variance + 0.01)
    expected = {
        "mean": mean,
        "variance": variance,
        "y": gamma * (x - mean) / np.sqrt(variance + 0.01) + beta,
        "moving_mean_after": 0.9 * moving_mean + 0.1 * mean,
        "moving_variance_after": 0.9 * moving_variance + 0.1 * variance,
        "y_inference": gamma * standardized + beta,
        "dx_inference": dout * gamma / np.sqrt(moving_variance + 0.01),
        "dgamma_inference": (dout * standardized).sum(axis=0),
        "dbeta_inference": dout.sum(axis=0)}
    for name, array in expected.items():
        close(results[name], array, 1e-12)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-11), ("float32", 1e-4)])
@pytest.mark.parametrize("N, C", [(33, 17), (5, 300), (1000, 32), (20_003, 5), (100_001, 1),
                                  (97, 1031)])
def test_long_and_wide_arrays_equal_the_reference(N, C, dtype, tolerance, rng):
    """Long rows, blocks and parts that are not whole; and a mean that is not small."""
    arrays = draw(rng, N, C, dtype, offset=30)
    expected = normalize(REFERENCE, [array.astype(np.float64) for array in arrays])
    for name, array in normalize(CPU, arrays).items():
        close(array, expected[name], tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-9), ("float32", 1e-3)])
def test_a_large_mean_costs_no_digits_of_the_variance(backend, dtype, tolerance, rng):
    """With the mean of squares less the square of the mean, none is right in float32."""
    x = 4096 + rng.integers(-8, 9, (1000, 3)).astype(dtype) / 8
    _, gamma, beta, mean, variance, _ = draw(rng, 1, 3, dtype)
    gamma[...] = 1
    y = np.empty_like(x)
    backend.batchnorm_forward(x, gamma, beta, y, mean, variance, 1e-3,
                              backend.batchnorm_scratch(1000, 3, dtype))
    exact = x.astype(np.float64).var(axis=0)
    close(variance, exact, tolerance)
    close(y.std(axis=0, dtype=np.float64), np.sqrt(1 / (1 + 1e-3 / exact)), tolerance)


@pytest.mark.parametrize("N", [1, 5])
def test_equal_rows_have_no_variance_and_give_beta(backend, N, rng):
    arrays = draw(rng, N, 4)
    x, gamma, beta, _, _, dout = arrays
    x[...] = x[0]
    results = normalize(backend, arrays)
    np.testing.assert_allclose(results["y"], np.broadcast_to(beta, (N, 4)), atol=1e-12)
    np.testing.assert_allclose(results["variance"], 0, atol=1e-25)
    expected = gamma / np.sqrt(1e-3) * (dout - dout.mean(axis=0))
    np.testing.assert_allclose(results["dx"], expected, atol=1e-11)


@pytest.mark.parametrize("N, C", [(1, 9), (33, 17), (5, 300), (6272, 64), (20_003, 5),
                                  (100_001, 1), (2, 5001)])
def test_same_bits_on_any_number_of_threads(N, C, rng):
    arrays = draw(rng, N, C, "float32")
    same_on_any_number_of_threads(
        lambda: [array.tobytes() for array in normalize(CPU, arrays).values()])


def test_a_scratch_serves_any_number_of_rows_and_remembers_nothing(rng):
    scratch = CPU.batchnorm_scratch(50, 17, np.float64)
    for N in (50, 3, 3000, 50):
        arrays = [N * array for array in draw(rng, N, 17)]
        expected = normalize(REFERENCE, arrays)
        for name, array in normalize(CPU, arrays, scratch=scratch).items():
            close(array, expected[name], 1e-10)


# The layer: gradients

LAYERS = [(BatchNormalization(), (5,)),
          (BatchNormalization(0.9, 1e-5), (3, 2, 4)),
          (BatchNormalization(epsilon=0.5), (4, 3)),
          (BatchNormalization(), (1,))]


def random_layer(input_shape, rng, dtype="float64", **options):
    """A layer with random weights."""
    layer = BatchNormalization(dtype=dtype, **options)
    layer.build(input_shape)
    layer.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
    return layer


@pytest.mark.parametrize("layer, input_shape", LAYERS)
@pytest.mark.parametrize("backend", HOSTS)
def test_gradients_are_those_of_differences(layer, input_shape, backend):
    layer = layer.clone()
    layer.backend = backend
    report = check_layer(layer, input_shape, batch=4)
    assert report.passed, report


def test_a_constant_dout_changes_no_input(rng):
    """The gradient that a check with dout = 1 sees: zero, whatever the layer does."""
    layer = random_layer((6,), rng)
    layer.forward(rng.standard_normal((9, 6)), training=True)
    np.testing.assert_allclose(layer.backward(np.ones((9, 6))), 0, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_of_images_are_right_in_a_random_direction(training, rng):
    shape = (7, 6, 32)
    layer = random_layer(shape, rng)
    x = rng.standard_normal((6, *shape))
    dout = rng.standard_normal((6, *shape))
    weights = layer.get_weights()
    layer.forward(x, training=training)
    gradients = [layer.backward(dout).copy()]
    gradients += [layer.grads[name].copy() for name in ("gamma", "beta")]
    h = 1e-5
    for i, gradient in enumerate(gradients):
        direction = rng.standard_normal(gradient.shape)
        losses = []
        for step in (h, -h):
            moved = [x, *weights]
            moved[i] = moved[i] + step * direction
            layer.set_weights(moved[1:])
            losses.append(np.vdot(dout, layer.forward(moved[0], training=training)))
        change = (losses[0] - losses[1]) / (2 * h)
        assert np.vdot(gradient, direction) == pytest.approx(change, rel=1e-6, abs=1e-6)


def test_backward_after_inference_takes_the_statistics_for_constants(rng):
    layer = random_layer((3, 5), rng)
    gamma, _, mean, variance = layer.get_weights()
    x = rng.standard_normal((4, 3, 5))
    dout = rng.standard_normal((4, 3, 5))
    layer.forward(2 * x + 1, training=True)
    layer.set_weights([gamma, gamma, mean, variance])
    layer.forward(x, training=False)
    s = 1 / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(layer.backward(dout), dout * gamma * s, rtol=1e-12)
    np.testing.assert_allclose(layer.grads["beta"], dout.sum(axis=(0, 1)), rtol=1e-10)
    dgamma = (dout * (x - mean) * s).sum(axis=(0, 1))
    np.testing.assert_allclose(layer.grads["gamma"], dgamma, rtol=1e-10)


def test_backward_belongs_to_the_last_forward_pass_and_can_be_repeated(rng):
    layer = random_layer((6,), rng)
    alone = random_layer((6,), rng)
    alone.set_weights(layer.get_weights())
    x = rng.standard_normal((8, 6))
    dout = rng.standard_normal((8, 6))
    layer.forward(rng.standard_normal((3, 6)), training=True)
    layer.forward(x, training=False)
    layer.forward(rng.standard_normal((9, 6)), training=True)
    layer.forward(x, training=True)
    alone.forward(x, training=True)
    dx = layer.backward(dout).copy()
    np.testing.assert_array_equal(dx, alone.backward(dout))
    np.testing.assert_array_equal(layer.backward(dout), dx)
    for name in ("gamma", "beta"):
        np.testing.assert_array_equal(layer.grads[name], alone.grads[name])


@pytest.mark.parametrize("training", [True, False])
def test_without_dx_the_other_gradients_are_the_same(training, rng):
    layer = random_layer((3, 4), rng, dtype="float32")
    x = rng.standard_normal((5, 3, 4)).astype(np.float32)
    dout = rng.standard_normal((5, 3, 4)).astype(np.float32)
    layer.forward(x, training=training)
    assert layer.backward(dout).shape == x.shape
    gradients = {name: array.copy() for name, array in layer.grads.items()}
    assert set(gradients) == {"gamma", "beta"}
    assert layer.backward(dout, need_dx=False) is None
    for name, array in gradients.items():
        np.testing.assert_array_equal(layer.grads[name], array)


# The layer: what it computes

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
        np.testing.assert_array_equal(array, g[weight])             # inference moves nothing
    close(layer.forward(g["x"], training=True), g["y"], 1e-10)
    close(layer.backward(g["dout"]), g["dx"], 1e-10)
    for weight in ("gamma", "beta"):
        close(layer.grads[weight], g[f"d{weight}"], 1e-10)
    for weight, array in zip(WEIGHTS[2:], layer.get_weights()[2:], strict=True):
        close(array, g[f"{weight}_after"], 1e-10)


@pytest.mark.parametrize("input_shape", [(7,), (5, 4, 7)])
def test_training_gives_every_channel_the_mean_beta_and_the_deviation_gamma(input_shape, rng):
    layer = random_layer(input_shape, rng, epsilon=1e-9)
    gamma, beta, _, _ = layer.get_weights()
    x = 5 + 3 * rng.standard_normal((50, *input_shape))
    y = layer.forward(x, training=True).reshape(-1, 7)
    np.testing.assert_allclose(y.mean(axis=0), beta, rtol=1e-9)
    np.testing.assert_allclose(y.std(axis=0), gamma, rtol=1e-8)


def test_moving_averages_converge_to_the_biased_statistics_and_inference_uses_them(rng):
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
    np.testing.assert_allclose(variance, x.var(axis=0), rtol=1e-10)
    np.testing.assert_allclose(layer.forward(x), y, atol=1e-9)
    np.testing.assert_allclose(layer.forward(x[:1]), y[:1], atol=1e-9)      # alone, too


def test_weights_are_exchanged_in_keras_order_as_copies(rng):
    layer = BatchNormalization()
    layer.build((3, 5))
    weights = [rng.uniform(1, 2, 5).astype(np.float32) for _ in range(4)]
    gamma, beta, mean, variance = (weight.copy() for weight in weights)
    layer.set_weights(weights)
    weights[3][...] = 7                                             # a copy went in
    layer.get_weights()[2][...] = 7                                 # a copy comes out
    for mine, given in zip(layer.get_weights(), (gamma, beta, mean, variance), strict=True):
        np.testing.assert_array_equal(mine, given)
    x = rng.standard_normal((2, 3, 5)).astype(np.float32)
    expected = gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta
    np.testing.assert_allclose(layer.forward(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer, input_shape", LAYERS)
def test_configuration_makes_the_same_layer_again(layer, input_shape):
    again = Layer.from_config(layer.get_config())
    assert type(again) is BatchNormalization
    assert again.get_config() == layer.get_config()
    assert again.build(input_shape) == input_shape


# The layer: what it refuses

@pytest.mark.parametrize("arguments, message", [
    ({"momentum": 1.5}, r"momentum must be in \[0, 1\), got 1.5"),
    ({"momentum": -0.1}, r"momentum must be in \[0, 1\), got -0.1"),
    ({"momentum": "a"}, r"momentum must be in \[0, 1\), got 'a'"),
    ({"momentum": np.nan}, r"momentum must be in \[0, 1\), got nan"),
    ({"epsilon": -1e-3}, r"epsilon must be in \[0, 1\), got -0.001"),
    ({"epsilon": "a"}, r"epsilon must be in \[0, 1\), got 'a'"),
    ({"epsilon": np.nan}, r"epsilon must be in \[0, 1\), got nan"),
    ({"epsilon": None}, r"epsilon must be in \[0, 1\), got None"),
    ({"dtype": "float16"}, "dtype must be one of float32, float64, got 'float16'")], ids=str)
def test_wrong_arguments_are_named_in_one_line(arguments, message):
    with pytest.raises(ScratchVAEError, match=f"^BatchNormalization: {message}$"):
        BatchNormalization(**arguments)


@pytest.mark.parametrize("input_shape", [(), (0,), (3, 0)])
def test_wrong_input_shapes_are_named_in_one_line(input_shape):
    with pytest.raises(ScratchVAEError) as caught:
        BatchNormalization().build(input_shape)
    assert str(caught.value) == ("BatchNormalization: input_shape must hold positive sizes, "
                                 f"without the batch axis, got {input_shape}")


def test_a_layer_says_in_which_order_it_is_used():
    layer = BatchNormalization()
    with pytest.raises(ScratchVAEError, match="^BatchNormalization is not built; call build"):
        layer.forward(np.zeros((2, 3), np.float32))
    layer.build((3,))
    with pytest.raises(ScratchVAEError, match="^BatchNormalization: backward needs a forward pass"):
        layer.backward(np.zeros((2, 3), np.float32))


@pytest.mark.parametrize("x, got", [
    (np.zeros((2, 4), np.float32), r"\(2, 4\)"),
    (np.zeros((0, 3), np.float32), r"\(0, 3\)"),
    (np.zeros((2, 1, 3), np.float32), r"\(2, 1, 3\)"),
    (np.zeros((2, 3)), r"a float64 array of shape \(2, 3\)")])
def test_wrong_inputs_are_named_in_one_line(x, got):
    layer = BatchNormalization()
    layer.build((3,))
    with pytest.raises(ScratchVAEError, match=r"^BatchNormalization: x must .* shape \(N, 3\), "
                                              f"got {got}$"):
        layer.forward(x)


def test_wrong_gradients_and_weights_are_named_in_one_line():
    layer = BatchNormalization()
    layer.build((3,))
    layer.forward(np.zeros((2, 3), np.float32), training=True)
    with pytest.raises(ScratchVAEError, match=r"^BatchNormalization: dout must be a float32 array "
                                              r"of shape \(2, 3\), .* got .* of shape \(3, 3\)$"):
        layer.backward(np.zeros((3, 3), np.float32))
    weights = layer.get_weights()
    for wrong in (weights[:2], [*weights[:3], np.zeros(4)]):
        with pytest.raises(ScratchVAEError, match=r"^BatchNormalization: weights have shapes \[\(3,"
                                                  r".*, expected {'gamma': \(3,\), .*'moving_var"):
            layer.set_weights(wrong)
