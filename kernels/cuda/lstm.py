"""Long short-term memory on the device. See reference/lstm.py for the equations and their numbers.

As in gru.py, a block takes a sequence through all its steps in one launch, and its threads wait for
each other between the product with the state (2) and the rest of the step (3 to 8).
"""
import functools
import math
from typing import NamedTuple

import numpy as np
from numba import cuda

from ..reference import lstm as reference
from .activations import make_activation
from .arrays import empty
from .device import implements, launch, rows
from .product import COLUMNS_OF_A, ROWS_OF_B, product, store
from .recurrent import check_scratch, transpose


class LSTMScratch(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step; then its own
    work space."""
    state: object               # h' (N, T, U)
    cell: object                # c' (N, T, U)
    squashed: object            # tanh(c) (N, T, U)
    gates: object               # i, f, g and o (N, T, 4U)
    transposed: object          # R^T (4U, U)


def lstm_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units."""
    per_step = (empty((N, T, parts * U), dtype) for parts in (1, 1, 1, 4))
    return LSTMScratch(*per_step, empty((4 * U, U), dtype))


@implements(reference.lstm_forward)
def lstm_forward(a, recurrent_kernel, initial_state, initial_cell, mask, y, go_backwards, scratch):
    check_scratch("lstm", scratch.state, y)
    launch(_make_forward(np.dtype(y.dtype)), len(y), a, recurrent_kernel, initial_state,
           initial_cell, mask, y, go_backwards, scratch[:4])


@functools.cache
def _make_forward(dtype):
    sigmoid = make_activation("sigmoid", dtype)

    @cuda.jit
    def forward_steps(a, recurrent_kernel, initial_state, initial_cell, mask, y, go_backwards,
                      steps):
        state, cell, squashed, gates = steps
        n = cuda.blockIdx.x
        thread = cuda.threadIdx.x
        width = cuda.blockDim.x
        T = y.shape[1]
        U = y.shape[2]
        for u in range(thread, U, width):
            state[n, T - 1 if go_backwards else 0, u] = initial_state[n, u]
            cell[n, T - 1 if go_backwards else 0, u] = initial_cell[n, u]
        cuda.syncthreads()
        for step in range(T):
            t = T - 1 - step if go_backwards else step
            following = t - 1 if go_backwards else t + 1
            for m in range(thread, 4 * U, width):
                q = a[n, t, m]
                for u in range(U):
                    q += state[n, t, u] * recurrent_kernel[u, m]                        # 2
                is_candidate = 2 * U <= m < 3 * U
                gates[n, t, m] = math.tanh(q) if is_candidate else sigmoid(q)           # 3 to 6
            cuda.syncthreads()
            for u in range(thread, U, width):
                h = state[n, t, u]
                c = cell[n, t, u]
                if mask[n, t] != 0:
                    i = gates[n, t, u]
                    f = gates[n, t, U + u]
                    g = gates[n, t, 2 * U + u]
                    c = f * c + i * g                                                   # 7
                    h = gates[n, t, 3 * U + u] * math.tanh(c)                           # 8
                y[n, t, u] = h
                squashed[n, t, u] = math.tanh(c)
                if step < T - 1:
                    state[n, following, u] = h
                    cell[n, following, u] = c
            cuda.syncthreads()
    return forward_steps


@implements(reference.lstm_backward)
def lstm_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, dinitial_state,
                  dinitial_cell, go_backwards, scratch):
    check_scratch("lstm", scratch.state, dout)
    N, T, U = dout.shape
    transpose(recurrent_kernel, scratch.transposed)
    launch(_backward_steps, N, dout, mask, scratch.transposed, da, dinitial_state, dinitial_cell,
           go_backwards, scratch[1:4])
    product(COLUMNS_OF_A, ROWS_OF_B, store, (rows(scratch.state[:N]),), (rows(da),),
            (drecurrent_kernel,), (U, 4 * U, N * T), dout.dtype)


@cuda.jit
def _backward_steps(dout, mask, transposed, da, dh, dc, go_backwards, steps):
    """dh and dc (N, U) run from the last step to the first, and end as the gradients of the initial
    state and cell."""
    cell, squashed, gates = steps
    n = cuda.blockIdx.x
    thread = cuda.threadIdx.x
    width = cuda.blockDim.x
    T = dout.shape[1]
    U = dout.shape[2]
    zero = dout.dtype.type(0)
    one = dout.dtype.type(1)
    for u in range(thread, U, width):
        dh[n, u] = zero
        dc[n, u] = zero
    for step in range(T):
        t = step if go_backwards else T - 1 - step
        for u in range(thread, U, width):
            dh_u = dh[n, u] + dout[n, t, u]
            dh[n, u] = dh_u
            da[n, t, u] = zero
            da[n, t, U + u] = zero
            da[n, t, 2 * U + u] = zero
            da[n, t, 3 * U + u] = zero
            if mask[n, t] != 0:
                i = gates[n, t, u]
                f = gates[n, t, U + u]
                g = gates[n, t, 2 * U + u]
                o = gates[n, t, 3 * U + u]
                seen = squashed[n, t, u]
                dc_u = dc[n, u] + o * (one - seen * seen) * dh_u                        # 8
                da[n, t, u] = g * dc_u * i * (one - i)                                  # 7, 3
                da[n, t, U + u] = cell[n, t, u] * dc_u * f * (one - f)                  # 7, 4
                da[n, t, 2 * U + u] = i * dc_u * (one - g * g)                          # 7, 5
                da[n, t, 3 * U + u] = seen * dh_u * o * (one - o)                       # 8, 6
                dc[n, u] = f * dc_u                                                     # 7
                dh[n, u] = zero
        cuda.syncthreads()
        for u in range(thread, U, width):
            total = dh[n, u]
            for m in range(4 * U):
                total += da[n, t, m] * transposed[m, u]                                 # 2
            dh[n, u] = total
        cuda.syncthreads()
