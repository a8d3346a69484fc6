"""Activations in Numba. See reference/activations.py for the functions and their derivatives.

The microkernel applies linear, relu and leaky_relu itself, to sums that are still in registers: all
three multiply negative numbers by a slope and leave the others as they are. Layers give it the
`tile_slope`, and call `activate_rest` after the product for the other activations.
"""
from numba import prange

from ..activation_names import ACTIVATIONS, parse_activation
from ..operation import implements
from ..reference import activations as reference
from .elementary import exp, tanh
from .jit import CHUNK, chunk_count, inner, parallel

LINEAR, RELU, LEAKY_RELU, SIGMOID, TANH, SOFTMAX = range(len(ACTIVATIONS))
TILE_ACTIVATIONS = ("linear", "relu", "leaky_relu")     # those that the microkernel applies


def activation_code(activation):
    """Return an activation as two numbers for a kernel: its place in ACTIVATIONS, and its slope."""
    name, slope = parse_activation(activation)
    return ACTIVATIONS.index(name), slope


def tile_slope(activation):
    """Return the slope that the microkernel applies to negative numbers; 1 does nothing."""
    name, slope = parse_activation(activation)
    return slope if name in ("relu", "leaky_relu") else 1.0


def activate_rest(y, activation):
    """y = f(y), unless the microkernel has applied f."""
    name, _ = parse_activation(activation)
    if name not in TILE_ACTIVATIONS:
        activation_forward(y, y, activation)


@implements(reference.activation_forward)
def activation_forward(x, y, activation):
    code, slope = activation_code(activation)
    if code == SOFTMAX:
        columns = y.shape[-1]
        _softmax_forward(x.reshape(-1, columns), y.reshape(-1, columns))
    else:
        _forward(x.reshape(-1), y.reshape(-1), code, slope)


@parallel
def _forward(x, y, code, slope):
    for chunk in prange(chunk_count(x.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        activate(x[here], y[here], code, slope)


@inner
def activate(x, y, code, slope):
    """y = f(x) on one-dimensional arrays, for all activations except softmax.

    Comparisons are written so that NaN passes through.
    """
    one = y.dtype.type(1)
    zero = y.dtype.type(0)
    a = y.dtype.type(slope)
    if code == LINEAR:
        for i in range(x.size):
            y[i] = x[i]
    elif code == RELU:
        for i in range(x.size):
            y[i] = zero if x[i] < zero else x[i]
    elif code == LEAKY_RELU:
        for i in range(x.size):
            y[i] = a * x[i] if x[i] < zero else x[i]
    elif code == SIGMOID:
        for i in range(x.size):
            e = exp(-abs(x[i]))                         # <= 1: no overflow on either side
            y[i] = (e if x[i] < zero else one) / (one + e)
    elif code == TANH:
        for i in range(x.size):
            y[i] = tanh(x[i])


@parallel
def _softmax_forward(x, y):
    for n in prange(x.shape[0]):
        largest = x[n].max()
        total = y.dtype.type(0)
        for c in range(x.shape[1]):
            y[n, c] = exp(x[n, c] - largest)            # at most 1: no overflow
            total += y[n, c]
        for c in range(x.shape[1]):
            y[n, c] /= total


@implements(reference.activation_backward)
def activation_backward(dout, y, dx, activation):
    code, slope = activation_code(activation)
    if code == SOFTMAX:
        columns = y.shape[-1]
        _softmax_backward(dout.reshape(-1, columns), y.reshape(-1, columns),
                          dx.reshape(-1, columns))
    else:
        _backward(dout.reshape(-1), y.reshape(-1), dx.reshape(-1), code, slope)


@parallel
def _backward(dout, y, dx, code, slope):
    for chunk in prange(chunk_count(y.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        differentiate(dout[here], y[here], dx[here], code, slope)


@inner
def differentiate(dout, y, dx, code, slope):
    """dx = dout * f'(x), from y = f(x), on one-dimensional arrays."""
    one = y.dtype.type(1)
    zero = y.dtype.type(0)
    a = y.dtype.type(slope)
    if code == LINEAR:
        for i in range(y.size):
            dx[i] = dout[i]
    elif code == RELU or code == LEAKY_RELU:
        for i in range(y.size):
            dx[i] = dout[i] * (one if y[i] > zero else a)
    elif code == SIGMOID:
        for i in range(y.size):
            dx[i] = dout[i] * y[i] * (one - y[i])
    elif code == TANH:
        for i in range(y.size):
            dx[i] = dout[i] * (one - y[i] * y[i])


@parallel
def _softmax_backward(dout, y, dx):
    for n in prange(y.shape[0]):
        dot = y.dtype.type(0)                           # sum over c of dout_c y_c
        for c in range(y.shape[1]):
            dot += dout[n, c] * y[n, c]
        for c in range(y.shape[1]):
            dx[n, c] = y[n, c] * (dout[n, c] - dot)
