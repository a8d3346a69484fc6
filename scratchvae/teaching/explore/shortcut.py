"""Layers without activations in a row are one matrix: the way through them that a page can afford at every move of the mouse.

The decoder of mnist-latent8, as its sheet prints it, ends in four such layers, 71 million operations; as one matrix they are 77 thousand.
"""
import math

import numpy as np

from ...layers import BatchNormalization, Conv2D, Dense, Dropout, Reshape


def linear(layer):
    """Is the layer's output, outside training, a matrix times its input, plus a constant?  Flatten is a Reshape."""
    return isinstance(layer, (BatchNormalization, Dropout, Reshape)) or isinstance(layer, (Conv2D, Dense)) and layer.activation == "linear"


def shortcut(decoder, described, arrays):
    """The described layers with the linear ones at the end as one Dense, or None if that saves nothing."""
    layers, start = list(decoder.layers.values()), len(decoder.layers)
    while start and linear(layers[start - 1]):
        start -= 1
    tail = layers[start:]
    if not tail:
        return None
    inputs, outputs = math.prod(tail[0].input_shape), math.prod(decoder.output_shape)
    if 2 * inputs * outputs >= sum(layer.flops()[0] for layer in tail):
        return None
    y = np.eye(inputs + 1, inputs, -1, tail[0].dtype).reshape(-1, *tail[0].input_shape)         # zeros, then every unit vector
    for layer in tail:
        y = layer.forward(np.ascontiguousarray(y))
    bias, *rows = y.reshape(len(y), -1)
    weights = {"kernel": arrays.add(rows - bias, "float32"), "bias": arrays.add(bias, "float32")}
    return [*described[:start], {"class": "Dense", "name": "shortcut", "units": outputs, "activation": "linear", "input": [inputs],
                                 "output": [outputs], "weights": weights}]
