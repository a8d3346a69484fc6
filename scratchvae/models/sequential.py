"""A chain of layers."""
import re

import numpy as np

from ..errors import ScratchVAEError
from ..layers import Layer, Reshape


class Sequential:
    """layers[-1](... layers[1](layers[0](x))): the forward pass runs down the list, the backward pass up it.

    Has the methods of a layer.  `layers` is a dict of name -> layer, named as Keras does: dense, dense_1, ...
    """

    def __init__(self, layers):
        layers = list(layers) if isinstance(layers, (list, tuple)) else [layers]
        for layer in layers:
            if not isinstance(layer, Layer):
                raise ScratchVAEError(f"Sequential: {layer!r} is not a layer; give instances such as Dense(256)")
        if not layers:
            raise ScratchVAEError("Sequential: no layers; give at least one")
        self.layers, self.input_shape = {}, None
        for layer in layers:
            if layer in self.layers.values():
                raise ScratchVAEError(f"Sequential: one {type(layer).__name__} object stands twice; make a layer for each place")
            self.layers[_unused_name(type(layer).__name__, self.layers)] = layer
        self._config = [layer.get_config() for layer in layers]

    def build(self, input_shape, seed=0):
        """Build the layers one after the other; return the shape of the last one's output."""
        shape = self.input_shape = input_shape
        for i, layer in enumerate(self.layers.values()):
            shape = layer.build(shape, [*np.atleast_1d(seed), i])
        self.output_shape = shape
        return shape

    @property
    def input_dtype(self):
        """"int32" if words come in, else None: the model's own type."""
        return next(iter(self.layers.values())).input_dtype

    @property
    def vocabulary_size(self):
        """How many words may come in, or None for numbers."""
        return next(iter(self.layers.values())).vocabulary_size

    @property
    def kernels(self):
        """The backend that its layers compute with."""
        return next(iter(self.layers.values())).kernels

    @property
    def params(self):
        """The parameters of all layers, "dense/kernel" and so on, in Keras's order."""
        return {f"{name}/{p}": value for name, layer in self.layers.items() for p, value in layer.params.items()}

    @property
    def grads(self):
        """Their gradients, by the same names."""
        return {f"{name}/{p}": value for name, layer in self.layers.items() for p, value in layer.grads.items()}

    def get_weights(self):
        """Copies of parameters and state of all layers, in Keras's order."""
        return [weight for layer in self.layers.values() for weight in layer.get_weights()]

    def set_weights(self, weights):
        """Set parameters and state of all layers from a list as get_weights gives it."""
        weights = list(weights)
        needed = [weight.shape for layer in self.layers.values() for weight in layer.weights.values()]
        if [np.shape(w) for w in weights] != needed:
            raise ScratchVAEError(f"Sequential: weights of shapes {[np.shape(w) for w in weights]}; needed: {needed}")
        for layer in self.layers.values():
            layer.set_weights([weights.pop(0) for _ in layer.weights])

    def forward(self, x, training=False):
        """The output for a batch x (N, *input_shape)."""
        mask = None
        for layer in self.layers.values():
            layer.mask = mask
            mask, x = layer.compute_mask(x), layer.forward(x, training)
        return x

    def backward(self, dout, need_dx=True):
        """Fill every layer's grads; return dx, or None if need_dx is False."""
        layers = list(self.layers.values())
        while layers:
            layer = layers.pop()
            needed = need_dx or any(below.params for below in layers)
            dout = layer.backward(dout, needed)
            if not needed:
                return None
        return dout

    def take_output_activation(self, softmax=False):
        """Make the output linear, and return the activation it had: losses compute from the logits before it.

        softmax: whether the loss takes it, too, from the last layer; else it stays where it is.
        """
        for layer in reversed(self.layers.values()):
            if not isinstance(layer, Reshape) or softmax:
                break           # an element-by-element activation commutes with a reshape after it
        activation = getattr(layer, "activation", "linear")
        if activation == "linear" or (activation == "softmax" and not softmax):
            return "linear"
        layer.activation = "linear"
        return activation

    def get_config(self):
        """The layers' configurations, as they were given."""
        return self._config


def _unused_name(class_name, taken):
    """Keras's name for a layer: "dense", "dense_1", ..., "conv2d_transpose"."""
    base = re.sub(r"(?<=[a-zA-Z0-9])([A-Z][a-z]+)", r"_\1", class_name).lower()
    number = sum(name == base or name.rstrip("0123456789") == base + "_" for name in taken)
    return f"{base}_{number}" if number else base
