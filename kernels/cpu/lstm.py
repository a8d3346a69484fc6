"""Long short-term memory in Numba. See reference/lstm.py for the equations and their numbers.

As in gru.py, threads share out the sequences: a thread takes a block of them through all steps,
and the product h' R is made by the microkernel.
"""
from typing import NamedTuple

import numpy as np
from numba import prange

from ..errors import ScratchVAEError
from ..operation import implements
from ..reference import lstm as reference
from .dense import DenseScratch, dense_backward, dense_scratch
from .elementary import exp, tanh
from .gru import add, copy, rows, rows_of_thread
from .jit import inner, parallel
from .microkernel import COLUMNS
from .product import (
    Block,
    Result,
    multiply,
    no_finish,
    pack_panel,
    packed_panel,
    panel_count,
    transpose_panel,
)


class Steps(NamedTuple):
    """The states now, and what the backward pass needs of each step of the forward pass."""
    h: np.ndarray               # (N, U)
    c: np.ndarray               # (N, U)
    state: np.ndarray           # h' (N, T, U)
    cell: np.ndarray            # c' (N, T, U)
    squashed: np.ndarray        # tanh(c) (N, T, U)
    gates: np.ndarray           # i, f, g and o (N, T, 4U)


class Tables(NamedTuple):
    """What the microkernel needs: where sequence n starts, and R in panels of columns."""
    state_rows: np.ndarray      # n U: in h and dh
    gate_rows: np.ndarray       # n T 4U: in the gates and da
    counting: np.ndarray        # 0, 1, 2, ...
    panels: np.ndarray          # of R
    transposed: np.ndarray      # of R^T


class LSTMScratch(NamedTuple):
    """Work space for up to N sequences."""
    sizes: tuple                # N, T, U
    steps: Steps
    tables: Tables
    dense: DenseScratch         # of the sum over all steps of h'^T da
    unused: np.ndarray          # the sum of da, which the caller's dense layer finds, too


def lstm_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units."""
    counting = np.arange(max(N, 4 * U), dtype=np.int32)
    tables = Tables(
        state_rows=counting[:N] * U,
        gate_rows=counting[:N] * (T * 4 * U),
        counting=counting,
        panels=np.zeros((panel_count(4 * U), U * COLUMNS), dtype),
        transposed=np.zeros((panel_count(U), 4 * U * COLUMNS), dtype))
    steps = Steps(np.zeros((N, U), dtype), np.zeros((N, U), dtype),
                  *(np.zeros((N, T, parts * U), dtype) for parts in (1, 1, 1, 4)))
    return LSTMScratch((N, T, U), steps, tables, dense_scratch(N * T, U, 4 * U, dtype),
                       np.zeros(4 * U, dtype))


def check_scratch(scratch, states):
    """Refuse work space made for other sizes: its tables would lead out of the arrays."""
    N, *sizes = scratch.sizes
    if sizes != list(states.shape[1:]) or len(states) > N:
        raise ScratchVAEError(f"lstm: the scratch was made for up to {N} sequences of T, U = "
                              f"{tuple(sizes)}, got states of shape {states.shape}")


@implements(reference.lstm_forward)
def lstm_forward(a, recurrent_kernel, initial_state, initial_cell, mask, y, go_backwards, scratch):
    check_scratch(scratch, y)
    N = len(y)
    scratch.steps.h[:N] = initial_state
    scratch.steps.c[:N] = initial_cell
    _forward(rows_of_thread(N), a, recurrent_kernel, mask, y, go_backwards, scratch.steps,
             scratch.tables)


@implements(reference.lstm_backward)
def lstm_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, dinitial_state,
                  dinitial_cell, go_backwards, scratch):
    check_scratch(scratch, dout)
    N = len(dout)
    dinitial_state[...] = 0
    dinitial_cell[...] = 0
    _backward(rows_of_thread(N), dout, recurrent_kernel, mask, da, dinitial_state, dinitial_cell,
              go_backwards, scratch.steps, scratch.tables)
    da_rows = rows(da)
    dense_backward(da_rows, rows(scratch.steps.state[:N]), da_rows, recurrent_kernel, da_rows, None,
                   drecurrent_kernel, scratch.unused, "linear", scratch.dense)


@parallel
def _forward(block_rows, a, recurrent_kernel, mask, y, go_backwards, steps, tables):
    N = y.shape[0]
    for panel in prange(tables.panels.shape[0]):
        pack_panel(recurrent_kernel, panel * COLUMNS, tables.panels[panel])
    for block in prange((N + block_rows - 1) // block_rows):
        forward_block(block * block_rows, min(N, (block + 1) * block_rows), a, mask, y,
                      go_backwards, steps, tables)


@parallel
def _backward(block_rows, dout, recurrent_kernel, mask, da, dh, dc, go_backwards, steps, tables):
    N, U = dh.shape
    for panel in prange(tables.transposed.shape[0]):
        column = panel * COLUMNS
        transpose_panel(recurrent_kernel, column, min(COLUMNS, U - column),
                        tables.transposed[panel])
    for block in prange((N + block_rows - 1) // block_rows):
        here = slice(block * block_rows, min(N, (block + 1) * block_rows))
        backward_block(here, dout, mask, da, dh, dc, go_backwards, steps, tables)


@inner
def forward_block(first, last, a, mask, y, go_backwards, steps, tables):
    """Take the sequences from first to last - 1 through all steps."""
    T = y.shape[1]
    for step in range(T):
        t = T - 1 - step if go_backwards else step
        multiply_states(first, last, t, y.shape[0], steps, tables)
        for n in range(first, last):
            h = steps.h[n]
            c = steps.c[n]
            copy(h, steps.state[n, t])
            copy(c, steps.cell[n, t])
            if mask[n, t]:
                take_step(a[n, t], steps.gates[n, t], steps.squashed[n, t], h, c)
            copy(h, y[n, t])


@inner
def multiply_states(first, last, t, N, steps, tables):
    """Write h' R to the gates of step t: a part of q."""
    U = steps.h.shape[1]
    gates = steps.gates.reshape(-1)[t * 4 * U:]
    order = tables.counting[:U]
    block = Block(steps.h.reshape(-1), tables.state_rows[:N], first, last)
    for column in range(0, 4 * U, COLUMNS):
        panel = packed_panel(tables.panels[column // COLUMNS])
        result = Result(gates, tables.gate_rows[:N], column, min(COLUMNS, 4 * U - column))
        multiply(block, order, order, panel, result, no_finish(gates), False)           # 2


@inner
def take_step(a, gates, squashed, h, c):
    """Turn h' R into the gates, and h and c before the step into those after it."""
    U = h.size
    one = h.dtype.type(1)
    i = gates[:U]
    f = gates[U:2 * U]
    g = gates[2 * U:3 * U]
    o = gates[3 * U:]
    a_g = a[2 * U:3 * U]
    a_o = a[3 * U:]
    for u in range(2 * U):
        gates[u] = one / (one + exp(-(a[u] + gates[u])))                                # 3, 4
    for u in range(U):
        g[u] = tanh(a_g[u] + g[u])                                                      # 5
    for u in range(U):
        o[u] = one / (one + exp(-(a_o[u] + o[u])))                                      # 6
    for u in range(U):
        c[u] = f[u] * c[u] + i[u] * g[u]                                                # 7
    for u in range(U):
        squashed[u] = tanh(c[u])
        h[u] = o[u] * squashed[u]                                                       # 8


@inner
def backward_block(here, dout, mask, da, dh, dc, go_backwards, steps, tables):
    """Undo all steps of some sequences: dh and dc run from the last step to the first."""
    N, T, U = dout.shape
    order = tables.counting[:4 * U]
    for step in range(T):
        t = step if go_backwards else T - 1 - step
        for n in range(here.start, here.stop):
            add(dout[n, t], dh[n])
            if mask[n, t]:
                undo_step(dh[n], dc[n], steps.cell[n, t], steps.gates[n, t],
                          steps.squashed[n, t], da[n, t])
            else:
                da[n, t] = 0
        block = Block(da.reshape(-1)[t * 4 * U:], tables.gate_rows[:N], here.start, here.stop)
        for column in range(0, U, COLUMNS):
            panel = packed_panel(tables.transposed[column // COLUMNS])
            result = Result(dh, tables.state_rows[:N], column, min(COLUMNS, U - column))
            multiply(block, order, order, panel, result, no_finish(dh), True)           # 2


@inner
def undo_step(dh, dc, before, gates, squashed, da):
    """Write da from dh and dc, the gradients after the step.

    dc becomes the gradient of the cell before, and dh 0: the product dq R^T is added to it.
    """
    U = dh.size
    one = dh.dtype.type(1)
    i = gates[:U]
    f = gates[U:2 * U]
    g = gates[2 * U:3 * U]
    o = gates[3 * U:]
    da_i = da[:U]
    da_f = da[U:2 * U]
    da_g = da[2 * U:3 * U]
    da_o = da[3 * U:]
    for u in range(U):
        da_o[u] = squashed[u] * dh[u] * o[u] * (one - o[u])                             # 8, 6
        dc[u] += o[u] * (one - squashed[u] * squashed[u]) * dh[u]                       # 8
        dh[u] = 0
    for u in range(U):
        da_i[u] = g[u] * dc[u] * i[u] * (one - i[u])                                    # 7, 3
        da_f[u] = before[u] * dc[u] * f[u] * (one - f[u])                               # 7, 4
        da_g[u] = i[u] * dc[u] * (one - g[u] * g[u])                                    # 7, 5
        dc[u] *= f[u]                                                                   # 7
