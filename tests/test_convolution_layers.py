"""Conv2D and Conv2DTranspose: gradients, arguments, and what they refuse."""
import numpy as np
import pytest
from conftest import HOSTS, close

from kernels.errors import ScratchVAEError
from scratchvae.gradcheck.check import check_layer
from scratchvae.layers import Conv2D, Conv2DTranspose, Layer

LAYERS = [
    (Conv2D(3, 3), (5, 4, 2)), (Conv2D(4, (2, 3), (2, 1), "same", "tanh"), (5, 6, 3)), (Conv2D(2, 2, 3, "valid", "leaky_relu"), (6, 5, 2)),
    (Conv2D(3, 4, 2, "same", "relu"), (6, 5, 2)), (Conv2D(3, 4, 1, "same", "sigmoid"), (4, 5, 1)), (Conv2D(5, 1), (3, 3, 2)),
    (Conv2D(16, 3, 1, "same"), (3, 2, 16)), (Conv2D(3, 2, 1, "same", "softmax"), (3, 3, 2)),
    (Conv2DTranspose(3, 3), (4, 3, 2)), (Conv2DTranspose(4, (2, 3), (2, 1), "same", "tanh"), (3, 4, 3)),
    (Conv2DTranspose(2, 2, 3, "valid", "leaky_relu"), (2, 3, 2)), (Conv2DTranspose(3, 4, 2, "same", "relu"), (3, 2, 2)),
    (Conv2DTranspose(3, 4, 1, "same", "sigmoid"), (4, 5, 1)), (Conv2DTranspose(5, 1), (3, 3, 2)),
    (Conv2DTranspose(16, 3, 1, "same"), (3, 2, 16)), (Conv2DTranspose(3, 2, 1, "same", "softmax"), (3, 3, 2))]
LARGER = [(Conv2D(20, 3, 1, "same", "tanh"), (14, 14, 17)), (Conv2D(33, 4, 1, "valid"), (7, 7, 16)),
          (Conv2D(32, 4, 2, "same", "sigmoid"), (28, 28, 1)), (Conv2D(18, (5, 3), (2, 3), "valid"), (17, 12, 8)),
          (Conv2DTranspose(20, 3, 1, "same", "tanh"), (14, 14, 17)), (Conv2DTranspose(33, 4, 1, "valid"), (7, 7, 16)),
          (Conv2DTranspose(1, 4, 2, "same", "sigmoid"), (14, 14, 32)), (Conv2DTranspose(18, (5, 3), (2, 3), "valid"), (7, 6, 8))]


def describe(value):
    if isinstance(value, Layer):
        settings = ("filters", "kernel_size", "strides", "padding", "activation")
        return "-".join([type(value).__name__, *(str(getattr(value, name)) for name in settings)])


@pytest.mark.parametrize("layer, input_shape", LAYERS, ids=describe)
@pytest.mark.parametrize("backend", HOSTS)
def test_gradients(layer, input_shape, backend):
    layer.backend = backend
    report = check_layer(layer, input_shape, batch=2)
    assert report.passed, report


@pytest.mark.parametrize("layer, input_shape", LARGER, ids=describe)
def test_vector_jacobian_products_in_a_random_direction(layer, input_shape, rng):
    """The change of dout . y along a direction in x, the kernel and the bias is what the gradients say."""
    layer = Layer.from_config(layer.get_config(), dtype="float64")
    layer.build(input_shape, seed=5)
    x, dout = rng.standard_normal((3, *input_shape)), rng.standard_normal((3, *layer.output_shape))
    layer.forward(x, training=True)
    gradients = [layer.backward(dout).copy(), *(layer.grads[name].copy() for name in ("kernel", "bias"))]
    arrays, h = [x, *layer.params.values()], 1e-6
    for array, gradient in zip(arrays, gradients, strict=True):
        direction, kept, losses = rng.standard_normal(array.shape), array.copy(), []
        for step in (h, -h):
            array[...] = kept + step * direction
            losses.append(np.vdot(dout, layer.forward(x, training=True)))
        array[...] = kept
        change = (losses[0] - losses[1]) / (2 * h)
        assert np.vdot(gradient, direction) == pytest.approx(change, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("layer, input_shape", LARGER, ids=describe)
def test_layers_leave_inputs_alone_and_serve_any_size_of_batch(layer, input_shape, rng):
    layer = Layer.from_config(layer.get_config(), dtype="float64")
    layer.build(input_shape)
    x, dout = rng.standard_normal((4, *input_shape)), rng.standard_normal((4, *layer.output_shape))
    kept_x, kept_dout = x.copy(), dout.copy()
    y = layer.forward(x, training=True).copy()
    dx = layer.backward(dout).copy()
    for batch in (1, 3, 6, 2):
        large, slope = np.concatenate([x, x])[:batch], np.concatenate([dout, dout])[:batch]
        close(layer.forward(large), np.concatenate([y, y])[:batch], 1e-11)
        close(layer.backward(slope), np.concatenate([dx, dx])[:batch], 1e-11)
    np.testing.assert_array_equal(x, kept_x)
    np.testing.assert_array_equal(dout, kept_dout)


def test_initial_weights_and_arguments_are_keras_s():
    layer = Conv2D(8, 3)
    layer.build((9, 9, 4), seed=1)
    limit = np.sqrt(6 / (9 * 4 + 9 * 8))
    assert (layer.strides, layer.padding, layer.activation) == ((1, 1), "valid", "linear") and layer.kernel_size == (3, 3)
    assert layer.output_shape == (7, 7, 8) and layer.params["kernel"].shape == (3, 3, 4, 8) and not layer.params["bias"].any()
    assert 0.9 * limit < np.abs(layer.params["kernel"]).max() <= limit
    layer = Conv2DTranspose(8, (3, 2), strides=(2, 1), padding="same", activation="relu")
    assert layer.build((9, 5, 4)) == (18, 5, 8) and layer.params["kernel"].shape == (3, 2, 8, 4)


@pytest.mark.parametrize("layer, input_shape", [*LAYERS, *LARGER], ids=describe)
def test_configuration_round_trip(layer, input_shape):
    again = Layer.from_config(layer.get_config())
    assert type(again) is type(layer) and again.get_config() == layer.get_config() and again.build(input_shape) == layer.build(input_shape)


@pytest.mark.parametrize("kind", [Conv2D, Conv2DTranspose])
@pytest.mark.parametrize("arguments, name", [
    (dict(filters=0), "filters"), (dict(filters=2.5), "filters"), (dict(filters=True), "filters"), (dict(kernel_size=0), "kernel_size"),
    (dict(kernel_size=(3,)), "kernel_size"), (dict(kernel_size=(3, 3, 3)), "kernel_size"), (dict(kernel_size=(3, -1)), "kernel_size"),
    (dict(kernel_size="3"), "kernel_size"), (dict(kernel_size=None), "kernel_size"), (dict(strides=0), "strides"),
    (dict(strides=(1, 0)), "strides"), (dict(strides=1.5), "strides"), (dict(strides=(2,)), "strides"), (dict(padding="SAME "), "padding"),
    (dict(padding=1), "padding"), (dict(padding="causal"), "padding"), (dict(activation="selu"), "activation"),
    (dict(kernel_initializer="he"), "initializer"), (dict(bias_initializer="he"), "initializer"), (dict(dtype="float16"), "dtype")], ids=str)
def test_wrong_arguments_are_named_in_one_line(kind, arguments, name):
    with pytest.raises(ScratchVAEError, match=name) as caught:
        kind(**{"filters": 3, "kernel_size": 3, **arguments})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [Conv2D, Conv2DTranspose])
@pytest.mark.parametrize("input_shape", [(), (5,), (5, 5), (1, 5, 5, 2), (0, 5, 2), (5, 5, 0)], ids=str)
def test_wrong_input_shapes_are_named_in_one_line(kind, input_shape):
    with pytest.raises(ScratchVAEError, match=f"{kind.__name__}: input shape") as caught:
        kind(3, 3).build(input_shape)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("input_shape", [(2, 5, 1), (5, 2, 1)])
def test_an_image_too_small_for_a_valid_kernel_is_refused_when_built(input_shape):
    with pytest.raises(ScratchVAEError, match="kernel"):
        Conv2D(3, 3).build(input_shape)
    assert Conv2D(3, 3, padding="same").build(input_shape) == (*input_shape[:2], 3)
    Conv2DTranspose(3, 3).build(input_shape)


@pytest.mark.parametrize("kind", [Conv2D, Conv2DTranspose])
def test_wrong_inputs_and_gradients_get_one_clear_line(kind):
    layer = kind(3, 3)
    with pytest.raises(ScratchVAEError, match="is not built"):
        layer.forward(np.zeros((2, 5, 6, 2), np.float32))
    layer.build((5, 6, 2))
    with pytest.raises(ScratchVAEError, match="backward without a forward pass"):
        layer.backward(np.zeros((2, *layer.output_shape), np.float32))
    for wrong in (np.zeros((5, 6, 2)), np.zeros((2, 5, 6, 3)), np.zeros((2, 6, 5, 2)), np.zeros((0, 5, 6, 2)), np.zeros((2, 60))):
        with pytest.raises(ScratchVAEError, match=f"{kind.__name__}: input a float32 array of shape"):
            layer.forward(wrong.astype(np.float32))
    with pytest.raises(ScratchVAEError, match=f"{kind.__name__}: input a float64 array"):
        layer.forward(np.zeros((2, 5, 6, 2)))
    layer.forward(np.zeros((2, 5, 6, 2), np.float32))
    with pytest.raises(ScratchVAEError, match=f"{kind.__name__}: gradient a float32 array of shape"):
        layer.backward(np.zeros((1, *layer.output_shape), np.float32))
    with pytest.raises(ScratchVAEError, match=f"{kind.__name__}: weights of shapes"):
        layer.set_weights([np.zeros((3, 3, 2)), np.zeros(3)])
