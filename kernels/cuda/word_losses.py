"""Losses of words on the device, a block for each example. See reference/word_losses.py.

Targets are not checked here: they are on the device. Model.as_pair checks them before it copies
them there.
"""
import math

from numba import cuda

from ..reference import word_losses as reference
from .device import implements, launch, launch_each
from .reduction import block_max, block_sum


@implements(reference.sparse_categorical_crossentropy_forward)
def sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, scale):
    launch(_softmax_crossentropy, len(logits), logits, targets, loss, log_total, scale)


@cuda.jit
def _softmax_crossentropy(logits, targets, loss, log_total, scale):
    n = cuda.blockIdx.x
    thread = cuda.threadIdx.x
    width = cuda.blockDim.x
    T = logits.shape[1]
    V = logits.shape[2]
    cost = 0.0
    for t in range(T):
        largest = -math.inf
        for v in range(thread, V, width):
            if logits[n, t, v] > largest or math.isnan(logits[n, t, v]):
                largest = float(logits[n, t, v])
        largest = logits.dtype.type(block_max(largest))
        total = 0.0
        for v in range(thread, V, width):
            total += math.exp(logits[n, t, v] - largest)
        total = largest + math.log(block_sum(total))
        if thread == 0:
            log_total[n, t] = total
        cost += total - logits[n, t, targets[n, t]]
    if thread == 0:
        loss[n] = scale * cost / T


@implements(reference.sparse_categorical_crossentropy_backward)
def sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits, scale):
    launch_each(_softmax_difference, logits.size, logits, targets, log_total, dlogits,
                scale / targets.size)


@cuda.jit
def _softmax_difference(logits, targets, log_total, dlogits, factor):
    i = cuda.grid(1)
    if i < logits.size:
        real = logits.dtype.type
        T = logits.shape[1]
        V = logits.shape[2]
        n = i // (T * V)
        t = i // V % T
        v = i % V
        p = math.exp(logits[n, t, v] - log_total[n, t])
        if v == targets[n, t]:
            p -= real(1)
        dlogits[n, t, v] = p * real(factor)


@implements(reference.onehot_binary_crossentropy_forward)
def onehot_binary_crossentropy_forward(logits, targets, loss, scale):
    launch(_onehot_crossentropy, len(logits), logits, targets, loss, scale)


@cuda.jit
def _onehot_crossentropy(logits, targets, loss, scale):
    n = cuda.blockIdx.x
    V = logits.shape[1]
    total = 0.0
    for v in range(cuda.threadIdx.x, V, cuda.blockDim.x):
        logit = logits[n, v]
        total += max(logit, logits.dtype.type(0)) + math.log1p(math.exp(-abs(logit)))
    total = block_sum(total)
    if cuda.threadIdx.x == 0:
        loss[n] = scale / V * (total - logits[n, targets[n]])


@implements(reference.onehot_binary_crossentropy_backward)
def onehot_binary_crossentropy_backward(logits, targets, dlogits, scale):
    launch_each(_onehot_difference, logits.size, logits, targets, dlogits, scale / logits.size)


@cuda.jit
def _onehot_difference(logits, targets, dlogits, factor):
    i = cuda.grid(1)
    if i < logits.size:
        n = i // logits.shape[1]
        v = i % logits.shape[1]
        real = logits.dtype.type
        logit = logits[n, v]
        e = math.exp(-abs(logit))
        p = (real(1) if logit >= real(0) else e) / (real(1) + e)
        if v == targets[n]:
            p -= real(1)
        dlogits[n, v] = p * real(factor)
