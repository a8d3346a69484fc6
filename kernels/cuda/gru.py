"""Gated recurrent unit on the device.  The mathematics, and the numbers of its steps, stand in reference/gru.py.

Sequences don't depend on each other: a block takes one of them through all its steps, in one launch, and its threads wait for each other
between what the state says (2) and what becomes of it (3 to 6).  What needs no order in time is a product over all steps at once.
"""
import functools
import math
from typing import NamedTuple

import numpy as np
from numba import cuda

from ..contract import ScratchVAEError, check_gru
from .activations import make_activation
from .arrays import empty
from .dense import X_TRANSPOSED, dense_forward, store_gradients
from .device import launch, launch_each, operation, rows
from .product import COLUMNS_OF_B, ROWS_OF_A, ROWS_OF_B, product, store


class GRUScratch(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step, and its own work space."""
    a: object                   # x W + b[0] (N, T, 3U); in the backward pass da
    recurrent: object           # q (N, T, 3U)
    dq: object                  # (N, T, 3U)
    previous: object            # h' (N, T, U)
    gates: object               # z and r (N, T, 2U)
    candidate: object           # c (N, T, U)
    transposed: object          # R^T (3U, U)


def gru_scratch(batch, steps, inputs, units, dtype):
    """Work space for that many sequences, steps, inputs and units."""
    per_step = (empty((batch, steps, parts * units), dtype) for parts in (3, 3, 3, 1, 2, 1))
    return GRUScratch(*per_step, empty((3 * units, units), dtype))


def check_scratch(scratch, y):
    """Refuse work space made for other sizes."""
    if scratch.previous.shape != y.shape:
        raise ScratchVAEError(f"gru: the scratch was made for states of shape {tuple(scratch.previous.shape)}; needed: {tuple(y.shape)}")


@operation
def gru_forward(x, kernel, recurrent_kernel, bias, initial_state, mask, y, go_backwards, scratch):
    """y[:, t] = the state after step t.  x (N, T, K), initial_state (N, U), mask (N, T) of 0 and 1, y (N, T, U).

    go_backwards: from the last step to the first; y[:, t] is then the state after the steps T - 1 to t.
    """
    check_gru(recurrent_kernel, len(bias))
    check_scratch(scratch, y)
    s = scratch
    dense_forward(rows(x), kernel, bias[0], rows(s.a), "linear", None)                                          # 1
    launch(_make_forward(np.dtype(y.dtype)), len(x), s.a, recurrent_kernel, bias, initial_state, mask, y, go_backwards, s.recurrent,
           s.previous, s.gates, s.candidate)


@operation
def gru_backward(dout, x, kernel, recurrent_kernel, mask, dx, dkernel, drecurrent_kernel, dbias, dinitial_state, go_backwards, scratch):
    """All gradients from dout (N, T, U), after the forward pass on the same scratch.  dx may be None."""
    check_gru(recurrent_kernel, len(dbias))
    check_scratch(scratch, dout)
    s, (N, T, K), U, dtype = scratch, x.shape, dout.shape[2], dout.dtype
    launch_each(_transpose, recurrent_kernel.size, recurrent_kernel, s.transposed)
    launch(_backward_steps, N, dout, mask, s.recurrent, s.previous, s.gates, s.candidate, s.transposed, s.a, s.dq, dinitial_state, go_backwards)
    da, dq = rows(s.a), rows(s.dq)
    product(X_TRANSPOSED, ROWS_OF_B, store_gradients, (rows(s.previous),), (dq,), (drecurrent_kernel, dbias[1]), (U + 1, 3 * U, N * T), dtype)
    product(X_TRANSPOSED, ROWS_OF_B, store_gradients, (rows(x),), (da,), (dkernel, dbias[0]), (K + 1, 3 * U, N * T), dtype)     # 1
    if dx is not None:
        product(ROWS_OF_A, COLUMNS_OF_B, store, (da,), (kernel,), (rows(dx),), (N * T, K, 3 * U), dtype)


@functools.cache
def _make_forward(dtype):
    sigmoid, one = make_activation("sigmoid", dtype), dtype.type(1)

    @cuda.jit
    def forward_steps(a, recurrent_kernel, bias, initial_state, mask, y, go_backwards, recurrent, previous, gates, candidate):
        n, thread, width = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
        T, U = y.shape[1], y.shape[2]
        for u in range(thread, U, width):
            previous[n, T - 1 if go_backwards else 0, u] = initial_state[n, u]
        cuda.syncthreads()
        for step in range(T):
            t = T - 1 - step if go_backwards else step
            after = t - 1 if go_backwards else t + 1
            for g in range(thread, 3 * U, width):                                                               # 2
                q = bias[1, g]
                for u in range(U):
                    q += previous[n, t, u] * recurrent_kernel[u, g]
                recurrent[n, t, g] = q
            cuda.syncthreads()
            for u in range(thread, U, width):
                h = previous[n, t, u]
                z = sigmoid(a[n, t, u] + recurrent[n, t, u])                                                    # 3
                r = sigmoid(a[n, t, U + u] + recurrent[n, t, U + u])                                            # 4
                c = math.tanh(a[n, t, 2 * U + u] + r * recurrent[n, t, 2 * U + u])                              # 5
                gates[n, t, u], gates[n, t, U + u], candidate[n, t, u] = z, r, c
                if mask[n, t] != 0:
                    h = z * h + (one - z) * c                                                                   # 6
                y[n, t, u] = h
                if step < T - 1:
                    previous[n, after, u] = h
            cuda.syncthreads()
    return forward_steps


@cuda.jit
def _transpose(x, y):
    i = cuda.grid(1)
    if i < x.size:
        y[i % x.shape[1], i // x.shape[1]] = x[i // x.shape[1], i % x.shape[1]]


@cuda.jit
def _backward_steps(dout, mask, recurrent, previous, gates, candidate, transposed, da, dq, dh, go_backwards):
    """dh (N, U) runs from the last step to the first, and ends as the gradient of the initial state."""
    n, thread, width = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    T, U = dout.shape[1], dout.shape[2]
    zero, one = dout.dtype.type(0), dout.dtype.type(1)
    for u in range(thread, U, width):
        dh[n, u] = zero
    for step in range(T):
        t = step if go_backwards else T - 1 - step
        for u in range(thread, U, width):
            d = dh[n, u] + dout[n, t, u]
            dh[n, u] = d
            da_z, da_r, da_c, dq_c = zero, zero, zero, zero
            if mask[n, t] != 0:
                h, z, r, c = previous[n, t, u], gates[n, t, u], gates[n, t, U + u], candidate[n, t, u]
                da_z = z * (one - z) * (h - c) * d                                                              # 6, 3
                da_c = (one - c * c) * (one - z) * d                                                            # 6, 5
                da_r = r * (one - r) * recurrent[n, t, 2 * U + u] * da_c                                        # 4
                dq_c = r * da_c                                                                                 # 5
                dh[n, u] = z * d
            da[n, t, u], da[n, t, U + u], da[n, t, 2 * U + u] = da_z, da_r, da_c
            dq[n, t, u], dq[n, t, U + u], dq[n, t, 2 * U + u] = da_z, da_r, dq_c
        cuda.syncthreads()
        for u in range(thread, U, width):                                                                       # 2
            total = dh[n, u]
            for g in range(3 * U):
                total += dq[n, t, g] * transposed[g, u]
            dh[n, u] = total
        cuda.syncthreads()
