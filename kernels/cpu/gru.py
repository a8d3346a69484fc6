"""Gated recurrent unit in Numba. See reference/gru.py for the equations and their numbers.

Products with x, and sums over all steps, are those of a dense layer on N T rows. What remains is
the loop over time, in which sequences do not meet: a thread takes a block of them through all
steps, without waiting for the others, and computes its product h' R by the microkernel.
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
from .product import (
    Block,
    Finish,
    Result,
    multiply,
    no_finish,
    pack_panel,
    packed_panel,
    panel_count,
    transpose_panel,
)


class Memory(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step, and tables."""
    recurrent: np.ndarray       # q (N, T, 3U)
    drecurrent: np.ndarray      # dq (N, T, 3U)
    previous: np.ndarray        # h' (N, T, U)
    gates: np.ndarray           # z and r (N, T, 2U)
    candidate: np.ndarray       # c (N, T, U)
    sum_rows: np.ndarray        # n T 3U: where sequence n starts in q and dq
    state_rows: np.ndarray      # n T U: in h'
    carry_rows: np.ndarray      # n U: in dh
    counting: np.ndarray        # 0, 1, 2, ...
    panels: np.ndarray          # R, a panel of columns after the other
    transposed: np.ndarray      # R^T likewise


class GRUScratch(NamedTuple):
    """Work space for at most N sequences."""
    sizes: tuple                # N, T, U
    memory: Memory
    state: DenseScratch         # of the sum over all steps of h'^T dq


def gru_scratch(N, T, U, dtype):
    """Return the work space for at most N sequences of T steps and U units."""
    def array(parts):
        return np.zeros((N, T, parts * U), dtype)
    counting = np.arange(max(N, 3 * U), dtype=np.int32)
    memory = Memory(
        recurrent=array(3),
        drecurrent=array(3),
        previous=array(1),
        gates=array(2),
        candidate=array(1),
        sum_rows=counting[:N] * (T * 3 * U),
        state_rows=counting[:N] * (T * U),
        carry_rows=counting[:N] * U,
        counting=counting,
        panels=np.zeros((panel_count(3 * U), U * COLUMNS), dtype),
        transposed=np.zeros((panel_count(U), 3 * U * COLUMNS), dtype))
    return GRUScratch((N, T, U), memory, dense_scratch(N * T, U, 3 * U, dtype))


def check_scratch(scratch, states):
    """Refuse work space made for other sizes: its tables would lead out of the arrays."""
    N, *sizes = scratch.sizes
    if sizes != list(states.shape[1:]) or len(states) > N:
        raise ScratchVAEError(f"gru: the scratch was made for up to {N} sequences of T, U = "
                              f"{tuple(sizes)}, got states of shape {states.shape}")


def rows_of_thread(sequences):
    """Return how many sequences a thread takes: a multiple of ROWS.

    Sequences do not meet, so no bit depends on how they are shared out.
    """
    return -(-sequences // (get_num_threads() * ROWS)) * ROWS


@implements(reference.gru_forward)
def gru_forward(a, recurrent_kernel, recurrent_bias, initial_state, mask, y, go_backwards, scratch):
    check_scratch(scratch, y)
    N = len(y)
    scratch.memory.previous[:N, -1 if go_backwards else 0] = initial_state
    _forward_steps(a, recurrent_kernel, recurrent_bias, mask, y, go_backwards, rows_of_thread(N),
                   tuple(scratch.memory))


@parallel
def _forward_steps(a, recurrent_kernel, bias, mask, y, go_backwards, block_rows, memory):
    memory = Memory(*memory)
    N = y.shape[0]
    for panel in prange(memory.panels.shape[0]):
        pack_panel(recurrent_kernel, panel * COLUMNS, memory.panels[panel])
    for block in prange((N + block_rows - 1) // block_rows):
        first = block * block_rows
        forward_block(first, min(N, first + block_rows), a, bias, mask, y, go_backwards, memory)


@inner
def forward_block(first, last, a, bias, mask, y, go_backwards, memory):
    """Take the sequences from first to last - 1 through all steps."""
    q = memory.recurrent
    previous = memory.previous
    gates = memory.gates
    c = memory.candidate
    T = y.shape[1]
    for i in range(T):
        t = T - 1 - i if go_backwards else i
        following = t - 1 if go_backwards else t + 1
        add_state(first, last, t, bias, memory)                                         # 2
        for n in range(first, last):
            if mask[n, t]:
                take_step(a[n, t], q[n, t], previous[n, t], gates[n, t], c[n, t], y[n, t])
            else:
                copy(previous[n, t], y[n, t])
            if i + 1 < T:
                copy(y[n, t], previous[n, following])


@inner
def add_state(first, last, t, bias, memory):
    """q = h' R + b[1] at step t, for the sequences from first to last - 1."""
    U = memory.previous.shape[2]
    units = memory.counting[:U]
    add_to_q = False
    h = memory.previous.reshape(-1)[t * U:]
    q = memory.recurrent.reshape(-1)[t * 3 * U:]
    q_rows = memory.sum_rows[:last]
    block = Block(h, memory.state_rows[:last], first, last)
    for column in range(0, 3 * U, COLUMNS):
        panel = packed_panel(memory.panels[column // COLUMNS])
        result = Result(q, q_rows, column, min(COLUMNS, 3 * U - column))
        multiply(block, units, units, panel, result, Finish(bias, 1.0), add_to_q)


@inner
def take_step(a, q, previous, gates, c, h):
    """Compute h, and z, r and c on the way, from a, q and the state before, h'."""
    U = h.size
    one = h.dtype.type(1)
    for u in range(2 * U):
        gates[u] = one / (one + exp(-(a[u] + q[u])))                                    # 3, 4
    z = gates[:U]
    r = gates[U:]
    a_c = a[2 * U:]
    q_c = q[2 * U:]
    for u in range(U):
        c[u] = tanh(a_c[u] + r[u] * q_c[u])                                             # 5
    for u in range(U):
        h[u] = z[u] * previous[u] + (one - z[u]) * c[u]                                 # 6


@implements(reference.gru_backward)
def gru_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, drecurrent_bias,
                 dinitial_state, go_backwards, scratch):
    check_scratch(scratch, dout)
    N = len(dout)
    memory = scratch.memory
    _backward_steps(dout, recurrent_kernel, mask, da, dinitial_state, go_backwards,
                    rows_of_thread(N), tuple(memory))
    dq = rows(memory.drecurrent[:N])
    dense_backward(dq, rows(memory.previous[:N]), dq, recurrent_kernel, dq, None, drecurrent_kernel,
                   drecurrent_bias, "linear", scratch.state)                            # 2


def rows(array):
    """Return (N, T, ...) as (N T, ...): sums run over sequences and steps alike."""
    return array.reshape(-1, array.shape[-1])


@parallel
def _backward_steps(dout, recurrent_kernel, mask, da, dh, go_backwards, block_rows, memory):
    memory = Memory(*memory)
    N, U = dh.shape
    for panel in prange(memory.transposed.shape[0]):
        column = panel * COLUMNS
        transpose_panel(recurrent_kernel, column, min(COLUMNS, U - column),
                        memory.transposed[panel])
    for block in prange((N + block_rows - 1) // block_rows):
        first = block * block_rows
        backward_block(first, min(N, first + block_rows), dout, mask, da, dh, go_backwards, memory)


@inner
def backward_block(first, last, dout, mask, da, dh, go_backwards, memory):
    """Take the gradients of the sequences from first to last - 1 back through all steps."""
    q = memory.recurrent
    dq = memory.drecurrent
    previous = memory.previous
    gates = memory.gates
    c = memory.candidate
    T = dout.shape[1]
    dh[first:last] = 0
    for i in range(T):
        t = i if go_backwards else T - 1 - i
        for n in range(first, last):
            add(dout[n, t], dh[n])
            if mask[n, t]:
                undo_step(dh[n], q[n, t], previous[n, t], gates[n, t], c[n, t], da[n, t], dq[n, t])
            else:
                da[n, t] = 0
                dq[n, t] = 0
        add_state_gradient(first, last, t, dh, memory)                                  # 2


@inner
def undo_step(dh, q, previous, gates, c, da, dq):
    """Compute da and dq from dh, the gradient of the state after the step.

    dh becomes z dh: the part of dh', the gradient of the state before, that line 6 gives.
    """
    U = dh.size
    one = dh.dtype.type(1)
    z = gates[:U]
    r = gates[U:]
    q_c = q[2 * U:]
    da_z = da[:U]
    da_r = da[U:2 * U]
    da_c = da[2 * U:]
    dq_c = dq[2 * U:]
    for u in range(U):
        da_z[u] = (previous[u] - c[u]) * dh[u] * z[u] * (one - z[u])                    # 6, 3
    for u in range(U):
        da_c[u] = (one - c[u] * c[u]) * (one - z[u]) * dh[u]                            # 6, 5
    for u in range(U):
        da_r[u] = q_c[u] * da_c[u] * r[u] * (one - r[u])                                # 5, 4
    for u in range(U):
        dh[u] *= z[u]                                                                   # 6
    copy(da[:2 * U], dq[:2 * U])                                                        # 4, 3
    for u in range(U):
        dq_c[u] = r[u] * da_c[u]                                                        # 5


@inner
def add_state_gradient(first, last, t, dh, memory):
    """dh' += dq R^T at step t, for the sequences from first to last - 1; dh holds dh'."""
    U = dh.shape[1]
    sums = memory.counting[:3 * U]
    add_to_dh = True
    dq = memory.drecurrent.reshape(-1)[t * 3 * U:]
    dh_rows = memory.carry_rows[:last]
    block = Block(dq, memory.sum_rows[:last], first, last)
    for column in range(0, U, COLUMNS):
        panel = packed_panel(memory.transposed[column // COLUMNS])
        result = Result(dh, dh_rows, column, min(COLUMNS, U - column))
        multiply(block, sums, sums, panel, result, no_finish(dh), add_to_dh)


@inner
def copy(numbers, to):
    """to = numbers."""
    for i in range(to.size):
        to[i] = numbers[i]


@inner
def add(numbers, sums):
    """sums += numbers."""
    for i in range(sums.size):
        sums[i] += numbers[i]
