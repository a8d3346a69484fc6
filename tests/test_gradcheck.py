"""What gradient checks cover, and that they check the class that they are given."""
import re

import pytest

from scratchvae import layers, losses
from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck import check_layer, check_model, suite
from scratchvae.layers import Activation, Layer
from scratchvae.layers.layer import registered_name
from scratchvae.layers.pooling import Pooling2D
from scratchvae.layers.recurrent import Recurrent
from scratchvae.models import VAE, Sequential

LIBRARY = {layer_class for layer_class in Layer.classes.values()
           if layer_class.__module__.startswith("scratchvae.")
           and layer_class.forward is not Layer.forward}       # without the bases of several layers


class Dense(Layer):
    """y = x W, with a wrong backward pass: it has the name of a layer of the library."""

    def __init__(self, units, dtype="float32"):
        super().__init__(dtype)
        self.units = units

    def setup(self, input_shape):
        self.add_parameter("kernel", (*input_shape, self.units), "glorot_uniform")
        return (self.units,)

    def forward(self, x, training=False):
        self._x = x
        return x @ self.params["kernel"]

    def backward(self, dout, need_dx=True):
        self.grads["kernel"][...] = 2 * self._x.T @ dout        # the 2 is wrong
        return dout @ self.params["kernel"].T


# What is covered

@pytest.fixture
def checked(monkeypatch):
    """What the suite checks: (layer classes, names of losses), without computing gradients."""
    classes = set()
    names = set()

    def note_layer(layer, input_shape):
        chain = layer.layers.values() if isinstance(layer, Sequential) else [layer]
        classes.update(type(member) for member in chain)
    monkeypatch.setattr(suite, "check_layer", note_layer)
    monkeypatch.setattr(suite, "check_model", lambda model: names.add(model.loss.name))
    return classes, names


def run_suite():
    for _ in suite.suite(None, "reference"):
        pass


def test_all_layers_of_the_library_are_checked(checked):
    classes, _ = checked
    run_suite()
    assert classes == LIBRARY


def test_all_losses_are_checked(checked):
    _, names = checked
    run_suite()
    assert names == set(losses.LOSSES)


def test_a_new_layer_is_checked_because_it_has_examples(checked, monkeypatch):
    class Fresh(Activation):
        @classmethod
        def examples(cls):
            yield cls("tanh"), (3,)
    monkeypatch.setattr(layers, "Fresh", Fresh, raising=False)
    classes, _ = checked
    run_suite()
    assert Fresh in classes


def test_bases_of_layers_are_not_in_the_suite(checked):
    """They cannot compute, even where they have examples for the layers below them."""
    classes, _ = checked
    run_suite()
    assert not {Recurrent, Pooling2D} & classes


def test_layers_defined_elsewhere_are_not_in_the_suite(checked):
    classes, _ = checked
    run_suite()
    assert Dense in Layer.classes.values()
    assert Dense not in classes


# A layer of one's own with the name of a layer of the library

def test_a_class_of_ones_own_is_what_is_checked():
    report = check_layer(Dense(4), (5,))
    assert [row.parameter for row in report.rows if not row.passed] == ["kernel"]
    assert check_layer(layers.Dense(4), (5,)).passed


def test_a_class_of_ones_own_does_not_replace_the_library_s():
    assert Layer.classes["Dense"] is layers.Dense
    assert Layer.classes[registered_name(Dense)] is Dense
    assert registered_name(Dense) != "Dense"


def saved(path, hidden):
    """Save a VAE with this hidden layer to a file and return it."""
    model = VAE([hidden], 2, [layers.Dense(6, "sigmoid")])
    model.build((6,))
    model.save(path)
    return model


def first_layer(model):
    return next(iter(model.encoder.layers.values()))


def test_a_saved_model_of_the_library_s_layers_has_the_library_s_layers(tmp_path):
    saved(tmp_path / "vae.npz", layers.Dense(4))
    assert type(first_layer(VAE.load(tmp_path / "vae.npz"))) is layers.Dense


def test_a_saved_model_with_a_class_of_ones_own_has_it_again(tmp_path, rng):
    model = saved(tmp_path / "vae.npz", Dense(4))
    loaded = VAE.load(tmp_path / "vae.npz")
    assert type(first_layer(loaded)) is Dense
    assert first_layer(loaded).units == 4
    x = rng.random((3, 6)).astype("float32")
    for one, other in zip(model.encode(x), loaded.encode(x)):
        assert one.tobytes() == other.tobytes()


def test_a_class_that_is_not_defined_is_refused_in_one_line(tmp_path, monkeypatch):
    saved(tmp_path / "vae.npz", Dense(4))
    monkeypatch.delitem(Layer.classes, registered_name(Dense))
    with pytest.raises(ScratchVAEError) as refused:
        VAE.load(tmp_path / "vae.npz")
    message = str(refused.value)
    assert message.startswith(f"unknown layer '{registered_name(Dense)}'; known layers: ")
    assert "must be defined (imported)" in message
    assert "\n" not in message


class Keeping(Layer):
    """It keeps the array of setup, which is not the one that is trained."""

    def setup(self, input_shape):
        self.add_parameter("w", input_shape, "ones")
        self.w = self.params["w"]
        return input_shape

    def forward(self, x, training=False):
        self._x = x
        return x * self.w

    def backward(self, dout, need_dx=True):
        self.grads["w"][...] = (dout * self._x).sum(axis=0)
        return dout * self.w


class Accumulating(Keeping):
    """Its second gradient holds the first, too."""

    def forward(self, x, training=False):
        self._x = x
        return x * self.params["w"]

    def backward(self, dout, need_dx=True):
        self.grads["w"] += (dout * self._x).sum(axis=0)
        return dout * self.params["w"]


class Rebinding(Accumulating):
    """Its gradient is right, but the optimizer never sees it."""

    def backward(self, dout, need_dx=True):
        self.grads["w"] = (dout * self._x).sum(axis=0)
        return dout * self.params["w"]


@pytest.mark.parametrize("layer, parameter, hint", [
    (Rebinding(), "w", r"self.grads\['w'\] was replaced by another array"),
    (Keeping(), "w", r"forward does not read self.params\['w'\]"),
    (Accumulating(), "w", r"backward adds to self.grads\['w'\]"),
])
def test_a_layer_that_can_never_learn_fails_and_is_told_why(layer, parameter, hint):
    report = check_layer(layer, (4,))
    row, = [row for row in report.rows if not row.passed]
    assert row.parameter == parameter and re.search(hint, row.hint)
    assert re.search(f"WRONG: {hint}", str(report))
    model = VAE([layer.clone()], 2, [layers.Dense(4, activation="sigmoid")])
    model.build((4,))
    wrong = [row for row in check_model(model).rows if not row.passed]
    assert any(re.search(hint, row.hint) for row in wrong)
