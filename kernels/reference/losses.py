"""Reconstruction losses, fused with the output activation and computed from its input, the logits.

Binary cross-entropy and squared error are `scale` times the mean over the D elements of an example,
one number for each of the N examples. The training loss is their mean over the batch, so the
backward pass carries the factor scale / (D N).

Binary cross-entropy of a target t in [0, 1] and a probability p = sigmoid(l):

    -t log p - (1 - t) log(1 - p)  =  max(l, 0) - l t + log(1 + exp(-|l|))

The right-hand side never takes the logarithm of a number near zero, so it is accurate for any
logit. Its derivative is

    d/dl = sigmoid(l) - t = p - t,

the cancellation that makes sigmoid and cross-entropy belong together.
"""
import numpy as np

from ..operation import operation
from .activations import activation_backward, activation_forward


@operation("logits=ND target=ND:unit -> probability=ND loss=N", scale=(7.0,))
def binary_crossentropy_forward(logits, target, probability, loss, scale):
    """probability = sigmoid(logits); loss_n = scale * mean over d of the cross-entropy."""
    activation_forward(logits, probability, "sigmoid")
    positive = np.maximum(logits, 0)
    cross_entropy = positive - logits * target + np.log1p(np.exp(-np.abs(logits)))
    loss[...] = scale * cross_entropy.mean(axis=1)


@operation("probability=ND:unit target=ND:unit -> dlogits=ND", scale=(7.0,))
def binary_crossentropy_backward(probability, target, dlogits, scale):
    """dlogits = (probability - target) * scale / (D N): the gradient of the batch's mean loss."""
    N, D = target.shape
    dlogits[...] = (probability - target) * (scale / (D * N))


@operation("logits=ND target=ND -> output=ND loss=N", scale=(7.0,),
           activation=("sigmoid", "linear", "tanh"))
def squared_error_forward(logits, target, output, loss, scale, activation):
    """output = f(logits); loss_n = scale * mean over d of (output - target)^2."""
    activation_forward(logits, output, activation)
    loss[...] = scale * np.square(output - target).mean(axis=1)


@operation("output=ND:unit target=ND -> dlogits=ND", scale=(7.0,),
           activation=("sigmoid", "linear", "tanh"))
def squared_error_backward(output, target, dlogits, scale, activation):
    """dlogits = 2 (output - target) * scale / (D N) * f'(logits)."""
    N, D = target.shape
    dlogits[...] = (output - target) * (2 * scale / (D * N))
    activation_backward(dlogits.copy(), output, dlogits, activation)
