"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

N sequences of T steps of K numbers, and U units. A free exercise: no lab uses it, and it is a good
test of what you know after the GRU.

Known
-----
The kernel W (K, 4U), the recurrent kernel R (U, 4U) and the bias b (4U) have a part each for the
gates i and f, the candidate g and the gate o, in this order. In one step, with the state h' and the
cell c' before it, h and c after it:

    1.  a = x W + b                 what the input contributes
    2.  q = a + h' R                and the state
    3.  i = sigmoid(q_i)            input gate: how much of the candidate enters the cell
    4.  f = sigmoid(q_f)            forget gate: how much of the cell stays
    5.  g = tanh(q_g)               the candidate
    6.  o = sigmoid(q_o)            output gate: how much of the cell is seen
    7.  c = f c' + i g              the cell
    8.  h = o tanh(c)               the state

As in gru.py, line 1 is a dense layer on all steps at once: `a` is an input, and da is an output.
Where the mask is 0, a sequence skips the step: h = h' and c = c'. The helpers `time_steps` and
`rows` are those of gru.py.

Sought
------
dL/da, dL/dR and the gradients of the first state and the first cell, from dout = dL/dh.

1. Two arrays go from step to step, h and c. So two gradients go back from step to step. Which of
   them also gets something from dout?
2. Line 8 backward: what is do? And c reaches h through tanh: what does line 8 ADD to dc, which
   already holds the gradient from the step after? (The scratch keeps tanh(c) for this.)
3. Line 7: with the whole dc known, what are di, df, dg and dc'?
4. Lines 3 to 6: back through three sigmoids and one tanh, each in terms of its output. This gives
   the four parts of dq.
5. Line 2: what is da? What is dh'? And dR, over all steps and sequences?
6. Compare dc' with the GRU and with a plain h = tanh(x W + h' R). By what is dc multiplied from
   step to step? What happens to the gradient over 50 steps where f is near 1? This is what the
   cell is for.
7. Skipped steps: dh' = ?, dc' = ?, da = ?
"""
from typing import NamedTuple

import numpy as np

from .activations import activation_forward
from .gru import rows, time_steps


class LSTMScratch(NamedTuple):
    """What the backward pass needs of the forward pass. This class is given."""
    state: np.ndarray           # h' (N, T, U)
    cell: np.ndarray            # c' (N, T, U)
    squashed: np.ndarray        # tanh(c) (N, T, U)
    gates: np.ndarray           # i, f, g and o (N, T, 4U)


def lstm_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units. It is given."""
    return LSTMScratch(*(np.zeros((N, T, parts * U), dtype) for parts in (1, 1, 1, 4)))


def lstm_forward(a, recurrent_kernel, initial_state, initial_cell, mask, y, go_backwards, scratch):
    """Compute the states of all steps.

    Inputs
    ------
    a : (N, T, 4U)
        The parts for i, f, g and o.
    recurrent_kernel : (U, 4U)
        R.
    initial_state : (N, U)
        h' of the first step that is taken.
    initial_cell : (N, U)
        c' of that step.
    mask : (N, T) int32
        0 where a sequence skips a step, else 1.
    go_backwards : bool
        See time_steps in gru.py.

    Outputs
    -------
    y : (N, T, U)
        y[:, t] = h of step t. At a skipped step this is h'.
    scratch : LSTMScratch
        Write all four of its arrays at [:N, t], at each step: h', c', tanh(c), and the gates side
        by side. At a skipped step any finite numbers will do.
    """
    raise NotImplementedError


def lstm_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, dinitial_state,
                  dinitial_cell, go_backwards, scratch):
    """Compute all gradients of lstm_forward, with the same scratch.

    Inputs
    ------
    dout : (N, T, U)
        dL/dy, for each step.
    recurrent_kernel : (U, 4U)
    mask : (N, T) int32
    go_backwards : bool
        As in the forward pass; the backward pass takes the steps in the reverse of its order.
    scratch : LSTMScratch
        Holds what the forward pass wrote.

    Outputs
    -------
    da : (N, T, 4U)
        0 at skipped steps.
    drecurrent_kernel : (U, 4U)
        dR.
    dinitial_state : (N, U)
    dinitial_cell : (N, U)
    """
    raise NotImplementedError
