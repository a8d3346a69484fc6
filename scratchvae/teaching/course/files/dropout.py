"""Dropout (Srivastava et al. 2014): in training, a random part of all elements is set to 0.

Known
-----
For each element there is a number `noise`, drawn from U[0, 1), the uniform distribution. An element
is kept where noise >= rate, and dropped where noise < rate. Dropped elements become 0. Kept ones
are multiplied by one constant factor c, chosen so that the mean of y over the noise is x:

    y = c x  where noise >= rate,  else 0,          E[y] = x

At inference the layer does nothing at all: that is what the factor is for.

Sought
------
1. With which probability is an element kept? So what is E[y] in terms of c, x and rate, and what
   must c be?
2. The backward pass: for fixed noise, y is a function of x, element by element. What is dy/dx where
   the element was kept, and where it was dropped?
3. The backward pass draws no random numbers. Which ones must it use, and what would go wrong with
   new ones?
"""
import numpy as np


def dropout_forward(x, noise, y, rate):
    """Compute y: the kept elements of x, scaled, and 0 for the others.

    Inputs
    ------
    x : any shape
    noise : the shape of x
        Numbers in [0, 1).
    rate : float
        The part that is dropped, 0 <= rate < 1.

    Outputs
    -------
    y : the shape of x
    """
    raise NotImplementedError


def dropout_backward(dout, noise, dx, rate):
    """Compute dx = dL/dx.

    Inputs
    ------
    dout : any shape
        dL/dy.
    noise : the shape of dout
        The noise of the forward pass.
    rate : float

    Outputs
    -------
    dx : the shape of dout
    """
    raise NotImplementedError
