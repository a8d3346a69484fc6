"""Gated recurrent unit in Numba.  The equations and their numbers stand in reference/gru.py.

Products with x and sums over all steps are those of a dense layer on N T rows.  What remains is the loop over time, and sequences don't
meet in it: a thread takes a block of them through all steps, without waiting for the others, its product h' R by the microkernel.
"""
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, prange

from ..errors import ScratchVAEError
from ..operation import implements
from ..reference import gru as reference
from .dense import DenseScratch, dense_backward, dense_scratch
from .elementary import exp, tanh
from .jit import inner, parallel
from .microkernel import COLUMNS, ROWS
from .product import multiply_rows, pack_panel, transpose_panel


class GRUScratch(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step, and tables."""
    sizes: tuple                # N, T, U
    recurrent: np.ndarray       # q (N, T, 3U)
    drecurrent: np.ndarray      # dq (N, T, 3U)
    previous: np.ndarray        # h' (N, T, U)
    gates: np.ndarray           # z and r (N, T, 2U)
    candidate: np.ndarray       # c (N, T, U)
    sum_rows: np.ndarray        # n T 3U: where sequence n starts in q and dq
    state_rows: np.ndarray      # n T U: in h'
    carry_rows: np.ndarray      # n U: in the gradient of a state
    counting: np.ndarray        # 0, 1, 2, ...
    panels: np.ndarray          # R, a panel of columns after the other
    transposed: np.ndarray      # R^T likewise
    state: DenseScratch         # of the sum over all steps of h'^T dq


def gru_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units."""
    def array(parts):
        return np.zeros((N, T, parts * U), dtype)
    counting = np.arange(max(N, 3 * U), dtype=np.int32)
    return GRUScratch(
        (N, T, U), array(3), array(3), array(1), array(2), array(1),
        sum_rows=counting[:N] * (T * 3 * U),
        state_rows=counting[:N] * (T * U),
        carry_rows=counting[:N] * U,
        counting=counting,
        panels=np.zeros((panel_count(3 * U), U * COLUMNS), dtype),
        transposed=np.zeros((panel_count(U), 3 * U * COLUMNS), dtype),
        state=dense_scratch(N * T, U, 3 * U, dtype))


def panel_count(columns):
    """How many panels cover so many columns."""
    return -(-columns // COLUMNS)


def check_scratch(scratch, states):
    """Refuse work space made for other sizes: its tables would lead out of the arrays."""
    N, *sizes = scratch.sizes
    if sizes != list(states.shape[1:]) or len(states) > N:
        raise ScratchVAEError(f"gru: the scratch was made for up to {N} sequences of T, U = "
                              f"{tuple(sizes)}, got states of shape {states.shape}")


@implements(reference.gru_forward)
def gru_forward(a, recurrent_kernel, recurrent_bias, initial_state, mask, y, go_backwards, scratch):
    s = scratch
    check_scratch(s, y)
    N = len(y)
    s.previous[:N, -1 if go_backwards else 0] = initial_state
    _forward_steps(block_rows(N), recurrent_kernel, recurrent_bias, mask, go_backwards, y, a,
                   s.recurrent, s.previous, s.gates, s.candidate, s.sum_rows[:N],
                   s.state_rows[:N], s.counting, s.panels)


@implements(reference.gru_backward)
def gru_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, drecurrent_bias,
                 dinitial_state, go_backwards, scratch):
    s = scratch
    check_scratch(s, dout)
    N = len(dout)
    _backward_steps(block_rows(N), dout, recurrent_kernel, mask, go_backwards, dinitial_state, da,
                    s.drecurrent, s.recurrent, s.previous, s.gates, s.candidate, s.sum_rows[:N],
                    s.carry_rows[:N], s.counting, s.transposed)
    dq = rows(s.drecurrent[:N])
    dense_backward(dq, rows(s.previous[:N]), dq, recurrent_kernel, dq, None, drecurrent_kernel,
                   drecurrent_bias, "linear", s.state)


def block_rows(sequences):
    """How many sequences a thread takes: a multiple of ROWS.  They don't meet, so no bit depends on how they are shared out."""
    return -(-sequences // (get_num_threads() * ROWS)) * ROWS


def rows(array):
    """(N, T, ...) as (N T, ...)."""
    return array.reshape(-1, array.shape[-1])


@parallel
def _forward_steps(block_rows, recurrent_kernel, bias, mask, go_backwards, y, a, recurrent, previous, gates, candidate, sum_rows,
                   state_rows, counting, panels):
    N = y.shape[0]
    for panel in prange(panels.shape[0]):
        pack_panel(recurrent_kernel, panel * COLUMNS, panels[panel])
    for block in prange((N + block_rows - 1) // block_rows):
        forward_block(block * block_rows, min(N, (block + 1) * block_rows), bias, mask, go_backwards, y, a, recurrent, previous, gates,
                      candidate, sum_rows, state_rows, counting, panels)


@parallel
def _backward_steps(block_rows, dout, recurrent_kernel, mask, go_backwards, dstate, da, dq, recurrent, previous, gates, candidate,
                    sum_rows, carry_rows, counting, transposed):
    N, U = dstate.shape
    for panel in prange(transposed.shape[0]):
        transpose_panel(recurrent_kernel, panel * COLUMNS, min(COLUMNS, U - panel * COLUMNS), transposed[panel])
    for block in prange((N + block_rows - 1) // block_rows):
        backward_block(block * block_rows, min(N, (block + 1) * block_rows), dout, mask, go_backwards, dstate, da, dq, recurrent,
                       previous, gates, candidate, sum_rows, carry_rows, counting, transposed)


@inner
def forward_block(first, last, bias, mask, go_backwards, y, a, recurrent, previous, gates, candidate, sum_rows, state_rows, counting,
                  panels):
    """All steps, for the sequences from first to last - 1."""
    T, U = y.shape[1:]
    for i in range(T):
        t = T - 1 - i if go_backwards else i
        following = t - 1 if go_backwards else t + 1
        h, q = previous.reshape(-1)[t * U:], recurrent.reshape(-1)[t * 3 * U:]
        for column in range(0, 3 * U, COLUMNS):
            multiply_rows(h, state_rows, first, last, counting[:U], counting[:U], panels[column // COLUMNS], 0, COLUMNS, q, sum_rows,
                          column, min(COLUMNS, 3 * U - column), bias, 1.0, False)                               # 2
        for n in range(first, last):
            if mask[n, t]:
                take_step(a[n, t], recurrent[n, t], previous[n, t], gates[n, t], candidate[n, t], y[n, t])
            else:
                copy(previous[n, t], y[n, t])
            if i + 1 < T:
                copy(y[n, t], previous[n, following])


@inner
def take_step(a, q, before, gates, c, h):
    """h, and what led to it, from a, q and the state before."""
    U, one = h.size, h.dtype.type(1)
    for u in range(2 * U):
        gates[u] = one / (one + exp(-(a[u] + q[u])))                                                            # 3, 4
    z, r, a_c, q_c = gates[:U], gates[U:], a[2 * U:], q[2 * U:]
    for u in range(U):
        c[u] = tanh(a_c[u] + r[u] * q_c[u])                                                                     # 5
    for u in range(U):
        h[u] = z[u] * before[u] + (one - z[u]) * c[u]                                                           # 6


@inner
def backward_block(first, last, dout, mask, go_backwards, dstate, da, dq, recurrent, previous, gates, candidate, sum_rows, carry_rows,
                   counting, transposed):
    """All steps undone, for the sequences from first to last - 1."""
    T, U = dout.shape[1:]
    dstate[first:last] = 0
    for i in range(T):
        t = i if go_backwards else T - 1 - i
        for n in range(first, last):
            add(dout[n, t], dstate[n])
            if mask[n, t]:
                undo_step(dstate[n], recurrent[n, t], previous[n, t], gates[n, t], candidate[n, t], da[n, t], dq[n, t])
            else:
                da[n, t], dq[n, t] = 0, 0
        for column in range(0, U, COLUMNS):
            multiply_rows(dq.reshape(-1)[t * 3 * U:], sum_rows, first, last, counting[:3 * U], counting[:3 * U],
                          transposed[column // COLUMNS], 0, COLUMNS, dstate, carry_rows, column, min(COLUMNS, U - column), dstate[:0, 0],
                          1.0, True)                                                                            # 2


@inner
def undo_step(dh, q, before, gates, c, da, dq):
    """da and dq from dh, the gradient of the state after; dh becomes the part of the gradient of the state before that came by z."""
    U, one = dh.size, dh.dtype.type(1)
    z, r, q_c = gates[:U], gates[U:], q[2 * U:]
    da_z, da_r, da_c = da[:U], da[U:2 * U], da[2 * U:]
    for u in range(U):
        da_z[u] = (before[u] - c[u]) * dh[u] * z[u] * (one - z[u])                                              # 6, 3
    for u in range(U):
        da_c[u] = (one - c[u] * c[u]) * (one - z[u]) * dh[u]                                                    # 6, 5
    for u in range(U):
        da_r[u] = q_c[u] * da_c[u] * r[u] * (one - r[u])                                                        # 5, 4
    for u in range(U):
        dh[u] *= z[u]                                                                                           # 6
    copy(da[:2 * U], dq[:2 * U])
    dq_c = dq[2 * U:]
    for u in range(U):
        dq_c[u] = r[u] * da_c[u]                                                                                # 5


@inner
def copy(numbers, to):
    """to = numbers."""
    for i in range(to.size):
        to[i] = numbers[i]


@inner
def add(numbers, to):
    """to += numbers."""
    for i in range(to.size):
        to[i] += numbers[i]
