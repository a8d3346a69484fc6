"""Reconstruction losses in Numba: a thread takes an example. See reference/losses.py for the
mathematics.
"""
from numba import prange

from ..operation import implements
from ..reference import losses as reference
from .activations import activation_backward, activation_forward
from .elementary import exp, log1p_unit
from .jit import CHUNK, chunk_count, parallel


@implements(reference.binary_crossentropy_forward)
def binary_crossentropy_forward(logits, target, probability, loss, scale):
    _binary_crossentropy_forward(logits, target, probability, loss, scale)


@parallel
def _binary_crossentropy_forward(logits, target, probability, loss, scale):
    N, D = logits.shape
    one = logits.dtype.type(1)
    zero = logits.dtype.type(0)
    factor = logits.dtype.type(scale / D)
    for n in prange(N):
        total = zero
        for d in range(D):
            logit = logits[n, d]
            e = exp(-abs(logit))
            probability[n, d] = (e if logit < zero else one) / (one + e)
            positive = zero if logit < zero else logit
            total += positive - logit * target[n, d] + log1p_unit(e)
        loss[n] = total * factor


@implements(reference.binary_crossentropy_backward)
def binary_crossentropy_backward(probability, target, dlogits, scale):
    _scaled_difference(probability.reshape(-1), target.reshape(-1), dlogits.reshape(-1),
                       scale / target.size)


@parallel
def _scaled_difference(a, b, out, scale):
    """out = (a - b) * scale."""
    factor = out.dtype.type(scale)
    for chunk in prange(chunk_count(a.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        a_ = a[here]
        b_ = b[here]
        out_ = out[here]
        for i in range(out_.size):
            out_[i] = (a_[i] - b_[i]) * factor


@implements(reference.squared_error_forward)
def squared_error_forward(logits, target, output, loss, scale, activation):
    activation_forward(logits, output, activation)
    _squared_error(output, target, loss, scale)


@parallel
def _squared_error(output, target, loss, scale):
    N, D = output.shape
    factor = output.dtype.type(scale / D)
    for n in prange(N):
        total = output.dtype.type(0)
        for d in range(D):
            difference = output[n, d] - target[n, d]
            total += difference * difference
        loss[n] = total * factor


@implements(reference.squared_error_backward)
def squared_error_backward(output, target, dlogits, scale, activation):
    _scaled_difference(output.reshape(-1), target.reshape(-1), dlogits.reshape(-1),
                       2 * scale / target.size)
    if activation != "linear":
        activation_backward(dlogits, output, dlogits, activation)
