"""Layers: that gradient checks find mistakes, how layers treat arrays, and what they refuse.

test_layer_examples.py checks the gradients of every layer.
"""
import json

import numpy as np
import pytest
from helpers import HOSTS

from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck.check import check_layer, random_examples
from scratchvae.gradcheck.suite import layer_cases
from scratchvae.layers import Activation, Dense, Dropout, Flatten, Layer, Reshape, initializers
from scratchvae.models import Sequential

CASES = list(layer_cases())


def describe(value):
    """The name of a test."""
    if isinstance(value, Layer):
        return f"{value.name}-{getattr(value, 'activation', '')}"


def members(layer):
    """The layers of a Sequential, or the layer."""
    return list(layer.layers.values()) if isinstance(layer, Sequential) else [layer]


def on_backend(layer, input_shape, backend, dtype):
    """A copy of a layer or a Sequential, built."""
    layer = layer.clone(dtype)
    for member in members(layer):
        member.backend = backend
    layer.build(input_shape, seed=3)
    return layer


def batch(layer, count, rng):
    """Random examples for a built layer, and a gradient for its output."""
    dtype = members(layer)[0].dtype
    x = random_examples(layer.input_dtype, (count, *layer.input_shape), rng.standard_normal, rng)
    if not layer.input_dtype:
        x = x.astype(dtype)
    return x, rng.standard_normal((count, *layer.output_shape)).astype(dtype)


# Gradient checks

@pytest.mark.parametrize("backend", HOSTS)
def test_gradients_of_a_chain_of_layers_are_those_of_differences(backend):
    chain = Sequential([Flatten(), Dense(6, "relu"), Dropout(0.2), Reshape((2, 3)),
                        Activation("softmax")])
    for member in members(chain):
        member.backend = backend
    report = check_layer(chain, (2, 3))
    assert report.passed, report


def test_gradients_of_a_chain_with_a_mask_are_those_of_differences():
    chains = [(layer, shape) for layer, shape in CASES if isinstance(layer, Sequential)]
    assert chains
    for chain, input_shape in chains:
        report = check_layer(chain, input_shape)
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


class SlightlyWrong(Dense):
    """One element of dkernel is off by one part in ten thousand of the largest."""

    def backward(self, dout, need_dx=True):
        dx = super().backward(dout)
        self.grads["kernel"][1, 2] += 1e-4 * abs(self.grads["kernel"]).max()
        return dx


class WrongShape(Dense):
    """dx has lost an axis."""

    def backward(self, dout, need_dx=True):
        return super().backward(dout).ravel()


@pytest.mark.parametrize("wrong, array", [(ForgottenTranspose, "input"), (ForgottenBias, "bias"),
                                          (SlightlyWrong, "kernel")])
def test_a_wrong_gradient_is_found_and_named(wrong, array):
    report = check_layer(wrong(5, "tanh"), (5,))
    assert not report.passed
    assert [row.parameter for row in report.rows if not row.passed] == [array]
    assert "WRONG" in str(report)


def test_a_gradient_of_the_wrong_shape_is_named():
    with pytest.raises(ScratchVAEError, match=r"the gradient of input has shape \(15,\), "
                                              r"input itself \(3, 5\)"):
        check_layer(WrongShape(5), (5,))


class Double(Layer):
    """y = 2 x; a layer of one's own, without a dtype argument."""

    def __init__(self):
        super().__init__()

    def forward(self, x, training=False):
        self._y = 2 * x
        return self._y

    def backward(self, dout, need_dx=True):
        return 2 * dout


class Tenfold(Double):
    """y = 2 x, and a gradient of 10."""

    def backward(self, dout, need_dx=True):
        return 10 * dout


def test_a_layer_of_one_s_own_can_be_checked():
    assert check_layer(Double(), (3,)).passed
    assert not check_layer(Tenfold(), (3,)).passed


def test_a_built_sequential_can_be_checked():
    chain = Sequential([Dense(4, "tanh"), Flatten(), Dense(3)])
    chain.build((5,), 1)
    before = chain.get_weights()
    assert check_layer(chain, (5,)).passed
    for weight, kept in zip(chain.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


# Arrays

@pytest.mark.parametrize("layer, input_shape", CASES, ids=describe)
def test_inputs_come_back_unchanged_and_results_are_kept(layer, input_shape, rng):
    """A layer on its own returns fresh arrays."""
    layer = on_backend(layer, input_shape, "cpu", "float32")
    x, dout = batch(layer, 4, rng)
    kept_x = x.copy()
    kept_dout = dout.copy()
    y = layer.forward(x, training=True)
    kept_y = y.copy()
    dx = layer.backward(dout)
    assert (dx is None) == (layer.input_dtype is not None)      # words have no gradient
    kept_dx = np.copy(dx)
    np.testing.assert_array_equal(x, kept_x)
    np.testing.assert_array_equal(dout, kept_dout)
    layer.forward(x + 1, training=True)
    layer.backward(dout + 1)
    np.testing.assert_array_equal(y, kept_y)
    np.testing.assert_array_equal(np.asarray(dx), kept_dx)


@pytest.mark.parametrize("layer, input_shape", CASES, ids=describe)
def test_backends_compute_the_same(layer, input_shape, rng):
    results = []
    for backend in HOSTS:
        copy = on_backend(layer, input_shape, backend, "float64")
        x, dout = batch(copy, 7, np.random.default_rng(1))
        y = copy.forward(x, training=True)
        dx = copy.backward(dout)
        results.append([y, *([] if dx is None else [dx]), *copy.grads.values()])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_backward_replaces_gradients_and_needs_no_dx(rng):
    layer = on_backend(Dense(3), (2,), "cpu", "float32")
    x, dout = batch(layer, 5, rng)
    layer.forward(x)
    layer.backward(dout)
    once = layer.grads["kernel"].copy()
    layer.backward(dout)
    np.testing.assert_array_equal(layer.grads["kernel"], once)
    assert layer.backward(dout, need_dx=False) is None
    np.testing.assert_array_equal(layer.grads["kernel"], once)


def test_weights_are_exchanged_in_keras_order_as_copies(rng):
    layer = Dense(3)
    layer.build((2,))
    kernel = rng.standard_normal((2, 3))
    bias = rng.standard_normal(3)
    layer.set_weights([kernel, bias])
    x = rng.standard_normal((5, 2)).astype(np.float32)
    np.testing.assert_allclose(layer.forward(x), x @ kernel + bias, rtol=1e-5, atol=1e-6)
    for mine, given in zip(layer.get_weights(), (kernel, bias), strict=True):
        np.testing.assert_allclose(mine, given, rtol=1e-6)
    layer.get_weights()[0][...] = 7
    assert not (layer.params["kernel"] == 7).any()


def test_sequentials_exchange_weights(rng):
    chain = Sequential([Dense(4, "tanh"), Flatten(), Dense(3)])
    other = chain.clone()
    chain.build((5,), 1)
    other.build((5,), 2)
    x = rng.standard_normal((2, 5)).astype(np.float32)
    assert not np.array_equal(other.forward(x), chain.forward(x))
    other.set_weights(chain.get_weights())
    np.testing.assert_array_equal(other.forward(x), chain.forward(x))
    with pytest.raises(ScratchVAEError, match=r"^Sequential: weights have shapes \[\(5, 4\), "
                                              r"\(4,\)\], expected \[.*\(4, 3\), \(3,\)\]$"):
        other.set_weights(chain.get_weights()[:2])


# Initial weights and dropout

def test_initial_weights_are_glorot_s_and_depend_on_the_seed():
    layer = Dense(300)
    layer.build((500,), seed=1)
    kernel = layer.params["kernel"]
    limit = np.sqrt(6 / 800)
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)
    assert (layer.params["bias"] == 0).all()
    for seed, same in ((1, True), (2, False)):
        again = Dense(300)
        again.build((500,), seed)
        assert np.array_equal(again.params["kernel"], kernel) == same


@pytest.mark.parametrize("shape", [(7, 7), (3, 12), (12, 3)])
def test_orthogonal_weights_are_orthonormal(shape, rng):
    q = initializers.orthogonal(shape, rng)
    small = q @ q.T if shape[0] <= shape[1] else q.T @ q
    np.testing.assert_allclose(small, np.eye(min(shape)), atol=1e-12)


def test_other_initial_weights_have_keras_s_limits(rng):
    uniform = initializers.random_uniform((100, 100), rng)
    assert 0.049 < uniform.max() <= 0.05
    assert abs(uniform.mean()) < 0.002
    convolution = initializers.glorot_uniform((3, 5, 8, 16), rng)
    assert np.abs(convolution).max() == pytest.approx(np.sqrt(6 / (15 * 24)), rel=0.01)


def test_dropout_keeps_the_mean_and_drops_only_in_training():
    layer = Dropout(0.3)
    layer.build((1000,))
    x = np.ones((20, 1000), np.float32)
    y = layer.forward(x, training=True)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert y.mean() == pytest.approx(1, abs=0.03)
    assert (layer.forward(x, training=True) == y).all()
    layer.noise.step += 1
    assert not (layer.forward(x, training=True) == y).all()
    assert (layer.forward(x) == x).all()


# Configuration

@pytest.mark.parametrize("layer, input_shape", CASES, ids=describe)
def test_configuration_survives_json(layer, input_shape):
    for member in members(layer):
        config = json.loads(json.dumps(member.get_config()))
        again = Layer.from_config(config, dtype="float64")
        assert type(again) is type(member)
        assert again.get_config() == member.get_config()
        assert again.dtype == "float64"


SIZES = "input_shape must hold positive sizes, without the batch axis"


@pytest.mark.parametrize("make, message", [
    (lambda: Dense(0), "^Dense: units must be a positive integer, got 0$"),
    (lambda: Dense(2.5), "^Dense: units must be a positive integer, got 2.5$"),
    (lambda: Dense(3, dtype="float16"),
     "^Dense: dtype must be one of float32, float64, got 'float16'$"),
    (lambda: Dense(3).build(()), rf"^Dense: {SIZES}, got \(\)$"),
    (lambda: Dense(3).build((0,)), rf"^Dense: {SIZES}, got \(0,\)$"),
    (lambda: Dense(3, kernel_initializer="he"),
     "^unknown initializer 'he'; allowed: glorot_uniform"),
    (lambda: Dense(3).build((2,), seed=-1),
     r"^Dense: seed must be an integer from 0 and below 2\^63, got -1$"),
    (lambda: Dense(3, activation="selu"), "^unknown activation 'selu'; allowed: linear, relu"),
    (lambda: Dropout("a"), r"^Dropout: rate must be in \[0, 1\), got 'a'$"),
    (lambda: Dropout(1.0), r"^Dropout: rate must be in \[0, 1\), got 1.0$"),
    (lambda: Reshape((2, 2)).build((5,)),
     r"^Reshape: target_shape \(2, 2\) has 4 elements, but the input's shape \(5,\) has 5$"),
    (lambda: Dense(3).get_weights(), "^Dense is not built; call build"),
    (lambda: Dense(3).forward(np.zeros((1, 2), np.float32)), "^Dense is not built; call build"),
    (lambda: Dense(3).backward(np.zeros((1, 3), np.float32)), "^Dense is not built; call build"),
    (lambda: Layer.from_config({"class": "Conv9D"}),
     "^unknown layer 'Conv9D'; known layers: Activation"),
    (lambda: Sequential([]), "^Sequential: layers must hold at least one layer, got none$"),
    (lambda: Sequential([Dense]),
     r"^Sequential: layers must be layers such as Dense\(256\), got <class"),
])
def test_wrong_configurations_get_one_clear_line(make, message):
    with pytest.raises(ScratchVAEError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("x, message", [
    (np.zeros((3, 4), np.float32), r"x must have shape \(N, 2\), got \(3, 4\)"),
    (np.zeros((0, 2), np.float32), r"x must have shape \(N, 2\), got \(0, 2\)"),
    (np.zeros(2, np.float32),
     r"x must have shape \(N, 2\), got \(2,\); for a single example pass x\[None\]"),
    (np.zeros((3, 2)),
     r"x must be a float32 array of shape \(N, 2\), got a float64 array of shape \(3, 2\)"),
    ([[1, 2]], r"x must be a float32 array of shape \(N, 2\), got a list"),
])
def test_wrong_inputs_get_one_clear_line(x, message):
    layer = Dense(3)
    layer.build((2,))
    with pytest.raises(ScratchVAEError, match=f"^Dense: {message}$"):
        layer.forward(x)


def test_wrong_gradients_and_weights_get_one_clear_line():
    layer = Dense(3)
    layer.build((2,))
    with pytest.raises(ScratchVAEError, match="^Dense: backward needs a forward pass first; call "):
        layer.backward(np.zeros((1, 3), np.float32))
    layer.forward(np.zeros((1, 2), np.float32))
    with pytest.raises(ScratchVAEError, match=r"^Dense: dout must be a float32 array of shape "
                                              r"\(1, 3\), as the output of forward, got a float32 "
                                              r"array of shape \(1, 2\)$"):
        layer.backward(np.zeros((1, 2), np.float32))
    with pytest.raises(ScratchVAEError, match=r"^Dense: weights have shapes \[\(3, 2\), \(3,\)\], "
                                              r"expected {'kernel': \(2, 3\), 'bias': \(3,\)}$"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(3)])
