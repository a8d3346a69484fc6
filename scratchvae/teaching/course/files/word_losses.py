"""Losses whose target is a word: the index w of one of V words. l are the logits.

Known
-----
Softmax cross-entropy, for N sentences of T words each:

    p_v    = exp(l_v) / sum over u of exp(l_u)
    loss_n = scale * mean over t of -log p_w               w: the target of step t

One-hot binary cross-entropy, for N words. Each of the V logits has a sigmoid of its own; its target
is 1 at w, and 0 for the other V - 1:

    loss_n = scale * mean over v of the binary cross-entropy of sigmoid(l_v)

The loss that training minimises is L, the mean of loss_n over the batch. (The layers change `scale`
if they want another mean.)

Before the softmax's forward pass: write -log p_w with a logarithm of the sum, `log_total`, and l_w.
exp overflows for large l. Show that, for any number c,

    log sum over v of exp(l_v)  =  c + log sum over v of exp(l_v - c).

Which c makes every exponent at most 0, and at least one exactly 0? The backward pass needs
log_total again, so it is kept.

Sought
------
1. Softmax, one step: what is the derivative of log_total with respect to l_v? You know it under
   another name. And the derivative of -l_w with respect to l_v: for v = w, and for the others?
2. So what is dL/dl_v for one step, before the factors? Compare it with the result for sigmoid and
   binary cross-entropy in losses.py.
3. p is not stored. Compute it from l and log_total, with one exp and no division.
4. Which factor do scale, the mean over t and the mean over n give?
5. One-hot binary cross-entropy: losses.py has, for one logit, max(l, 0) - l t + log(1 + exp(-|l|)).
   With a one-hot target, for how many v is the term l t not 0? So V terms without a target, and one
   number. No one-hot array is needed.
6. Its derivative, likewise: V numbers without a target, and a correction at one place.
7. dlogits may be the same array as logits: the logits may be millions of numbers. In which order
   must you read and write?
"""
import numpy as np

from .activations import activation_forward


def sparse_categorical_crossentropy_forward(logits, targets, loss, log_total, scale):
    """Compute the softmax cross-entropy of each sentence.

    Inputs
    ------
    logits : (N, T, V)
    targets : (N, T) int32
        Below V.
    scale : float

    Outputs
    -------
    loss : (N,)
        scale times the mean over t of -log p_w.
    log_total : (N, T)
        The logarithm of the sum of the exponentials, for the backward pass.
    """
    raise NotImplementedError


def sparse_categorical_crossentropy_backward(logits, targets, log_total, dlogits, scale):
    """Compute dL/dlogits, where L is the mean of the losses of the batch.

    Inputs
    ------
    logits : (N, T, V)
    targets : (N, T) int32
    log_total : (N, T)
        Written by the forward pass.
    scale : float

    Outputs
    -------
    dlogits : (N, T, V)
        It may be the same array as logits.
    """
    raise NotImplementedError


def onehot_binary_crossentropy_forward(logits, targets, loss, scale):
    """Compute the binary cross-entropy of V sigmoids with the one-hot target.

    Inputs
    ------
    logits : (N, V)
    targets : (N,) int32
        Below V.
    scale : float

    Outputs
    -------
    loss : (N,)
        scale times the mean over v, accurate for logits of any size.
    """
    raise NotImplementedError


def onehot_binary_crossentropy_backward(logits, targets, dlogits, scale):
    """Compute dL/dlogits, where L is the mean of the losses of the batch.

    Inputs
    ------
    logits : (N, V)
    targets : (N,) int32
    scale : float

    Outputs
    -------
    dlogits : (N, V)
        It may be the same array as logits.
    """
    raise NotImplementedError
