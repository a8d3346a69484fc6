"""Operations on sequences, between the layers that have parameters. N sequences of T steps.

Known
-----
    repeat        y[n, t] = x[n] for each of T steps
    concatenate   y[n] = (a[n], b[n]), joined along the last axis
    last          y[n] = x[n, t], for one step t
    scatter       y[i_m] = x[m] for each m, all other rows of y are 0
    sum_steps     y[n] = sum over t of x[n, t]
    mask_steps    y[n, t] = x[n, t] where the mask is 1, and 0 where it is 0
    padding_mask  mask[n, t] = 0 where the word is 0, which is padding, and 1 elsewhere
    words_before  the words, moved by one step: see its docstring

Sought
------
These are all linear, and a linear operation has a backward pass that you can see: which numbers did
each x reach, and with which factor?

1. repeat: in how many y does x[n, k] occur? So which sum is dx? Compare it with the bias of a dense
   layer. What does copying become in the backward pass?
2. sum_steps is the opposite. What does adding become in the backward pass? So which operation above
   is the backward pass of sum_steps?
3. concatenate: each number goes to one place. How does it come back?
4. last: what is the gradient of the steps that were not chosen? Who writes it?
5. scatter puts rows at places. Its backward pass takes rows from places (gather), and the other way
   round. The library uses scatter forward to put the words' losses at their steps, and backward to
   put gradients back. Why is that correct only if no index occurs twice?
6. mask_steps: what is its backward pass? (Multiply dout by what?)
"""
import numpy as np


def repeat_forward(x, y):
    """Compute y[n, t] = x[n].

    Inputs
    ------
    x : (N, K)

    Outputs
    -------
    y : (N, T, K)
    """
    raise NotImplementedError


def repeat_backward(dout, dx):
    """Compute dx = dL/dx.

    Inputs
    ------
    dout : (N, T, K)
        dL/dy.

    Outputs
    -------
    dx : (N, K)
    """
    raise NotImplementedError


def concatenate_forward(a, b, y):
    """Compute y[n] = (a[n], b[n]).

    Inputs
    ------
    a : (N, K)
    b : (N, L)

    Outputs
    -------
    y : (N, K + L)
    """
    raise NotImplementedError


def concatenate_backward(dout, da, db):
    """Compute da = dL/da and db = dL/db.

    Inputs
    ------
    dout : (N, K + L)
        dL/dy.

    Outputs
    -------
    da : (N, K)
    db : (N, L)
    """
    raise NotImplementedError


def last_forward(x, y, t):
    """Compute y[n] = x[n, t].

    Inputs
    ------
    x : (N, T, K)
    t : int
        Which step.

    Outputs
    -------
    y : (N, K)
    """
    raise NotImplementedError


def last_backward(dout, dx, t):
    """Compute dx = dL/dx, for all steps.

    Inputs
    ------
    dout : (N, K)
        dL/dy.
    t : int
        The step of the forward pass.

    Outputs
    -------
    dx : (N, T, K)
    """
    raise NotImplementedError


def scatter(x, indices, y):
    """Put the rows of x at the places that the indices name; all other rows of y become 0.

    Inputs
    ------
    x : (N, E)
    indices : (N,) int32
        Below K. No index occurs twice.

    Outputs
    -------
    y : (K, E)
    """
    raise NotImplementedError


def sum_steps(x, y):
    """Compute y[n] = the sum over the steps of x.

    Inputs
    ------
    x : (N, T, K)

    Outputs
    -------
    y : (N, K)
    """
    raise NotImplementedError


def mask_steps(x, mask, y):
    """Compute y = x where the mask is 1, and 0 elsewhere.

    Inputs
    ------
    x : (N, T, K)
    mask : (N, T) int32
        0 or 1.

    Outputs
    -------
    y : (N, T, K)
        It may be the same array as x.
    """
    raise NotImplementedError


def padding_mask(indices, mask):
    """Compute the mask of words that are not padding.

    Inputs
    ------
    indices : (N, T) int32
        Words; 0 is padding.

    Outputs
    -------
    mask : (N, T) int32
        0 or 1.
    """
    raise NotImplementedError


def words_before(indices, noise, before, first, unknown, rate):
    """Write the inputs of a decoder, which reads the words that it has written so far.

    Step 0 reads `first`. Step t reads the word of step t - 1. Word dropout (Bowman et al. 2016): at
    the steps t >= 1 where noise[n, t] < rate, it reads `unknown` instead. So the decoder cannot
    rely on the words alone and must use the latent code. Step 0 is never replaced.

    Inputs
    ------
    indices : (N, T) int32
    noise : (N, T)
        Numbers in [0, 1).
    first, unknown : int
        Words.
    rate : float

    Outputs
    -------
    before : (N, T) int32
    """
    raise NotImplementedError
