"""Losses whose target is a word, in Numba: a thread takes a row of logits. See
reference/word_losses.py for the mathematics.
"""
import math

from numba import prange

from ..operation import implements
from ..reference import word_losses as reference
from .elementary import exp, largest, log1p_unit
from .jit import inner, parallel


@implements(reference.sparse_categorical_crossentropy_forward)
def sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, scale):
    _log_totals(logits, log_total)
    _pick_out(logits, targets, loss, log_total, scale)


@parallel
def _log_totals(logits, log_total):
    T = log_total.shape[1]
    for i in prange(log_total.size):
        n = i // T
        t = i % T
        log_total[n, t] = log_sum_exp(logits[n, t])


@inner
def log_sum_exp(logits):
    """Return log sum_v exp(l_v)."""
    m = largest(logits)
    total = logits.dtype.type(0)
    for v in range(logits.size):
        total += exp(logits[v] - m)
    return m + logits.dtype.type(math.log(total))


@parallel
def _pick_out(logits, targets, loss, log_total, scale):
    """loss_n = scale * mean over t of (log_total - the target's logit)."""
    N, T = targets.shape
    for n in prange(N):
        total = loss.dtype.type(0)
        for t in range(T):
            total += log_total[n, t] - logits[n, t, targets[n, t]]
        loss[n] = total * loss.dtype.type(scale / T)


@implements(reference.sparse_categorical_crossentropy_backward)
def sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits, scale):
    copy_unless_same(logits, dlogits)
    _softmax_minus_target(dlogits, targets, log_total, scale / targets.size)


@parallel
def _softmax_minus_target(logits, targets, log_total, factor):
    """Turn logits into dlogits, in place."""
    T = targets.shape[1]
    factor = logits.dtype.type(factor)
    for i in prange(targets.size):
        n = i // T
        t = i % T
        row = logits[n, t]
        target = targets[n, t]
        shift = log_total[n, t]
        for v in range(row.size):
            row[v] = exp(row[v] - shift) * factor
        row[target] -= factor


@implements(reference.onehot_binary_crossentropy_forward)
def onehot_binary_crossentropy_forward(logits, targets, loss, scale):
    _onehot_binary_crossentropy(logits, targets, loss, scale / logits.shape[1])


@parallel
def _onehot_binary_crossentropy(logits, targets, loss, factor):
    zero = logits.dtype.type(0)
    factor = loss.dtype.type(factor)
    for n in prange(targets.size):
        total = -logits[n, targets[n]]
        for v in range(logits.shape[1]):
            logit = logits[n, v]
            total += (zero if logit < zero else logit) + log1p_unit(exp(-abs(logit)))
        loss[n] = total * factor


@implements(reference.onehot_binary_crossentropy_backward)
def onehot_binary_crossentropy_backward(logits, targets, dlogits, scale):
    copy_unless_same(logits, dlogits)
    _sigmoid_minus_target(dlogits, targets, scale / logits.size)


@parallel
def _sigmoid_minus_target(logits, targets, factor):
    """Turn logits into dlogits, in place."""
    one = logits.dtype.type(1)
    factor = logits.dtype.type(factor)
    for n in prange(targets.size):
        row = logits[n]
        for v in range(row.size):
            row[v] = factor / (one + exp(-row[v]))
        row[targets[n]] -= factor


def copy_unless_same(logits, dlogits):
    """dlogits = logits.

    The loops then work in place: on two arrays that may be one, they would not be vectorised.
    """
    if dlogits.ctypes.data != logits.ctypes.data:
        dlogits[...] = logits
