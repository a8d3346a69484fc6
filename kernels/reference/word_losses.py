"""Losses whose target is a word, its index among V, computed from the logits l.

Softmax cross-entropy of word w is the negative logarithm of its probability
p_w = exp(l_w) / sum_v exp(l_v):

    -log p_w = log_total - l_w,  log_total = log sum_v exp(l_v) = m + log sum_v exp(l_v - m)

with m = max l, so no exponent is above 0. Its derivative is

    d/dl_v = p_v - [v = w],      p_v = exp(l_v - log_total).

Binary cross-entropy of all V sigmoids with the one-hot target is that of losses.py with a target of
1 at w and 0 elsewhere:

    sum_v (max(l_v, 0) + log(1 + exp(-|l_v|))) - l_w,       d/dl_v = sigmoid(l_v) - [v = w]
"""
import numpy as np

from ..operation import operation
from .activations import activation_forward


@operation("logits=NTV targets=NT:index<V -> loss=N log_total=NT", scale=(7.0,))
def sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, scale):
    """loss_n = scale * mean over t of -log p(targets[n, t]).

    log_total is kept for the backward pass.
    """
    largest = logits.max(axis=2)
    exponentials = np.exp(logits - largest[..., np.newaxis])
    log_total[...] = largest + np.log(exponentials.sum(axis=2))
    chosen = np.take_along_axis(logits, targets[..., np.newaxis], axis=2)[..., 0]
    loss[...] = scale * (log_total - chosen).mean(axis=1)


@operation("logits=NTV targets=NT:index<V log_total=NT -> dlogits=NTV", scale=(7.0,))
def sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits, scale):
    """dlogits = (p - one-hot target) * scale / (N T): the gradient of the batch's mean loss.

    dlogits may be logits itself.
    """
    p = np.exp(logits - log_total[..., np.newaxis])
    p -= np.arange(logits.shape[2]) == targets[..., np.newaxis]
    dlogits[...] = p * (scale / targets.size)


@operation("logits=NV targets=N:index<V -> loss=N", scale=(7.0,))
def onehot_binary_crossentropy_forward(logits, targets, loss, scale):
    """loss_n = scale * mean over v of the binary cross-entropy with the one-hot target."""
    N, V = logits.shape
    cross_entropy = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    loss[...] = scale / V * (cross_entropy.sum(axis=1) - logits[np.arange(N), targets])


@operation("logits=NV targets=N:index<V -> dlogits=NV", scale=(7.0,))
def onehot_binary_crossentropy_backward(logits, targets, dlogits, scale):
    """dlogits = (sigmoid(logits) - one-hot target) * scale / (N V). It may be logits itself."""
    N, V = logits.shape
    activation_forward(logits, dlogits, "sigmoid")
    dlogits[np.arange(N), targets] -= 1
    dlogits *= scale / (N * V)
