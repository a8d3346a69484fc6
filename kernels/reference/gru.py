"""Gated recurrent unit (Cho et al. 2014), in the form of Keras's reset_after=True and of cuDNN.

For N sequences of T steps of K numbers, and U units. The kernel W (K, 3U), the recurrent kernel
R (U, 3U) and the bias b (2, 3U) have a part each for the gates z and r and the candidate c. In one
step, with h' the state before it and h the state after:

    1.  a = x W + b[0]              what the input contributes
    2.  q = h' R + b[1]             what the state contributes
    3.  z = sigmoid(a_z + q_z)      update gate: how much of the state stays
    4.  r = sigmoid(a_r + q_r)      reset gate: how much of it the candidate sees
    5.  c = tanh(a_c + r q_c)       the candidate
    6.  h = z h' + (1 - z) c

Derivation: the same lines in reverse order, from the last step to the first. dh comes from the
output and from the step after:

    6.  dz = (h' - c) dh            dc = (1 - z) dh         dh' = z dh
    5.  da_c = (1 - c^2) dc         dr = q_c da_c           dq_c = r da_c
    4.  da_r = dq_r = r (1 - r) dr
    3.  da_z = dq_z = z (1 - z) dz
    2.  dh' += dq R^T               dR += h'^T dq           db[1] += sum of dq
    1.  dx = da W^T                 dW += x^T da            db[0] += sum of da

Line 1 needs no order in time: it is a dense layer on all steps at once, and the layer calls it
before and after the operations here. Where the mask is 0, a sequence skips the step: h = h', and
dh' = dh.
"""
from typing import NamedTuple

import numpy as np

from ..operation import operation
from .activations import activation_forward


class GRUScratch(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step."""
    previous: np.ndarray        # h' (N, T, U)
    gates: np.ndarray           # z and r (N, T, 2U)
    candidate: np.ndarray       # c (N, T, U)
    recurrent: np.ndarray       # q (N, T, 3U)


def gru_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units."""
    return GRUScratch(*(np.zeros((N, T, parts * U), dtype) for parts in (1, 2, 1, 3)))


@operation("a=N,T,3U recurrent_kernel=U,3U:small recurrent_bias=3U initial_state=NU mask=NT:bit "
           "-> y=NTU", go_backwards=(False, True))
def gru_forward(a, recurrent_kernel, recurrent_bias, initial_state, mask, y, go_backwards, scratch):
    """y[:, t] = the state after step t.

    go_backwards runs from the last step to the first; y[:, t] is then the state after the steps
    T - 1 to t.
    """
    N, T, U = y.shape
    h = initial_state
    for t in time_steps(T, go_backwards):
        scratch.previous[:N, t] = h
        q = h @ recurrent_kernel + recurrent_bias                                       # 2
        gates = np.ascontiguousarray(a[:, t, :2 * U] + q[:, :2 * U])
        activation_forward(gates, gates, "sigmoid")
        z = gates[:, :U]                                                                # 3
        r = gates[:, U:]                                                                # 4
        c = np.tanh(a[:, t, 2 * U:] + r * q[:, 2 * U:])                                 # 5
        h = np.where(mask[:, t, np.newaxis], z * h + (1 - z) * c, h)                    # 6
        y[:, t] = h
        scratch.recurrent[:N, t] = q
        scratch.gates[:N, t] = gates
        scratch.candidate[:N, t] = c


@operation("dout=NTU recurrent_kernel=U,3U:small mask=NT:bit "
           "-> da=N,T,3U drecurrent_kernel=U,3U drecurrent_bias=3U dinitial_state=NU",
           go_backwards=(False, True))
def gru_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, drecurrent_bias,
                 dinitial_state, go_backwards, scratch):
    """Write all gradients, after the forward pass on the same scratch."""
    N, T, U = dout.shape
    dq = np.zeros_like(da)
    da[...] = 0
    dh = np.zeros_like(dinitial_state)
    for t in reversed(time_steps(T, go_backwards)):
        before = scratch.previous[:N, t]
        c = scratch.candidate[:N, t]
        q_c = scratch.recurrent[:N, t, 2 * U:]
        z = scratch.gates[:N, t, :U]
        r = scratch.gates[:N, t, U:]
        dh = dh + dout[:, t]
        skipped = np.where(mask[:, t, np.newaxis], 0, dh)
        dh = dh - skipped
        dz = (before - c) * dh                                                          # 6
        dc = (1 - z) * dh
        dbefore = z * dh
        da[:, t, 2 * U:] = (1 - c * c) * dc                                             # 5
        dr = q_c * da[:, t, 2 * U:]
        dq[:, t, 2 * U:] = r * da[:, t, 2 * U:]
        da[:, t, U:2 * U] = r * (1 - r) * dr                                            # 4
        da[:, t, :U] = z * (1 - z) * dz                                                 # 3
        dq[:, t, :2 * U] = da[:, t, :2 * U]
        dh = dbefore + dq[:, t] @ recurrent_kernel.T + skipped                          # 2
    dinitial_state[...] = dh
    drecurrent_kernel[...] = rows(scratch.previous[:N]).T @ rows(dq)
    drecurrent_bias[...] = rows(dq).sum(axis=0)


def time_steps(T, go_backwards):
    """Return the numbers of the steps, in the order in which they are taken."""
    steps = range(T)
    return steps[::-1] if go_backwards else steps


def rows(array):
    """Return (N, T, ...) as (N T, ...): sums run over sequences and steps alike."""
    return array.reshape(-1, array.shape[-1])
