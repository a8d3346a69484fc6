"""What every layer class of the library says of itself: examples, formula, attributes."""
import numpy as np
import pytest
from conftest import HOSTS

import scratchvae.layers
from scratchvae.gradcheck import check_layer
from scratchvae.layers import Layer

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


def batch(layer, input_shape, rng):
    """Return three random examples, numbers or words."""
    shape = (3, *input_shape)
    if layer.input_dtype:
        return rng.integers(0, layer.vocabulary_size, shape, layer.input_dtype)
    return rng.standard_normal(shape)
