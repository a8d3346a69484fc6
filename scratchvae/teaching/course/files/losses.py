"""Reconstruction losses: how far the decoder's output is from its target.

Each loss is fused with the output activation: it takes the logits l, the numbers before the
activation. N examples of D elements each, such as the 784 pixels of an image.

Known
-----
Both losses are a mean over the D elements, times a factor `scale`: one number for each example.

    binary cross-entropy  p = sigmoid(l)
                          loss_n = scale * mean over d of (-t log p - (1 - t) log(1 - p))
    squared error         y = f(l)
                          loss_n = scale * mean over d of (y - t)^2

The target t of a cross-entropy lies in [0, 1]. The loss that training minimises is L, the mean of
loss_n over the N examples.

A question before the forward pass: for l = 200, float32 rounds p to 1. What is log(1 - p) then? So
derive a form that takes no logarithm of p.

    - Put p = 1 / (1 + exp(-l)) into -log p. And what is 1 - p, as a fraction? Put it into
      -log(1 - p). Show that -log(1 - p) = l - log p.
    - Collect: -t log p - (1 - t) log(1 - p) = -log p + (1 - t) l = log(1 + exp(-l)) + l - l t.
    - exp(-l) overflows for large negative l. Show, for both signs of l, that
      log(1 + exp(-l)) + l = max(l, 0) + log(1 + exp(-|l|)). Now no exponent is above 0.
    - log(1 + u) loses its digits for small u. NumPy has a function for it: np.log1p(u).

Sought
------
dlogits = dL/dl, for each of both losses.

1. One number l_nd reaches L through loss_n alone. Which factor do the mean over d, the mean over n,
   and scale put in front of the derivative of one element's loss?
2. Binary cross-entropy, one element: differentiate max(l, 0) - l t + log(1 + exp(-|l|)) with
   respect to l, for l > 0 and for l < 0. You know both results under another name: which function
   of l is it, besides the t? (Or: differentiate -t log p - (1 - t) log(1 - p) with respect to p,
   multiply by dp/dl in terms of p, and watch the denominators cancel.)
3. Why do all libraries fuse sigmoid and cross-entropy? Compare your result for a pixel that is
   wrong with certainty, t = 1 and p near 0, with the two factors dL/dp and dp/dl on their own.
4. Squared error, one element: what is its derivative with respect to y? Then f stands between y and
   l: the operation that goes back through f is yours already.
"""
import numpy as np

from .activations import activation_backward, activation_forward


def binary_crossentropy_forward(logits, target, probability, loss, scale):
    """Compute the probabilities, and the binary cross-entropy of each example.

    Inputs
    ------
    logits : (N, D)
    target : (N, D)
        Numbers in [0, 1].
    scale : float

    Outputs
    -------
    probability : (N, D)
        p = sigmoid(logits).
    loss : (N,)
        scale times the mean over d, accurate for logits of any size.
    """
    raise NotImplementedError


def binary_crossentropy_backward(probability, target, dlogits, scale):
    """Compute dL/dlogits, where L is the mean of the losses of the batch.

    Inputs
    ------
    probability : (N, D)
        p of the forward pass.
    target : (N, D)
    scale : float

    Outputs
    -------
    dlogits : (N, D)
    """
    raise NotImplementedError


def squared_error_forward(logits, target, output, loss, scale, activation):
    """Compute the output, and the squared error of each example.

    Inputs
    ------
    logits : (N, D)
    target : (N, D)
    scale : float
    activation : str
        The name of f: "sigmoid", "linear" or "tanh".

    Outputs
    -------
    output : (N, D)
        y = f(logits).
    loss : (N,)
        scale times the mean over d.
    """
    raise NotImplementedError


def squared_error_backward(output, target, dlogits, scale, activation):
    """Compute dL/dlogits, where L is the mean of the losses of the batch.

    Inputs
    ------
    output : (N, D)
        y of the forward pass.
    target : (N, D)
    scale : float
    activation : str

    Outputs
    -------
    dlogits : (N, D)
    """
    raise NotImplementedError
