"""Activations on the device: a thread for each element, a block for each row of softmax. See
reference/activations.py.

make_activation and make_derivative return functions of one number, for kernels that apply them to a
result before they store it.
"""
import functools
import math

import numpy as np
from numba import cuda

from ..activation_names import parse_activation
from ..reference import activations as reference
from .device import flat, implements, launch, launch_each
from .reduction import block_max, block_sum


@functools.cache
def make_activation(activation, dtype):
    """Return f, a function of one number of that dtype.

    Softmax needs a whole row: here it is linear, and the caller applies softmax afterwards.
    """
    name, slope = parse_activation(activation)
    real = np.dtype(dtype).type
    zero = real(0)
    one = real(1)
    slope = real(slope)

    @cuda.jit(device=True)
    def linear(x):
        return x

    @cuda.jit(device=True)
    def relu(x):
        return zero if x < zero else x                          # NaN stays NaN

    @cuda.jit(device=True)
    def leaky_relu(x):
        return slope * x if x < zero else x

    @cuda.jit(device=True)
    def sigmoid(x):
        e = math.exp(-abs(x))                                   # <= 1: no overflow on either side
        return (one if x >= zero else e) / (one + e)

    @cuda.jit(device=True)
    def tanh(x):
        return math.tanh(x)

    return {"linear": linear, "softmax": linear, "relu": relu, "leaky_relu": leaky_relu,
            "sigmoid": sigmoid, "tanh": tanh}[name]


@functools.cache
def make_derivative(activation, dtype):
    """Return f', a function of one number y = f(x) of that dtype. Softmax has none."""
    name, slope = parse_activation(activation)
    real = np.dtype(dtype).type
    zero = real(0)
    one = real(1)
    slope = real(slope)

    @cuda.jit(device=True)
    def linear(y):
        return one

    @cuda.jit(device=True)
    def relu(y):
        return one if y > zero else slope                       # relu's slope is 0

    @cuda.jit(device=True)
    def sigmoid(y):
        return y * (one - y)

    @cuda.jit(device=True)
    def tanh(y):
        return one - y * y

    return {"linear": linear, "relu": relu, "leaky_relu": relu, "sigmoid": sigmoid,
            "tanh": tanh}[name]


@implements(reference.activation_forward)
def activation_forward(x, y, activation):
    if activation == "softmax":
        size = x.shape[x.ndim - 1]
        launch(_softmax_forward, x.size // size, flat(x), flat(y), size)
    else:
        launch_each(_make_forward(activation, x.dtype), x.size, flat(x), flat(y))


@functools.cache
def _make_forward(activation, dtype):
    activate = make_activation(activation, dtype)

    @cuda.jit
    def forward(x, y):
        i = cuda.grid(1)
        if i < x.size:
            y[i] = activate(x[i])
    return forward


@cuda.jit
def _softmax_forward(x, y, size):
    """A block for each row: its largest number, the sum of exponentials, and the quotients."""
    start = cuda.blockIdx.x * size
    thread = cuda.threadIdx.x
    width = cuda.blockDim.x
    largest = -math.inf
    for i in range(start + thread, start + size, width):
        if x[i] > largest or math.isnan(x[i]):
            largest = float(x[i])
    largest = x.dtype.type(block_max(largest))
    total = 0.0
    for i in range(start + thread, start + size, width):
        total += math.exp(x[i] - largest)
    total = x.dtype.type(block_sum(total))
    for i in range(start + thread, start + size, width):
        y[i] = math.exp(x[i] - largest) / total


@implements(reference.activation_backward)
def activation_backward(dout, y, dx, activation):
    if activation == "softmax":
        size = y.shape[y.ndim - 1]
        launch(_softmax_backward, y.size // size, flat(dout), flat(y), flat(dx), size)
    else:
        launch_each(_make_backward(activation, y.dtype), y.size, flat(dout), flat(y), flat(dx))


@functools.cache
def _make_backward(activation, dtype):
    derivative = make_derivative(activation, dtype)

    @cuda.jit
    def backward(dout, y, dx):
        i = cuda.grid(1)
        if i < y.size:
            dx[i] = dout[i] * derivative(y[i])
    return backward


@cuda.jit
def _softmax_backward(dout, y, dx, size):
    """A block for each row: dx_j = y_j (dout_j - sum_i dout_i y_i)."""
    start = cuda.blockIdx.x * size
    thread = cuda.threadIdx.x
    width = cuda.blockDim.x
    total = 0.0
    for i in range(start + thread, start + size, width):
        total += dout[i] * y[i]
    total = y.dtype.type(block_sum(total))
    for i in range(start + thread, start + size, width):
        dx[i] = y[i] * (dout[i] - total)
