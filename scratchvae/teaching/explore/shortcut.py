"""Replace the linear layers at the end of a decoder by one matrix.

The page decodes at every move of the mouse.  The decoder of mnist-latent8, with the activations
that its sheet prints, ends in four linear layers of 71 million operations; the one matrix that
computes the same takes 77 thousand.
"""
import math

import numpy as np


def shortcut(decoder, described, arrays):
    """Return the described layers with the linear ones at the end merged into one Dense.

    Parameters
    ----------
    decoder : Sequential
        The built decoder.
    described : list of dict
        Its layers, as describe_parts returns them.
    arrays : Arrays
        Receives the weights of the merged layer.

    Returns
    -------
    list of dict or None
        None if merging saves nothing.
    """
    layers = list(decoder.layers.values())
    start = len(layers)
    while start and layers[start - 1].affine:
        start -= 1
    tail = layers[start:]
    if not tail:
        return None
    inputs = math.prod(tail[0].input_shape)
    outputs = math.prod(decoder.output_shape)
    if 2 * inputs * outputs >= sum(layer.flops()[0] for layer in tail):
        return None
    bias, kernel = merged(tail, inputs)
    weights = {"kernel": arrays.add(kernel, "float32"), "bias": arrays.add(bias, "float32")}
    dense = {"class": "Dense", "name": "shortcut", "units": outputs, "activation": "linear",
             "input": [inputs], "output": [outputs], "weights": weights}
    return [*described[:start], dense]


def merged(layers, inputs):
    """Return the bias and the kernel of one Dense that computes what these linear layers compute.

    The layers map 0 to the bias, and the k-th unit vector to the k-th row of the kernel plus it.
    """
    zero_and_unit_vectors = np.eye(inputs + 1, inputs, -1, layers[0].dtype)
    y = zero_and_unit_vectors.reshape(-1, *layers[0].input_shape)
    for layer in layers:
        y = layer.forward(np.ascontiguousarray(y))
    bias, *rows = y.reshape(len(y), -1)
    return bias, rows - bias
