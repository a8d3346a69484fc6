"""Conv2D and Conv2DTranspose: gradients, arguments, and what they refuse."""
import numpy as np
import pytest
from helpers import HOSTS, close
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae.gradcheck.check import check_layer
from scratchvae.layers import Conv2D, Conv2DTranspose, Layer

KINDS = [Conv2D, Conv2DTranspose]
LAYERS = [(Conv2D(3, 3), (5, 4, 2)),
          (Conv2D(4, (2, 3), (2, 1), "same", "tanh"), (5, 6, 3)),
          (Conv2D(2, 2, 3, "valid", "leaky_relu"), (6, 5, 2)),
          (Conv2D(3, 4, 2, "same", "relu"), (6, 5, 2)),
          (Conv2D(3, 4, 1, "same", "sigmoid"), (4, 5, 1)),
          (Conv2D(5, 1), (3, 3, 2)),
          (Conv2D(3, 2, 1, "same", "softmax"), (3, 3, 2)),
          (Conv2DTranspose(3, 3), (4, 3, 2)),
          (Conv2DTranspose(4, (2, 3), (2, 1), "same", "tanh"), (3, 4, 3)),
          (Conv2DTranspose(2, 2, 3, "valid", "leaky_relu"), (2, 3, 2)),
          (Conv2DTranspose(3, 4, 2, "same", "relu"), (3, 2, 2)),
          (Conv2DTranspose(3, 4, 1, "same", "sigmoid"), (4, 5, 1)),
          (Conv2DTranspose(5, 1), (3, 3, 2)),
          (Conv2DTranspose(3, 2, 1, "same", "softmax"), (3, 3, 2))]
WINOGRAD = [(Conv2D(16, 3, 1, "same"), (3, 2, 16)),
            (Conv2DTranspose(16, 3, 1, "same"), (3, 2, 16))]
LARGER = [(Conv2D(20, 3, 1, "same", "tanh"), (14, 14, 17)),
          (Conv2D(32, 4, 1, "valid"), (7, 7, 16)),
          (Conv2D(32, 4, 2, "same", "sigmoid"), (28, 28, 1)),
          (Conv2D(18, (5, 3), (2, 3), "valid"), (17, 12, 8)),
          (Conv2DTranspose(20, 3, 1, "same", "tanh"), (14, 14, 17)),
          (Conv2DTranspose(32, 4, 1, "valid"), (7, 7, 16)),
          (Conv2DTranspose(1, 4, 2, "same", "sigmoid"), (14, 14, 32)),
          (Conv2DTranspose(18, (5, 3), (2, 3), "valid"), (7, 6, 8))]


def describe(value):
    """The name of a test."""
    if isinstance(value, Layer):
        names = ("filters", "kernel_size", "strides", "padding", "activation")
        return "-".join([value.name, *(str(getattr(value, name)) for name in names)])


# Gradients

@pytest.mark.parametrize("layer, input_shape", LAYERS, ids=describe)
@pytest.mark.parametrize("backend", HOSTS)
def test_gradients_are_those_of_differences(layer, input_shape, backend):
    layer = layer.clone()
    layer.backend = backend
    report = check_layer(layer, input_shape, batch=2)
    assert report.passed, report


@pytest.mark.parametrize("layer, input_shape", WINOGRAD, ids=describe)
def test_gradients_by_winograd_s_transform_are_those_of_differences(layer, input_shape):
    report = check_layer(layer, input_shape, batch=2)
    assert report.passed, report


@pytest.mark.parametrize("layer, input_shape", LARGER, ids=describe)
def test_gradients_of_large_layers_are_right_in_a_random_direction(layer, input_shape, rng):
    """The change of dout . y along a direction in x, the kernel and the bias."""
    layer = layer.clone("float64")
    layer.build(input_shape, seed=5)
    x = rng.standard_normal((3, *input_shape))
    dout = rng.standard_normal((3, *layer.output_shape))
    layer.forward(x, training=True)
    gradients = [layer.backward(dout).copy()]
    gradients += [layer.grads[name].copy() for name in ("kernel", "bias")]
    h = 1e-6
    for array, gradient in zip([x, *layer.params.values()], gradients, strict=True):
        direction = rng.standard_normal(array.shape)
        before = array.copy()
        losses = []
        for step in (h, -h):
            array[...] = before + step * direction
            losses.append(np.vdot(dout, layer.forward(x, training=True)))
        array[...] = before
        change = (losses[0] - losses[1]) / (2 * h)
        assert np.vdot(gradient, direction) == pytest.approx(change, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("layer, input_shape", LARGER, ids=describe)
def test_layers_serve_any_size_of_batch_and_leave_inputs_alone(layer, input_shape, rng):
    layer = layer.clone("float64")
    layer.build(input_shape)
    x = rng.standard_normal((4, *input_shape))
    dout = rng.standard_normal((4, *layer.output_shape))
    kept_x = x.copy()
    kept_dout = dout.copy()
    y = layer.forward(x, training=True).copy()
    dx = layer.backward(dout).copy()
    for batch in (1, 6, 2):
        numbers = np.arange(batch) % 4
        close(layer.forward(x[numbers]), y[numbers], 1e-11)
        close(layer.backward(dout[numbers]), dx[numbers], 1e-11)
    np.testing.assert_array_equal(x, kept_x)
    np.testing.assert_array_equal(dout, kept_dout)


# Arguments

def test_initial_weights_and_arguments_are_keras_s():
    layer = Conv2D(8, 3)
    layer.build((9, 9, 4), seed=1)
    limit = np.sqrt(6 / (9 * 4 + 9 * 8))
    assert layer.kernel_size == (3, 3)
    assert layer.strides == (1, 1)
    assert layer.padding == "valid"
    assert layer.activation == "linear"
    assert layer.output_shape == (7, 7, 8)
    assert layer.params["kernel"].shape == (3, 3, 4, 8)
    assert not layer.params["bias"].any()
    assert 0.9 * limit < np.abs(layer.params["kernel"]).max() <= limit


def test_a_transposed_kernel_has_its_filters_before_the_channels():
    layer = Conv2DTranspose(8, (3, 2), strides=(2, 1), padding="same", activation="relu")
    assert layer.build((9, 5, 4)) == (18, 5, 8)
    assert layer.params["kernel"].shape == (3, 2, 8, 4)


@pytest.mark.parametrize("layer, input_shape", LAYERS, ids=describe)
def test_configuration_makes_the_same_layer_again(layer, input_shape):
    again = Layer.from_config(layer.get_config())
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert again.build(input_shape) == layer.clone().build(input_shape)


PAIR = "must be one or two positive integers, got"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arguments, message", [
    ({"filters": 0}, "filters must be a positive integer, got 0"),
    ({"filters": 2.5}, "filters must be a positive integer, got 2.5"),
    ({"filters": True}, "filters must be a positive integer, got True"),
    ({"kernel_size": 0}, f"kernel_size {PAIR} 0"),
    ({"kernel_size": (3,)}, rf"kernel_size {PAIR} \(3,\)"),
    ({"kernel_size": (3, 3, 3)}, rf"kernel_size {PAIR} \(3, 3, 3\)"),
    ({"kernel_size": (3, -1)}, rf"kernel_size {PAIR} \(3, -1\)"),
    ({"kernel_size": "3"}, f"kernel_size {PAIR} '3'"),
    ({"kernel_size": None}, f"kernel_size {PAIR} None"),
    ({"strides": 0}, f"strides {PAIR} 0"),
    ({"strides": (1, 0)}, rf"strides {PAIR} \(1, 0\)"),
    ({"strides": 1.5}, f"strides {PAIR} 1.5"),
    ({"padding": "SAME "}, "padding must be one of same, valid, got 'SAME '"),
    ({"padding": 1}, "padding must be one of same, valid, got 1"),
    ({"padding": "causal"}, "padding must be one of same, valid, got 'causal'"),
    ({"dtype": "float16"}, "dtype must be one of float32, float64, got 'float16'")], ids=str)
def test_wrong_arguments_are_named_in_one_line(kind, arguments, message):
    with pytest.raises(ScratchVAEError, match=f"^{kind.__name__}: {message}$"):
        kind(**{"filters": 3, "kernel_size": 3, **arguments})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arguments, message", [
    ({"activation": "selu"}, "unknown activation 'selu'; allowed: linear, "),
    ({"kernel_initializer": "he"}, "unknown initializer 'he'; allowed: glorot_uniform, "),
    ({"bias_initializer": "he"}, "unknown initializer 'he'; allowed: glorot_uniform, ")], ids=str)
def test_unknown_names_are_refused_with_a_list(kind, arguments, message):
    with pytest.raises(ScratchVAEError, match=message):
        kind(**{"filters": 3, "kernel_size": 3, **arguments})


# Shapes

@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("input_shape, allowed", [
    ((), "hold positive sizes, without the batch axis"),
    ((5,), r"be \(height, width, channels\)"),
    ((5, 5), r"be \(height, width, channels\)"),
    ((1, 5, 5, 2), r"be \(height, width, channels\)"),
    ((0, 5, 2), "hold positive sizes, without the batch axis"),
    ((5, 5, 0), "hold positive sizes, without the batch axis")], ids=str)
def test_wrong_input_shapes_are_named_in_one_line(kind, input_shape, allowed):
    with pytest.raises(ScratchVAEError) as caught:
        kind(3, 3).build(input_shape)
    caught.match(f"^{kind.__name__}: input_shape must {allowed}, got ")
    assert str(caught.value).endswith(f"got {input_shape}")


@pytest.mark.parametrize("input_shape", [(2, 5, 1), (5, 2, 1)])
def test_an_image_too_small_for_a_valid_window_is_refused_when_built(input_shape):
    with pytest.raises(ScratchVAEError, match="^Conv2D: the window of 3 is larger than the image "
                                              "of 2; use a smaller window or padding='same'$"):
        Conv2D(3, 3).build(input_shape)
    assert Conv2D(3, 3, padding="same").build(input_shape) == (*input_shape[:2], 3)
    assert Conv2DTranspose(3, 3).build((2, 5, 1)) == (4, 7, 3)


def images(*shape, dtype=np.float32):
    """Zeros."""
    return np.zeros(shape, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_says_in_which_order_it_is_used(kind):
    layer = kind(3, 3)
    with pytest.raises(ScratchVAEError, match=f"^{kind.__name__} is not built; call build"):
        layer.forward(images(2, 5, 6, 2))
    layer.build((5, 6, 2))
    with pytest.raises(ScratchVAEError, match=f"^{kind.__name__}: backward needs a forward pass"):
        layer.backward(images(2, *layer.output_shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("x, got", [
    (images(5, 6, 2), r"\(5, 6, 2\); for a single example pass x\[None\]"),
    (images(2, 5, 6, 3), r"\(2, 5, 6, 3\)"),
    (images(2, 6, 5, 2), r"\(2, 6, 5, 2\)"),
    (images(0, 5, 6, 2), r"\(0, 5, 6, 2\)"),
    (images(2, 60), r"\(2, 60\)"),
    (images(2, 5, 6, 2, dtype=np.float64), r"a float64 array of shape \(2, 5, 6, 2\)")])
def test_wrong_inputs_are_named_in_one_line(kind, x, got):
    layer = kind(3, 3)
    layer.build((5, 6, 2))
    with pytest.raises(ScratchVAEError, match=rf"^{kind.__name__}: x must .* shape "
                                              rf"\(N, 5, 6, 2\), got {got}$"):
        layer.forward(x)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_gradients_and_weights_are_named_in_one_line(kind):
    layer = kind(3, 3)
    layer.build((5, 6, 2))
    layer.forward(images(2, 5, 6, 2))
    with pytest.raises(ScratchVAEError, match=rf"^{kind.__name__}: dout must be a float32 array of "
                                              r"shape \(2, .*, got a float32 array of shape \(1,"):
        layer.backward(images(1, *layer.output_shape))
    with pytest.raises(ScratchVAEError, match=rf"^{kind.__name__}: weights have shapes "
                                              r"\[\(3, 3, 2\), \(3,\)\], expected {'kernel': "):
        layer.set_weights([np.zeros((3, 3, 2)), np.zeros(3)])
