"""Gated recurrent unit (Cho et al. 2014), in the form of Keras's reset_after=True, which is cuDNN's too.

For N sequences of T steps of K numbers, and U units.  The kernel W (K, 3U), the recurrent kernel R (U, 3U) and the bias b (2, 3U) have
a part each for the gates z and r and the candidate c.  A step, with h' the state before it and h the state after:

    1.  a = x W + b[0]              what the input says
    2.  q = h' R + b[1]             what the state says
    3.  z = sigmoid(a_z + q_z)      how much of the state stays
    4.  r = sigmoid(a_r + q_r)      how much of it the candidate sees
    5.  c = tanh(a_c + r q_c)       the candidate
    6.  h = z h' + (1 - z) c

Derivation: the same lines undone, the last first, from the last step to the first.  dh comes from the output and from the step after:

    6.  dz = (h' - c) dh            dc = (1 - z) dh         dh' = z dh
    5.  da_c = (1 - c^2) dc         dr = q_c da_c           dq_c = r da_c
    4.  da_r = dq_r = r (1 - r) dr
    3.  da_z = dq_z = z (1 - z) dz
    2.  dh' += dq R^T               dR += h'^T dq           db[1] += sum of dq
    1.  dx = da W^T                 dW += x^T da            db[0] += sum of da

Where the mask is 0, a sequence skips the step: h = h', and dh' = dh.
"""
from typing import NamedTuple

import numpy as np

from ..contract import check_gru, operation
from .activations import activation_forward


class GRUScratch(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step."""
    previous: np.ndarray        # h' (N, T, U)
    gates: np.ndarray           # z and r (N, T, 2U)
    candidate: np.ndarray       # c (N, T, U)
    recurrent: np.ndarray       # q (N, T, 3U)


def gru_scratch(batch, steps, inputs, units, dtype):
    """Work space for that many sequences, steps, inputs and units."""
    return GRUScratch(*(np.zeros((batch, steps, parts * units), dtype) for parts in (1, 2, 1, 3)))


@operation
def gru_forward(x, kernel, recurrent_kernel, bias, initial_state, mask, y, go_backwards, scratch):
    """y[:, t] = the state after step t.  x (N, T, K), initial_state (N, U), mask (N, T) of 0 and 1, y (N, T, U).

    go_backwards: from the last step to the first; y[:, t] is then the state after the steps T - 1 to t.
    """
    check_gru(recurrent_kernel, len(bias))
    U, h = initial_state.shape[1], initial_state
    a = x @ kernel + bias[0]                                                            # 1
    for t in time_steps(x, go_backwards):
        scratch.previous[:, t] = h
        q = scratch.recurrent[:, t] = h @ recurrent_kernel + bias[1]                    # 2
        gates, c = np.empty_like(q[:, :2 * U]), np.empty_like(h)
        activation_forward(np.ascontiguousarray(a[:, t, :2 * U] + q[:, :2 * U]), gates, "sigmoid")
        z, r = gates[:, :U], gates[:, U:]                                               # 3, 4
        np.tanh(a[:, t, 2 * U:] + r * q[:, 2 * U:], out=c)                              # 5
        scratch.gates[:, t], scratch.candidate[:, t] = gates, c
        h = np.where(mask[:, t, np.newaxis], z * h + (1 - z) * c, h)                    # 6
        y[:, t] = h


@operation
def gru_backward(dout, x, kernel, recurrent_kernel, mask, dx, dkernel, drecurrent_kernel, dbias, dinitial_state, go_backwards, scratch):
    """All gradients from dout (N, T, U), after the forward pass on the same scratch.  dx may be None."""
    check_gru(recurrent_kernel, len(dbias))
    U = dout.shape[2]
    da, dq = np.zeros_like(scratch.recurrent), np.zeros_like(scratch.recurrent)
    dh = np.zeros_like(dinitial_state)
    for t in reversed(time_steps(x, go_backwards)):
        h, c, q_c = scratch.previous[:, t], scratch.candidate[:, t], scratch.recurrent[:, t, 2 * U:]
        z, r = scratch.gates[:, t, :U], scratch.gates[:, t, U:]
        dh = dh + dout[:, t]
        skipped = np.where(mask[:, t, np.newaxis], 0, dh)
        dh = dh - skipped
        dz, dc = (h - c) * dh, (1 - z) * dh                                             # 6
        dh = z * dh
        da[:, t, 2 * U:] = (1 - c * c) * dc                                             # 5
        dr = q_c * da[:, t, 2 * U:]
        dq[:, t, 2 * U:] = r * da[:, t, 2 * U:]
        da[:, t, U:2 * U] = dq[:, t, U:2 * U] = r * (1 - r) * dr                        # 4
        da[:, t, :U] = dq[:, t, :U] = z * (1 - z) * dz                                  # 3
        dh = dh + dq[:, t] @ recurrent_kernel.T + skipped                               # 2
    dinitial_state[...] = dh
    drecurrent_kernel[...] = rows(scratch.previous).T @ rows(dq)
    dkernel[...] = rows(x).T @ rows(da)                                                 # 1
    dbias[0], dbias[1] = rows(da).sum(axis=0), rows(dq).sum(axis=0)
    if dx is not None:
        dx[...] = da @ kernel.T


def time_steps(x, go_backwards):
    """The numbers of the steps, in the order in which they are taken."""
    steps = range(x.shape[1])
    return steps[::-1] if go_backwards else steps


def rows(array):
    """(N, T, ...) as (N T, ...): sequences and steps alike are summed over."""
    return array.reshape(-1, array.shape[-1])
