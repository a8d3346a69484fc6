"""Activations: y = f(x), element by element, except softmax over the last axis.

Each derivative is written in terms of the output y, so the backward pass needs nothing else of the
forward pass:

    linear      y = x                        dy/dx = 1
    relu        y = max(x, 0)                dy/dx = 1 where y > 0, else 0
    leaky_relu  y = x where x > 0, else a x  dy/dx = 1 where y > 0, else a   (y has x's sign: a > 0)
    sigmoid     y = 1 / (1 + exp(-x))        dy/dx = y (1 - y)
    tanh        y = tanh(x)                  dy/dx = 1 - y^2
    softmax     y_i = exp(x_i) / sum_j exp(x_j)   dy_i/dx_j = y_i (delta_ij - y_j)
"""
import numpy as np

from ..activation_names import EXAMPLES, parse_activation
from ..operation import operation


@operation("x=* -> y=*", activation=EXAMPLES)
def activation_forward(x, y, activation):
    """y = f(x). y may be x itself."""
    name, slope = parse_activation(activation)
    if name == "linear":
        y[...] = x
    elif name == "relu":
        np.maximum(x, 0, out=y)
    elif name == "leaky_relu":
        y[...] = np.where(x > 0, x, slope * x)
    elif name == "sigmoid":
        e = np.exp(-np.abs(x))                            # <= 1: no overflow on either side
        y[...] = np.where(x >= 0, 1, e) / (1 + e)
    elif name == "tanh":
        np.tanh(x, out=y)
    elif name == "softmax":
        e = np.exp(x - x.max(axis=-1, keepdims=True))     # the largest exponent is 0: no overflow
        y[...] = e / e.sum(axis=-1, keepdims=True)


@operation("dout=* y=* -> dx=*", activation=EXAMPLES)
def activation_backward(dout, y, dx, activation):
    """dx = dout * f'(x), from y = f(x)."""
    name, slope = parse_activation(activation)
    if name == "linear":
        dx[...] = dout
    elif name in ("relu", "leaky_relu"):
        dx[...] = np.where(y > 0, dout, slope * dout)
    elif name == "sigmoid":
        dx[...] = dout * y * (1 - y)
    elif name == "tanh":
        dx[...] = dout * (1 - y * y)
    elif name == "softmax":
        # dx_j = sum_i dout_i y_i (delta_ij - y_j) = y_j (dout_j - sum_i dout_i y_i)
        dx[...] = y * (dout - (dout * y).sum(axis=-1, keepdims=True))
