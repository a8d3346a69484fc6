"""Reconstruction losses on the device, a block for each example. See reference/losses.py."""
import functools
import math

import numpy as np
from numba import cuda

from ..reference import losses as reference
from .activations import make_activation, make_derivative
from .device import implements, launch, launch_each
from .reduction import block_sum


@implements(reference.binary_crossentropy_forward)
def binary_crossentropy_forward(logits, target, probability, loss, scale):
    launch(_binary_crossentropy, len(logits), logits, target, probability, loss, scale)


@cuda.jit
def _binary_crossentropy(logits, target, probability, loss, scale):
    n = cuda.blockIdx.x
    D = logits.shape[1]
    zero = logits.dtype.type(0)
    one = logits.dtype.type(1)
    total = 0.0
    for d in range(cuda.threadIdx.x, D, cuda.blockDim.x):
        logit = logits[n, d]
        e = math.exp(-abs(logit))
        probability[n, d] = (one if logit >= zero else e) / (one + e)
        total += max(logit, zero) - logit * target[n, d] + math.log1p(e)
    total = block_sum(total)
    if cuda.threadIdx.x == 0:
        loss[n] = scale * total / D


@implements(reference.binary_crossentropy_backward)
def binary_crossentropy_backward(probability, target, dlogits, scale):
    kernel = _make_difference("linear", np.dtype(target.dtype))
    launch_each(kernel, target.size, probability, target, dlogits, scale / target.size)


@functools.cache
def _make_difference(activation, dtype):
    derivative = make_derivative(activation, dtype)

    @cuda.jit
    def difference(output, target, dlogits, factor):
        i = cuda.grid(1)
        if i < target.size:
            n = i // target.shape[1]
            d = i % target.shape[1]
            scaled = (output[n, d] - target[n, d]) * target.dtype.type(factor)
            dlogits[n, d] = scaled * derivative(output[n, d])
    return difference


@implements(reference.squared_error_forward)
def squared_error_forward(logits, target, output, loss, scale, activation):
    kernel = _make_squared_error(activation, np.dtype(logits.dtype))
    launch(kernel, len(logits), logits, target, output, loss, scale)


@functools.cache
def _make_squared_error(activation, dtype):
    activate = make_activation(activation, dtype)

    @cuda.jit
    def squared_error(logits, target, output, loss, scale):
        n = cuda.blockIdx.x
        D = logits.shape[1]
        total = 0.0
        for d in range(cuda.threadIdx.x, D, cuda.blockDim.x):
            out = activate(logits[n, d])
            output[n, d] = out
            total += (out - target[n, d]) * (out - target[n, d])
        total = block_sum(total)
        if cuda.threadIdx.x == 0:
            loss[n] = scale * total / D
    return squared_error


@implements(reference.squared_error_backward)
def squared_error_backward(output, target, dlogits, scale, activation):
    kernel = _make_difference(activation, np.dtype(target.dtype))
    launch_each(kernel, target.size, output, target, dlogits, 2 * scale / target.size)
