"""Layers against Keras's numbers. A group "layer/NAME" of golden.npz holds a layer's configuration,
weights, input and results, so a new layer needs no test of its own here.
"""
import json

import pytest
from helpers import HOSTS, KERAS_GROUPS, built, close, numbered

from scratchvae.layers import Layer

GROUPS = [group for group in KERAS_GROUPS if group.startswith("layer/")]


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 2e-6)])
@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("group", GROUPS)
def test_layer_equals_keras(golden, group, name, dtype, tolerance):
    g = golden[group]
    x = g["x"].astype(dtype)
    layer = Layer.from_config(json.loads(str(g["config"])))
    built(layer, x.shape[1:], numbered(g, "weight"), dtype, name)
    layer.mask = g.get("mask")
    states = [state.astype(dtype) for state in numbered(g, "initial_state")]
    assert layer.output_shape == g["y"].shape[1:]
    close(layer.forward(x, True, *[states] if states else []), g["y"], tolerance)
    close(layer.backward(g["dout"].astype(dtype)), g["dx"], tolerance)
    for gradient, expected in zip(layer.dinitial_state if states else [],
                                  numbered(g, "dinitial_state"), strict=True):
        close(gradient, expected, tolerance)
    for gradient, expected in zip(layer.grads.values(), numbered(g, "gradient"), strict=True):
        close(gradient, expected, tolerance)
