"""Layers: gradients, manners, configuration."""

import json

import numpy as np
import pytest
from conftest import HOSTS

from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck.check import check_layer, random_examples
from scratchvae.gradcheck.suite import layer_cases
from scratchvae.layers import Activation, Dense, Dropout, Flatten, Layer, Reshape
from scratchvae.models import Sequential

CASES = [
    pytest.param(layer, shape, id=f"{type(layer).__name__}-{getattr(layer, 'activation', '')}")
    for layer, shape in layer_cases()
]


def members(layer):
    """The layers of a Sequential, or the layer."""
    return list(layer.layers.values()) if isinstance(layer, Sequential) else [layer]


def fresh(layer, dtype):
    """A layer, or a Sequential, of the same configuration, not built."""
    copies = [Layer.from_config(member.get_config(), dtype) for member in members(layer)]
    return Sequential(copies) if isinstance(layer, Sequential) else copies[0]


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("layer, input_shape", CASES)
def test_gradients(layer, input_shape, backend):
    for member in members(layer):
        member.backend = backend
    report = check_layer(layer, input_shape)
    assert report.passed, report


def test_gradients_of_a_chain():
    report = check_layer(
        Sequential(
            [Flatten(), Dense(6, "relu"), Dropout(0.2), Reshape((2, 3)), Activation("softmax")]
        ),
        (2, 3),
    )
    assert report.passed, report


class ForgottenTranspose(Dense):
    """dx = dz W where dz W^T is right; square, so that the shapes agree."""

    def backward(self, dout, need_dx=True):
        super().backward(dout)
        return dout @ self.params["kernel"]


class ForgottenBias(Dense):
    """dbias is never written."""

    def backward(self, dout, need_dx=True):
        dx = super().backward(dout)
        self.grads["bias"][...] = 0
        return dx


class WrongShape(Dense):
    """dx has lost an axis."""

    def backward(self, dout, need_dx=True):
        return super().backward(dout).ravel()


def test_a_gradient_of_the_wrong_shape_is_named():
    with pytest.raises(
        ScratchVAEError, match=r"the gradient of input has shape .15,., input itself .3, 5."
    ):
        check_layer(WrongShape(5), (5,))


def test_a_layer_of_one_s_own_needs_no_dtype_argument():
    class Double(Layer):
        """y = 2 x."""

        def forward(self, x, training=False):
            self._y = 2 * x
            return self._y

        def backward(self, dout, need_dx=True):
            return 2 * dout

    class Tenfold(Double):
        """y = 2 x, and a gradient of 10."""

        def __init__(self):
            super().__init__()

        def backward(self, dout, need_dx=True):
            return 10 * dout

    assert check_layer(Double(), (3,)).passed and not check_layer(Tenfold(), (3,)).passed


def test_a_built_sequential_can_be_checked_and_exchanges_weights(rng):
    chain, other = (Sequential([Dense(4, "tanh"), Flatten(), Dense(3)]) for _ in range(2))
    for sequential, seed in ((chain, 1), (other, 2)):
        sequential.build((5,), seed)
    assert check_layer(chain, (5,)).passed
    other.set_weights(chain.get_weights())
    x = rng.standard_normal((2, 5)).astype(np.float32)
    np.testing.assert_array_equal(other.forward(x), chain.forward(x))
    with pytest.raises(ScratchVAEError, match="Sequential: weights of shapes"):
        other.set_weights(chain.get_weights()[:2])


class SlightlyWrong(Dense):
    """One element of dkernel is off by one part in ten thousand of the largest."""

    def backward(self, dout, need_dx=True):
        dx = super().backward(dout)
        self.grads["kernel"][1, 2] += 1e-4 * abs(self.grads["kernel"]).max()
        return dx


@pytest.mark.parametrize(
    "wrong, array",
    [(ForgottenTranspose, "input"), (ForgottenBias, "bias"), (SlightlyWrong, "kernel")],
)
def test_a_wrong_gradient_is_found_and_named(wrong, array):
    report = check_layer(wrong(5, "tanh"), (5,))
    assert not report.passed
    assert [row.parameter for row in report.rows if not row.passed] == [array]
    assert "WRONG" in str(report)


@pytest.mark.parametrize("layer, input_shape", CASES)
def test_vector_jacobian_product_in_a_random_direction(layer, input_shape, rng):
    """dx . v equals the change of dout .

    y along v, at a size where single elements would take long, and so for each parameter.
    """
    layer = fresh(layer, "float64")
    layer.build(input_shape, seed=5)
    x = random_examples(layer.input_dtype, (11, *input_shape), rng.standard_normal, rng)
    dout = rng.standard_normal((11, *layer.output_shape))
    layer.forward(x, training=True)
    dx = layer.backward(dout)
    assert (dx is None) == (x.dtype == np.int32)  # words are no numbers
    gradients = {name: gradient.copy() for name, gradient in layer.grads.items()}
    arrays = layer.params if dx is None else {"input": x} | layer.params
    for name, array in arrays.items():
        v = rng.standard_normal(array.shape)
        start = array.copy()
        h = 1e-6
        losses = []
        for step in (h, -h):
            array[...] = start + step * v
            losses.append(np.sum(dout * layer.forward(x, training=True)))
        array[...] = start
        change = (losses[0] - losses[1]) / (2 * h)
        assert abs(np.sum(gradients.get(name, dx) * v) - change) <= 1e-6 * max(abs(change), 1), name


@pytest.mark.parametrize("layer, input_shape", CASES)
def test_inputs_come_back_unchanged_and_results_are_kept(layer, input_shape, rng):
    for member in members(layer):
        member.backend = "cpu"
    layer.build(input_shape)
    x = random_examples(layer.input_dtype, (4, *input_shape), rng.standard_normal, rng)
    x = x if layer.input_dtype else x.astype(np.float32)
    dout = rng.standard_normal((4, *layer.output_shape)).astype(np.float32)
    kept_x = x.copy()
    kept_dout = dout.copy()
    y = layer.forward(x, training=True)
    kept_y = y.copy()
    dx = layer.backward(dout)
    kept_dx = None if dx is None else dx.copy()
    np.testing.assert_array_equal(x, kept_x)
    np.testing.assert_array_equal(dout, kept_dout)
    layer.forward(x + 1, training=True)  # a layer on its own returns fresh arrays
    layer.backward(dout + 1)
    np.testing.assert_array_equal(y, kept_y)
    np.testing.assert_array_equal(dx, kept_dx)


def test_weights_are_exchanged_in_keras_order(rng):
    layer = Dense(3)
    layer.build((2,))
    kernel = rng.standard_normal((2, 3))
    bias = rng.standard_normal(3)
    layer.set_weights([kernel, bias])
    x = rng.standard_normal((5, 2)).astype(np.float32)
    np.testing.assert_allclose(layer.forward(x), x @ kernel + bias, rtol=1e-5, atol=1e-6)
    for mine, given in zip(layer.get_weights(), (kernel, bias)):
        np.testing.assert_allclose(mine, given, rtol=1e-6)
    layer.get_weights()[0][...] = 7  # a copy
    assert not (layer.params["kernel"] == 7).any()


def test_backward_replaces_gradients(rng):
    layer = Dense(3)
    layer.build((2,))
    x = rng.standard_normal((5, 2)).astype(np.float32)
    dout = rng.standard_normal((5, 3)).astype(np.float32)
    layer.forward(x)
    layer.backward(dout)
    once = layer.grads["kernel"].copy()
    layer.backward(dout)
    np.testing.assert_array_equal(layer.grads["kernel"], once)
    assert layer.backward(dout, need_dx=False) is None


def test_initial_weights():
    layer = Dense(300)
    layer.build((500,), seed=1)
    kernel = layer.params["kernel"]
    limit = np.sqrt(6 / 800)
    assert np.abs(kernel).max() <= limit and kernel.std() == pytest.approx(
        limit / np.sqrt(3), rel=0.01
    )
    assert (layer.params["bias"] == 0).all()
    again = Dense(300)
    other = Dense(300)
    again.build((500,), seed=1)
    other.build((500,), seed=2)
    assert (again.params["kernel"] == kernel).all() and not (other.params["kernel"] == kernel).all()


def test_other_initializers():
    from scratchvae.layers import initializers

    rng = np.random.default_rng(0)
    for shape in ((7, 7), (3, 12), (12, 3)):
        q = initializers.orthogonal(shape, rng)
        small = q @ q.T if shape[0] <= shape[1] else q.T @ q
        np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-12)
    uniform = initializers.random_uniform((100, 100), rng)
    assert 0.049 < uniform.max() <= 0.05 and abs(uniform.mean()) < 0.002
    convolution = initializers.glorot_uniform((3, 5, 8, 16), rng)
    assert np.abs(convolution).max() == pytest.approx(np.sqrt(6 / (15 * 24)), rel=0.01)


def test_dropout_keeps_the_mean_and_drops_only_in_training():
    layer = Dropout(0.3)
    layer.build((1000,))
    x = np.ones((20, 1000), np.float32)
    y = layer.forward(x, training=True)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.02) and y.mean() == pytest.approx(
        1, abs=0.03
    )
    assert (layer.forward(x, training=True) == y).all()
    layer.noise.step += 1
    assert not (layer.forward(x, training=True) == y).all()
    assert (layer.forward(x) == x).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Dense(0), "Dense: units is 0; allowed: whole numbers from 1"),
        (lambda: Dense(2.5), "Dense: units is 2.5"),
        (lambda: Dense(3, dtype="float16"), "Dense: dtype is 'float16'; allowed: float32, float64"),
        (lambda: Dense(3).build(()), "Dense: input shape"),
        (lambda: Dense(3).build((0,)), "Dense: input shape .0,.; allowed: positive sizes"),
        (
            lambda: Dense(3, kernel_initializer="he"),
            "unknown initializer 'he'; there are: glorot_uniform",
        ),
        (lambda: Dense(3).build((2,), seed=-1), "Dense: seed is -1; allowed: whole numbers from 0"),
        (lambda: Dense(3).backward(np.zeros((1, 3), np.float32)), "Dense is not built"),
        (lambda: Dense(3, activation="selu"), "unknown activation 'selu'; there are: linear, relu"),
        (lambda: Dropout("a"), "Dropout: rate is 'a'; allowed"),
        (lambda: Dropout(1.0), "Dropout: rate is 1.0; allowed: 0 <= rate < 1"),
        (
            lambda: Reshape((2, 2)).build((5,)),
            "Reshape: .5,. has 5 elements, target_shape .2, 2. has 4",
        ),
        (lambda: Dense(3).get_weights(), "Dense is not built; call build"),
        (lambda: Dense(3).forward(np.zeros((1, 2), np.float32)), "Dense is not built"),
        (
            lambda: Layer.from_config({"class": "Conv9D"}),
            "unknown layer 'Conv9D'; there are: Activation",
        ),
        (lambda: Sequential([]), "Sequential: no layers"),
        (lambda: Sequential([Dense]), "is not a layer; give instances"),
    ],
)
def test_wrong_configurations_get_one_clear_line(make, message):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "x, message",
    [
        (
            np.zeros((3, 4), np.float32),
            r"Dense: input a float32 array of shape \(3, 4\); needed: a float32 array of shape \(batch, 2\)",
        ),
        (np.zeros((3, 2)), "Dense: input a float64 array"),
        (np.zeros((0, 2), np.float32), r"shape \(0, 2\)"),
        ([[1, 2]], "Dense: input a list"),
    ],
)
def test_wrong_inputs_get_one_clear_line(x, message):
    layer = Dense(3)
    layer.build((2,))
    with pytest.raises(ScratchVAEError, match=message):
        layer.forward(x)


def test_wrong_gradients_and_weights_get_one_clear_line():
    layer = Dense(3)
    layer.build((2,))
    with pytest.raises(ScratchVAEError, match="backward without a forward pass"):
        layer.backward(np.zeros((1, 3), np.float32))
    layer.forward(np.zeros((1, 2), np.float32))
    with pytest.raises(
        ScratchVAEError,
        match=r"gradient a float32 array of shape \(1, 2\); needed: a float32 array of shape \(1, 3\)",
    ):
        layer.backward(np.zeros((1, 2), np.float32))
    with pytest.raises(ScratchVAEError, match="weights of shapes"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(3)])


def test_configuration_round_trip():
    for case, _ in layer_cases():
        for layer in members(case):
            again = Layer.from_config(json.loads(json.dumps(layer.get_config())), dtype="float64")
            assert (
                type(again) is type(layer)
                and again.get_config() == layer.get_config()
                and again.dtype == "float64"
            )


def test_reference_equals_cpu(rng):
    for layer, input_shape in layer_cases():
        results = []
        x = None
        for backend in HOSTS:
            copy = fresh(layer, "float64")
            for member in members(copy):
                member.backend = backend
            copy.build(input_shape, seed=3)
            if x is None:
                x = random_examples(copy.input_dtype, (7, *input_shape), rng.standard_normal, rng)
                dout = rng.standard_normal((7, *copy.output_shape))
            y = copy.forward(x, training=True)
            dx = copy.backward(dout)
            results.append([y, *([] if dx is None else [dx]), *copy.grads.values()])
        for one, other in zip(*results, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
