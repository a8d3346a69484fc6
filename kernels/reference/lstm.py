"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

For N sequences of T steps of K numbers, and U units. The kernel W (K, 4U), the recurrent kernel
R (U, 4U) and the bias b (4U) have a part each for the gates i and f, the candidate g and the gate
o, in Keras's order. In one step, with state h' and cell c' before it, h and c after it:

    1.  a = x W + b                 what the input contributes
    2.  q = a + h' R                and the state
    3.  i = sigmoid(q_i)            input gate: how much of the candidate enters the cell
    4.  f = sigmoid(q_f)            forget gate: how much of the cell stays
    5.  g = tanh(q_g)               the candidate
    6.  o = sigmoid(q_o)            output gate: how much of the cell is seen
    7.  c = f c' + i g              the cell
    8.  h = o tanh(c)               the state

Derivation: the same lines in reverse order, from the last step to the first. dh comes from the
output and from the step after, dc from the step after:

    8.  do = tanh(c) dh             dc += o (1 - tanh(c)^2) dh
    7.  di = g dc                   df = c' dc              dg = i dc       dc' = f dc
    6.  dq_o = o (1 - o) do
    5.  dq_g = (1 - g^2) dg
    4.  dq_f = f (1 - f) df
    3.  dq_i = i (1 - i) di
    2.  da = dq                     dh' = dq R^T            dR += h'^T dq
    1.  dx = da W^T                 dW += x^T da            db += sum of da

From step to step dc is multiplied by f alone: where f is near 1, the gradient lasts for many steps.

As in gru.py, line 1 is a dense layer on all steps at once, outside of the operations here. Where
the mask is 0, a sequence skips the step: h = h' and c = c', dh' = dh and dc' = dc.
"""
from typing import NamedTuple

import numpy as np

from ..operation import operation
from .activations import activation_forward
from .gru import rows, time_steps


class LSTMScratch(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step."""
    state: np.ndarray           # h' (N, T, U)
    cell: np.ndarray            # c' (N, T, U)
    squashed: np.ndarray        # tanh(c) (N, T, U)
    gates: np.ndarray           # i, f, g and o (N, T, 4U)


def lstm_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units."""
    return LSTMScratch(*(np.zeros((N, T, parts * U), dtype) for parts in (1, 1, 1, 4)))


@operation("a=N,T,4U recurrent_kernel=U,4U:small initial_state=NU initial_cell=NU mask=NT:bit "
           "-> y=NTU", go_backwards=(False, True))
def lstm_forward(a, recurrent_kernel, initial_state, initial_cell, mask, y, go_backwards, scratch):
    """y[:, t] = the state after step t.

    go_backwards runs from the last step to the first; y[:, t] is then the state after the steps
    T - 1 to t.
    """
    N, T, U = y.shape
    h = initial_state
    c = initial_cell
    for t in time_steps(T, go_backwards):
        scratch.state[:N, t] = h
        scratch.cell[:N, t] = c
        q = a[:, t] + h @ recurrent_kernel                                              # 2
        gates = np.empty_like(q)
        activation_forward(q, gates, "sigmoid")                                         # 3, 4, 6
        gates[:, 2 * U:3 * U] = np.tanh(q[:, 2 * U:3 * U])                              # 5
        i, f, g, o = np.split(gates, 4, axis=1)
        counts = mask[:, t, np.newaxis] != 0
        c = np.where(counts, f * c + i * g, c)                                          # 7
        squashed = np.tanh(c)
        h = np.where(counts, o * squashed, h)                                           # 8
        y[:, t] = h
        scratch.gates[:N, t] = gates
        scratch.squashed[:N, t] = squashed


@operation("dout=NTU recurrent_kernel=U,4U:small mask=NT:bit "
           "-> da=N,T,4U drecurrent_kernel=U,4U dinitial_state=NU dinitial_cell=NU",
           go_backwards=(False, True))
def lstm_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, dinitial_state,
                  dinitial_cell, go_backwards, scratch):
    """Write all gradients, after the forward pass on the same scratch."""
    N, T, _ = dout.shape
    dh = np.zeros_like(dinitial_state)
    dc = np.zeros_like(dinitial_cell)
    for t in reversed(time_steps(T, go_backwards)):
        i, f, g, o = np.split(scratch.gates[:N, t], 4, axis=1)
        squashed = scratch.squashed[:N, t]
        counts = mask[:, t, np.newaxis] != 0
        dh = dh + dout[:, t]
        dh_skipped = np.where(counts, 0, dh)
        dc_skipped = np.where(counts, 0, dc)
        dh = dh - dh_skipped
        dc = dc - dc_skipped
        do = squashed * dh                                                              # 8
        dc = dc + o * (1 - squashed * squashed) * dh
        di = g * dc                                                                     # 7
        df = scratch.cell[:N, t] * dc
        dg = i * dc
        parts = (i * (1 - i) * di, f * (1 - f) * df, (1 - g * g) * dg, o * (1 - o) * do)
        da[:, t] = np.concatenate(parts, axis=1)                                        # 3 to 6
        dc = f * dc + dc_skipped                                                        # 7
        dh = da[:, t] @ recurrent_kernel.T + dh_skipped                                 # 2
    dinitial_state[...] = dh
    dinitial_cell[...] = dc
    drecurrent_kernel[...] = rows(scratch.state[:N]).T @ rows(da)
