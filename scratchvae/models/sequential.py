"""A chain of layers."""
import re

import numpy as np

from .. import checks
from ..errors import ScratchVAEError
from ..layers import Layer
from .summary import Described


class Sequential(Described):
    """layers[-1](... layers[1](layers[0](x))), with the methods of a layer.

    The forward pass runs down the list, the backward pass up it.

    Parameters
    ----------
    layers : list of Layer

    Attributes
    ----------
    layers : dict of name -> Layer
        Named as Keras does: dense, dense_1, ...
    """

    def __init__(self, layers):
        layers = list(layers) if isinstance(layers, (list, tuple)) else [layers]
        for layer in layers:
            if not isinstance(layer, Layer):
                raise ScratchVAEError("Sequential: layers must be layers such as Dense(256), "
                                      f"got {checks.shown(layer)}")
        if not layers:
            raise ScratchVAEError("Sequential: layers must hold at least one layer, got none")
        self.layers = {}
        self.input_shape = None
        for layer in layers:
            if layer in self.layers.values():
                raise ScratchVAEError(f"Sequential: one {layer.name} object is used twice; "
                                      "make a layer for each place")
            self.layers[unused_name(layer.name, self.layers)] = layer
        self._config = [layer.get_config() for layer in layers]

    def build(self, input_shape, seed=0):
        """Build the layers one after the other; return the shape of the last one's output."""
        self.input_shape = input_shape
        shape = input_shape
        for i, layer in enumerate(self.layers.values()):
            shape = layer.build(shape, [*np.atleast_1d(seed), i])
        self.output_shape = shape
        return shape

    def image_sizes(self):
        """Return (height, width) of the images between the layers, without repetitions."""
        shapes = [self.input_shape, *(layer.output_shape for layer in self.layers.values())]
        sizes = [tuple(shape[:2]) for shape in shapes if len(shape) == 3]
        return [size for i, size in enumerate(sizes) if i == 0 or size != sizes[i - 1]]

    @property
    def parts(self):
        """Itself by name, as a model has its networks."""
        return {"sequential": self}

    @property
    def input_dtype(self):
        """"int32" if the input is words, else None: the model's own dtype."""
        return self._first.input_dtype

    @property
    def vocabulary_size(self):
        """How many words the input may contain, or None for numbers."""
        return self._first.vocabulary_size

    @property
    def kernels(self):
        """The backend of its layers."""
        return self._first.kernels

    @property
    def _first(self):
        return next(iter(self.layers.values()))

    def clone(self, dtype=None):
        """Return a Sequential of layers of the same classes and arguments, not built."""
        return Sequential([layer.clone(dtype) for layer in self.layers.values()])

    @property
    def params(self):
        """The parameters of all layers, "dense/kernel" and so on, in Keras's order."""
        return {f"{name}/{parameter}": value for name, layer in self.layers.items()
                for parameter, value in layer.params.items()}

    @property
    def grads(self):
        """Their gradients, by the same names."""
        return {f"{name}/{parameter}": gradient for name, layer in self.layers.items()
                for parameter, gradient in layer.grads.items()}

    def get_weights(self):
        """Return copies of parameters and state of all layers, in Keras's order."""
        return [weight for layer in self.layers.values() for weight in layer.get_weights()]

    def set_weights(self, weights):
        """Set parameters and state of all layers from a list as get_weights returns it."""
        weights = list(weights)
        given = [np.shape(weight) for weight in weights]
        expected = [weight.shape for layer in self.layers.values()
                    for weight in layer.weights.values()]
        if given != expected:
            raise ScratchVAEError(f"Sequential: weights have shapes {given}, expected {expected}")
        for layer in self.layers.values():
            layer.set_weights([weights.pop(0) for _ in layer.weights])

    def forward(self, x, training=False):
        """Return the output for a batch x (N, *input_shape)."""
        mask = None
        for layer in self.layers.values():
            layer.mask = mask
            mask = layer.compute_mask(x)
            x = layer.forward(x, training)
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
        """Make the output linear, and return the activation that it had, for the loss.

        Losses compute from the logits, the input of the output activation.

        Parameters
        ----------
        softmax : bool
            Whether the loss takes a softmax, too; otherwise a softmax stays in the last layer.
        """
        for layer in reversed(self.layers.values()):
            if not layer.rearranges or softmax:
                break           # an element-by-element activation commutes with what follows it
        activation = getattr(layer, "activation", "linear")
        if activation == "linear" or (activation == "softmax" and not softmax):
            return "linear"
        layer.activation = "linear"
        return activation

    def fresh_layers(self):
        """Return layers like those that were given, not built."""
        return [type(layer)(**{name: value for name, value in config.items() if name != "class"})
                for layer, config in zip(self.layers.values(), self._config)]

    def get_config(self):
        """Return the layers' configurations, as they were given."""
        return self._config


def unused_name(class_name, taken):
    """Return Keras's name for a layer: "dense", "dense_1", ..., "conv2d_transpose"."""
    base = re.sub(r"(?<=[a-zA-Z0-9])([A-Z][a-z]+)", r"_\1", class_name).lower()
    number = sum(name == base or name.rstrip("0123456789") == base + "_" for name in taken)
    return f"{base}_{number}" if number else base
