"""Gated recurrent unit on the device. See reference/gru.py for the equations and their numbers.

Sequences do not depend on each other: a block takes one of them through all its steps, in one
launch, and its threads wait for each other between the product with the state (2) and the rest of
the step (3 to 6). Sums over all steps need no order in time: they are a product.
"""
import functools
import math
from typing import NamedTuple

import numpy as np
from numba import cuda

from ..reference import gru as reference
from .activations import make_activation
from .arrays import empty
from .dense import X_TRANSPOSED, store_gradients
from .device import implements, launch, rows
from .product import ROWS_OF_B, product
from .recurrent import check_scratch, transpose


class GRUScratch(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step; then its own
    work space."""
    previous: object            # h' (N, T, U)
    gates: object               # z and r (N, T, 2U)
    candidate: object           # c (N, T, U)
    recurrent: object           # q (N, T, 3U)
    dq: object                  # (N, T, 3U)
    transposed: object          # R^T (3U, U)


def gru_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units."""
    per_step = (empty((N, T, parts * U), dtype) for parts in (1, 2, 1, 3, 3))
    return GRUScratch(*per_step, empty((3 * U, U), dtype))


@implements(reference.gru_forward)
def gru_forward(a, recurrent_kernel, recurrent_bias, initial_state, mask, y, go_backwards, scratch):
    check_scratch("gru", scratch.previous, y)
    launch(_make_forward(np.dtype(y.dtype)), len(y), a, recurrent_kernel, recurrent_bias,
           initial_state, mask, y, go_backwards, scratch[:4])


@functools.cache
def _make_forward(dtype):
    sigmoid = make_activation("sigmoid", dtype)
    one = dtype.type(1)

    @cuda.jit
    def forward_steps(a, recurrent_kernel, recurrent_bias, initial_state, mask, y, go_backwards,
                      steps):
        previous, gates, candidate, recurrent = steps
        n = cuda.blockIdx.x
        thread = cuda.threadIdx.x
        width = cuda.blockDim.x
        T = y.shape[1]
        U = y.shape[2]
        for u in range(thread, U, width):
            previous[n, T - 1 if go_backwards else 0, u] = initial_state[n, u]
        cuda.syncthreads()
        for step in range(T):
            t = T - 1 - step if go_backwards else step
            following = t - 1 if go_backwards else t + 1
            for m in range(thread, 3 * U, width):
                q = recurrent_bias[m]
                for u in range(U):
                    q += previous[n, t, u] * recurrent_kernel[u, m]                     # 2
                recurrent[n, t, m] = q
            cuda.syncthreads()
            for u in range(thread, U, width):
                h = previous[n, t, u]
                q_c = recurrent[n, t, 2 * U + u]
                z = sigmoid(a[n, t, u] + recurrent[n, t, u])                            # 3
                r = sigmoid(a[n, t, U + u] + recurrent[n, t, U + u])                    # 4
                c = math.tanh(a[n, t, 2 * U + u] + r * q_c)                             # 5
                gates[n, t, u] = z
                gates[n, t, U + u] = r
                candidate[n, t, u] = c
                if mask[n, t] != 0:
                    h = z * h + (one - z) * c                                           # 6
                y[n, t, u] = h
                if step < T - 1:
                    previous[n, following, u] = h
            cuda.syncthreads()
    return forward_steps


@implements(reference.gru_backward)
def gru_backward(dout, recurrent_kernel, mask, da, drecurrent_kernel, drecurrent_bias,
                 dinitial_state, go_backwards, scratch):
    check_scratch("gru", scratch.previous, dout)
    N, T, U = dout.shape
    dq = scratch.dq
    transpose(recurrent_kernel, scratch.transposed)
    launch(_backward_steps, N, dout, mask, scratch.transposed, da, dq, dinitial_state, go_backwards,
           scratch[:4])
    product(X_TRANSPOSED, ROWS_OF_B, store_gradients, (rows(scratch.previous[:N]),),
            (rows(dq[:N]),), (drecurrent_kernel, drecurrent_bias), (U + 1, 3 * U, N * T),
            dout.dtype)


@cuda.jit
def _backward_steps(dout, mask, transposed, da, dq, dh, go_backwards, steps):
    """dh (N, U) runs from the last step to the first, and ends as the gradient of the initial
    state."""
    previous, gates, candidate, recurrent = steps
    n = cuda.blockIdx.x
    thread = cuda.threadIdx.x
    width = cuda.blockDim.x
    T = dout.shape[1]
    U = dout.shape[2]
    zero = dout.dtype.type(0)
    one = dout.dtype.type(1)
    for u in range(thread, U, width):
        dh[n, u] = zero
    for step in range(T):
        t = step if go_backwards else T - 1 - step
        for u in range(thread, U, width):
            dh_u = dh[n, u] + dout[n, t, u]
            dh[n, u] = dh_u
            da_z = zero
            da_r = zero
            da_c = zero
            dq_c = zero
            if mask[n, t] != 0:
                h = previous[n, t, u]
                z = gates[n, t, u]
                r = gates[n, t, U + u]
                c = candidate[n, t, u]
                da_z = z * (one - z) * (h - c) * dh_u                                   # 6, 3
                da_c = (one - c * c) * (one - z) * dh_u                                 # 6, 5
                da_r = r * (one - r) * recurrent[n, t, 2 * U + u] * da_c                # 5, 4
                dq_c = r * da_c                                                         # 5
                dh[n, u] = z * dh_u                                                     # 6
            da[n, t, u] = da_z
            da[n, t, U + u] = da_r
            da[n, t, 2 * U + u] = da_c
            dq[n, t, u] = da_z
            dq[n, t, U + u] = da_r
            dq[n, t, 2 * U + u] = dq_c
        cuda.syncthreads()
        for u in range(thread, U, width):
            total = dh[n, u]
            for m in range(3 * U):
                total += dq[n, t, m] * transposed[m, u]                                 # 2
            dh[n, u] = total
        cuda.syncthreads()
