"""Activations: y = f(x), element by element, except softmax, which works along the last axis.

Known
-----
    linear      y = x
    relu        y = max(x, 0)
    leaky_relu  y = x where x > 0, else a x            the slope a is a small number above 0
    sigmoid     y = 1 / (1 + exp(-x))
    tanh        y = tanh(x)
    softmax     y_i = exp(x_i) / sum over j of exp(x_j)

`parse_activation` is given. It takes the name that a user writes to a pair (name, slope a):

    parse_activation("tanh")             returns  ("tanh", 0.0)
    parse_activation("leaky_relu(0.3)")  returns  ("leaky_relu", 0.3)
    parse_activation("leaky_relu")       returns  ("leaky_relu", 0.2)
    parse_activation("relu")             returns  ("relu", 0.0)       the slope a of relu is 0

A question before the forward pass: float32 ends at about 3e38, and exp(89) is beyond it. What does
1 / (1 + exp(-x)) compute on the way for x = -100? Multiply its numerator and denominator by exp(x):
for which x is this form safe? Only exp of numbers up to 0 is harmless, so use one form for each
sign. For softmax: what happens to y if the same number c is subtracted from all x_i of a row? Which
c makes every exponent at most 0?

Sought
------
dx, from dout = dL/dy and the output y alone. A backward pass that needs only y lets a layer forget
its x, and its z, so each derivative must be written in terms of y.

1. linear, relu, leaky_relu: what is dy/dx on either side of 0? Can you tell from y on which side x
   was?
2. An element-by-element function: y_i depends on x_i alone. How many terms does the sum of the
   chain rule have? So what is dx_i, for any f, in terms of dout_i and f'(x_i)?
3. sigmoid: differentiate 1 / (1 + exp(-x)). Then replace exp(-x) by what it is in terms of y, and
   simplify: only y is left. What is the largest value that this derivative ever has? (That is why
   deep networks of sigmoids learn slowly.)
4. tanh: differentiate sinh(x) / cosh(x) and express the result in y.
5. softmax: here y_i depends on all x_j of its row. Write S for the sum of the exponentials.
   - What is dy_i/dx_j for i different from j? And for i = j? Write both with y_i and y_j only.
   - Put them into the chain rule: dx_j = sum over i of dout_i dy_i/dx_j. Split the sum into the
     term with i = j and a sum over all i.
   - One factor depends on j alone and can be taken out. The sum that remains is the same for all j
     of the row: it is one number for each row. Which one?
   - No matrix of all dy_i/dx_j is needed. Check: if all dout_i of a row are equal, dx must be 0,
     since the y_i always add up to 1. Is yours?
"""
import numpy as np
from scratchvae.kernels.activation_names import parse_activation


def activation_forward(x, y, activation):
    """Compute y = f(x).

    Inputs
    ------
    x : any shape
    activation : str
        "linear", "relu", "leaky_relu", "leaky_relu(0.3)", "sigmoid", "tanh" or "softmax".

    Outputs
    -------
    y : the shape of x
        It may be the same array as x: compute what you need of x before you overwrite it.
    """
    raise NotImplementedError


def activation_backward(dout, y, dx, activation):
    """Compute dx = dL/dx.

    Inputs
    ------
    dout : any shape
        dL/dy.
    y : the shape of dout
        The output of the forward pass.
    activation : str
        As in activation_forward.

    Outputs
    -------
    dx : the shape of dout
        With "linear" it may be the same array as dout and y.
    """
    raise NotImplementedError
