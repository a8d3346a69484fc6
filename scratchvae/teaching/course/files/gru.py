"""Gated recurrent unit (Cho et al. 2014), in the form of Keras's reset_after=True and of cuDNN.

N sequences of T steps of K numbers, and U units.

Known
-----
The kernel W (K, 3U), the recurrent kernel R (U, 3U) and the bias b (2, 3U) have a part each, in
this order, for the gates z and r and for the candidate c. a_z, a_r, a_c are the three parts of a,
each with U columns, and so for q. In one step, with h' the state before it and h the state after:

    1.  a = x W + b[0]              what the input contributes
    2.  q = h' R + b[1]             what the state contributes
    3.  z = sigmoid(a_z + q_z)      update gate: how much of the state stays
    4.  r = sigmoid(a_r + q_r)      reset gate: how much of it the candidate sees
    5.  c = tanh(a_c + r q_c)       the candidate
    6.  h = z h' + (1 - z) c        the state

Line 1 needs no order in time: it is a dense layer on all steps at once, and the library calls
yours. So `a` is an input here, and its gradient da is an output.

A mask tells which steps count. Where it is 0, a sequence skips the step: h = h'.

The forward pass stores h', z, r, c and q of each step in the scratch, since the backward pass needs
them. The scratch may have been made for more than N sequences, so use its first N: for example
scratch.previous[:N, t].

Operations such as activation_forward take contiguous arrays. A slice of columns is none; copy it
with np.ascontiguousarray first. (It returns the same array if that is contiguous already: an
operation that writes into it then overwrites the original. Use .copy() to keep that.)

Sought
------
dL/da, dL/dR, dL/db[1] and the gradient of the first state, from dout = dL/dh for each step.

1. h of step t reaches the loss in two ways: as the output of step t, and through step t + 1, whose
   h' it is. So the loop goes through the steps in reverse and carries one array, dh. What is dh at
   the last step, before dout is added? What is added at each step?
2. Line 6 backward, for one step: h depends on z, c and h'. What are dz, dc, and the part of dh'
   that goes this direct way? Everything is element by element.
3. Line 5: first back through tanh, in terms of c (as in activations.py): this is the gradient of
   a_c. The same sum contains r q_c: what are dr and dq_c?
4. Lines 4 and 3: back through the sigmoids, in terms of r and z. The sums a_r + q_r and a_z + q_z
   have two terms each: what follows for da_r and dq_r?
5. Line 2 is a dense layer with the input h'. You have dq, all three parts of it. What does it add
   to dh'? Then dh' is the dh of the step before.
6. dR and db[1] collect from all steps and all sequences. As in the dense layer: which product is
   dR, with which two arrays? If dq is kept for all steps (N, T, 3U), one product at the end does it
   all: that is what the helper `rows` is for.
7. Where da and dq differ: in which of the three parts, and why?
8. A skipped step, where the mask is 0: h = h'. So what is dh'? And what are da and dq, if a and q
   had no influence on h? Some sequences of a batch skip a step, others take it: treat both at once
   (np.where).
9. What is dh after the whole loop?
"""
from typing import NamedTuple

import numpy as np

from .activations import activation_forward


class GRUScratch(NamedTuple):
    """What the backward pass needs of the forward pass. This class is given."""
    previous: np.ndarray        # h' (N, T, U)
    gates: np.ndarray           # z and r (N, T, 2U)
    candidate: np.ndarray       # c (N, T, U)
    recurrent: np.ndarray       # q (N, T, 3U)


def gru_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units. It is given."""
    return GRUScratch(*(np.zeros((N, T, parts * U), dtype) for parts in (1, 2, 1, 3)))


def time_steps(T, go_backwards):
    """Return the numbers of the steps, in the order in which they are taken. It is given."""
    steps = range(T)
    return steps[::-1] if go_backwards else steps


def rows(array):
    """Return (N, T, ...) as (N T, ...): sums run over sequences and steps alike. It is given."""
    return array.reshape(-1, array.shape[-1])


def gru_forward(a, recurrent_kernel, recurrent_bias, initial_state, mask, y, go_backwards, scratch):
    """Compute the states of all steps.

    Inputs
    ------
    a : (N, T, 3U)
        The parts for z, r and c.
    recurrent_kernel : (U, 3U)
        R.
    recurrent_bias : (3U,)
        b[1].
    initial_state : (N, U)
        h' of the first step that is taken.
    mask : (N, T) int32
        0 where a sequence skips a step, else 1.
    go_backwards : bool
        Whether to start with the last step and go to the first: `for t in time_steps(T,
        go_backwards)` does that.

    Outputs
    -------
    y : (N, T, U)
        y[:, t] = h of step t. At a skipped step this is h'.
    scratch : GRUScratch
        Write all four of its arrays at [:N, t], at each step: h', z and r side by side, c, and q.
        At a skipped step any finite numbers will do.
    """
    raise NotImplementedError


def gru_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, drecurrent_bias,
                 dinitial_state, go_backwards, scratch):
    """Compute all gradients of gru_forward, with the same scratch.

    Inputs
    ------
    dout : (N, T, U)
        dL/dy, for each step.
    recurrent_kernel : (U, 3U)
    mask : (N, T) int32
    go_backwards : bool
        As in the forward pass; the backward pass takes the steps in the reverse of its order.
    scratch : GRUScratch
        Holds what the forward pass wrote.

    Outputs
    -------
    da : (N, T, 3U)
        0 at skipped steps.
    drecurrent_kernel : (U, 3U)
        dR.
    drecurrent_bias : (3U,)
        dL/db[1].
    dinitial_state : (N, U)
    """
    raise NotImplementedError
