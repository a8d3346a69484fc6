"""Losses whose target is a word, its index among V, fused with the output activation and computed from its input, the logits l.

Softmax cross-entropy of word w, the negative logarithm of its probability p_w = exp(l_w) / sum_v exp(l_v):

    -log p_w = log_total - l_w,  log_total = log sum_v exp(l_v) = m + log sum_v exp(l_v - m),  m = max l

so no exponent is above 0.  Its derivative is d/dl_v = p_v - [v = w], and p_v = exp(l_v - log_total).

Binary cross-entropy of all V sigmoids with the one-hot target, as in reference/losses.py with a target of 1 at w and else 0:

    sum_v (max(l_v, 0) + log(1 + exp(-|l_v|))) - l_w,       d/dl_v = sigmoid(l_v) - [v = w]
"""
import numpy as np

from ..contract import check_indices, operation
from .activations import activation_forward


@operation
def sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, scale):
    """loss_n = scale * mean over t of -log p(targets[n, t]).

    logits (N, T, V), targets (N, T) int32, loss (N,); log_total (N, T) is for the backward pass.
    """
    check_indices("sparse_categorical_crossentropy", targets, logits.shape[2])
    largest = logits.max(axis=2)
    log_total[...] = largest + np.log(np.exp(logits - largest[..., np.newaxis]).sum(axis=2))
    cost = log_total - np.take_along_axis(logits, targets[..., np.newaxis], axis=2)[..., 0]
    loss[...] = scale * cost.mean(axis=1)


@operation
def sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits, scale):
    """dlogits = (p - one-hot target) * scale / (N T): the gradient of the batch's mean loss.  It may be logits itself."""
    p = np.exp(logits - log_total[..., np.newaxis])
    p -= np.arange(logits.shape[2]) == targets[..., np.newaxis]
    dlogits[...] = p * (scale / targets.size)


@operation
def onehot_binary_crossentropy_forward(logits, targets, loss, scale):
    """loss_n = scale * mean over v of the binary cross-entropy with the one-hot target.  logits (N, V), targets and loss (N,)."""
    N, V = logits.shape
    check_indices("onehot_binary_crossentropy", targets, V)
    cross_entropy = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    loss[...] = scale / V * (cross_entropy.sum(axis=1) - logits[np.arange(N), targets])


@operation
def onehot_binary_crossentropy_backward(logits, targets, dlogits, scale):
    """dlogits = (sigmoid(logits) - one-hot target) * scale / (N V).  It may be logits itself."""
    N, V = logits.shape
    activation_forward(logits, dlogits, "sigmoid")
    dlogits[np.arange(N), targets] -= 1
    dlogits *= scale / (N * V)
