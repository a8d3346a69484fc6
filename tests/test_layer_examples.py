"""What every layer class of the library says of itself: examples, formula, attributes."""
import numpy as np
import pytest
from helpers import HOSTS

import scratchvae.layers
from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck import check_layer
from scratchvae.layers import (
    LSTM,
    Conv2DTranspose,
    Cropping2D,
    Layer,
    LayerNormalization,
    MaxPooling2D,
    UpSampling2D,
    ZeroPadding2D,
)

CLASSES = [cls for name, cls in vars(scratchvae.layers).items()
           if isinstance(cls, type) and issubclass(cls, Layer) and cls is not Layer]
EXAMPLES = [(layer, input_shape) for cls in CLASSES for layer, input_shape in cls.examples()]


def describe(value):
    """Return a name for the test of a layer."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    arguments = value.arguments().items()
    return "-".join([value.name, *(str(argument) for name, argument in arguments
                                   if not name.endswith("initializer"))])


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_class_has_examples_and_a_documentation(cls):
    assert list(cls.examples())
    assert cls.__doc__
    assert Layer.classes[cls.__name__] is cls


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("layer, input_shape", EXAMPLES, ids=describe)
def test_gradients(layer, input_shape, name):
    layer = layer.clone()
    layer.backend = name
    report = check_layer(layer, input_shape)
    assert report.passed, report


@pytest.mark.parametrize("layer, input_shape", EXAMPLES, ids=describe)
def test_formula_is_given_forward_and_backward(layer, input_shape):
    layer = layer.clone()
    layer.build(input_shape)
    formula = layer.formula()
    assert formula.forward
    assert formula.backward


@pytest.mark.parametrize("layer, input_shape", EXAMPLES, ids=describe)
def test_layer_from_its_configuration_computes_the_same(layer, input_shape, rng):
    layer = layer.clone("float64")
    again = Layer.from_config(layer.get_config(), "float64")
    x = batch(layer, input_shape, rng)
    for each in (layer, again):
        each.backend = "reference"
        each.build(input_shape, seed=3)
    assert layer.output_shape == layer.forward(x).shape[1:]
    np.testing.assert_array_equal(layer.forward(x), again.forward(x))


@pytest.mark.parametrize("layer, input_shape", EXAMPLES, ids=describe)
def test_attributes_are_true(layer, input_shape, rng):
    """An affine layer is a matrix times x plus a constant; what rearranges only moves numbers."""
    layer = layer.clone("float64")
    layer.backend = "reference"
    layer.build(input_shape)
    if layer.affine:
        u = batch(layer, input_shape, rng)
        v = batch(layer, input_shape, rng)
        mean = layer.forward((u + v) / 2).copy()
        np.testing.assert_allclose((layer.forward(u) + layer.forward(v)) / 2, mean, atol=1e-12)
    if layer.rearranges:
        x = batch(layer, input_shape, rng)
        y = layer.forward(x)
        for n in range(len(x)):
            assert np.isin(y[n], x[n]).all()


WRONG = [
    (lambda: LayerNormalization(epsilon=-1), "epsilon must be in .*, got -1"),
    (lambda: MaxPooling2D(0), "pool_size must be one or two positive integers, got 0"),
    (lambda: MaxPooling2D(padding="full"), "padding must be one of same, valid, got 'full'"),
    (lambda: MaxPooling2D(5).build((4, 4, 1)), "the window of 5 is larger than the image of 4"),
    (lambda: MaxPooling2D().build((4, 4)), r"input_shape must be \(height, width, channels\)"),
    (lambda: UpSampling2D((2, 0)), r"size must be one or two positive integers, got \(2, 0\)"),
    (lambda: Cropping2D(2).build((4, 5, 1)), r"a border of .* leaves nothing of .* 4 x 5"),
    (lambda: Cropping2D((1, 2, 3)), r"cropping must be an integer .*, got \(1, 2, 3\)"),
    (lambda: ZeroPadding2D(((0, 1), (0, -1))), "padding must be an integer of at least 0"),
    (lambda: Conv2DTranspose(1, 3, 2, output_padding=2),
     r"output_padding must be smaller than strides \(2, 2\), got 2"),
    (lambda: Conv2DTranspose(1, 4, 1, "same", output_padding=0).build((1, 2, 1)),
     "output_padding 0 leaves nothing of the output"),
    (lambda: LSTM(3).build((4,)), r"input_shape must be \(steps, features\)"),
]


@pytest.mark.parametrize("make, message", WRONG, ids=[message for _, message in WRONG])
def test_wrong_arguments_are_refused_in_one_line(make, message):
    with pytest.raises(ScratchVAEError, match=f"^[A-Za-z0-9]+: {message}") as caught:
        make()
    assert "\n" not in str(caught.value)


def test_the_forget_gate_of_an_lstm_starts_open():
    for unit_forget_bias, start in ((True, 1), (False, 0)):
        layer = LSTM(3, unit_forget_bias=unit_forget_bias)
        layer.build((4, 2))
        _, _, bias = layer.get_weights()
        np.testing.assert_array_equal(bias, [0] * 3 + [start] * 3 + [0] * 6)


@pytest.mark.parametrize("name", HOSTS)
def test_nan_wins_the_maximum_and_equal_numbers_give_the_gradient_to_the_first(name):
    layer = MaxPooling2D()
    layer.backend = name
    layer.build((2, 6, 1))
    x = np.float32([[0, 1, 2, 2, 5, 0], [1, 1, 2, 2, np.nan, 7]]).reshape(1, 2, 6, 1)
    np.testing.assert_array_equal(layer.forward(x).ravel(), [1, 2, np.nan])
    dx = layer.backward(np.float32([3, 5, 0]).reshape(1, 1, 3, 1))
    np.testing.assert_array_equal(dx.reshape(2, 6), [[0, 3, 5, 0, 0, 0], [0] * 6])


def batch(layer, input_shape, rng):
    """Return three random examples, numbers or words."""
    shape = (3, *input_shape)
    if layer.input_dtype:
        return rng.integers(0, layer.vocabulary_size, shape, layer.input_dtype)
    return rng.standard_normal(shape)
