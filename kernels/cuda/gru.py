"""Gated recurrent unit on the device.  The mathematics, and the numbers of its steps, stand in
reference/gru.py.

Sequences don't depend on each other: a block takes one of them through all its steps, in one
launch, and its threads wait for each other
between what the state says (2) and what becomes of it (3 to 6).  What needs no order in time is a
product over all steps at once.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
from numba import cuda

from ..errors import ScratchVAEError
from ..reference import gru as reference
from .activations import make_activation
from .arrays import empty
from .dense import X_TRANSPOSED, store_gradients
from .device import implements, launch, launch_each, rows
from .product import ROWS_OF_B, product


class GRUScratch(NamedTuple):
    """What the backward pass needs of the forward pass, for each sequence and step."""

    recurrent: object  # q (N, T, 3U)
    dq: object  # (N, T, 3U)
    previous: object  # h' (N, T, U)
    gates: object  # z and r (N, T, 2U)
    candidate: object  # c (N, T, U)
    transposed: object  # R^T (3U, U)


def gru_scratch(N, T, U, dtype):
    """Return the work space for up to N sequences of T steps and U units."""
    per_step = (empty((N, T, parts * U), dtype) for parts in (3, 3, 1, 2, 1))
    return GRUScratch(*per_step, empty((3 * U, U), dtype))


def check_scratch(scratch, states):
    """Refuse work space made for other sizes."""
    N, *sizes = scratch.previous.shape
    if sizes != list(states.shape[1:]) or len(states) > N:
        raise ScratchVAEError(
            f"gru: the scratch was made for up to {N} sequences of T, U = "
            f"{tuple(sizes)}, got states of shape {tuple(states.shape)}"
        )


@implements(reference.gru_forward)
def gru_forward(a, recurrent_kernel, recurrent_bias, initial_state, mask, y, go_backwards, scratch):
    check_scratch(scratch, y)
    s = scratch
    launch(
        _make_forward(np.dtype(y.dtype)),
        len(y),
        a,
        recurrent_kernel,
        recurrent_bias,
        initial_state,
        mask,
        y,
        go_backwards,
        s.recurrent,
        s.previous,
        s.gates,
        s.candidate,
    )


@implements(reference.gru_backward)
def gru_backward(
    dout,
    recurrent_kernel,
    mask,
    da,
    drecurrent_kernel,
    drecurrent_bias,
    dinitial_state,
    go_backwards,
    scratch,
):
    check_scratch(scratch, dout)
    s = scratch
    N, T, U = dout.shape
    launch_each(_transpose, recurrent_kernel.size, recurrent_kernel, s.transposed)
    launch(
        _backward_steps,
        N,
        dout,
        mask,
        s.recurrent,
        s.previous,
        s.gates,
        s.candidate,
        s.transposed,
        da,
        s.dq,
        dinitial_state,
        go_backwards,
    )
    product(
        X_TRANSPOSED,
        ROWS_OF_B,
        store_gradients,
        (rows(s.previous[:N]),),
        (rows(s.dq[:N]),),
        (drecurrent_kernel, drecurrent_bias),
        (U + 1, 3 * U, N * T),
        dout.dtype,
    )


@functools.cache
def _make_forward(dtype):
    sigmoid = make_activation("sigmoid", dtype)
    one = dtype.type(1)

    @cuda.jit
    def forward_steps(
        a,
        recurrent_kernel,
        bias,
        initial_state,
        mask,
        y,
        go_backwards,
        recurrent,
        previous,
        gates,
        candidate,
    ):
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
            after = t - 1 if go_backwards else t + 1
            for g in range(thread, 3 * U, width):  # 2
                q = bias[g]
                for u in range(U):
                    q += previous[n, t, u] * recurrent_kernel[u, g]
                recurrent[n, t, g] = q
            cuda.syncthreads()
            for u in range(thread, U, width):
                h = previous[n, t, u]
                z = sigmoid(a[n, t, u] + recurrent[n, t, u])  # 3
                r = sigmoid(a[n, t, U + u] + recurrent[n, t, U + u])  # 4
                c = math.tanh(a[n, t, 2 * U + u] + r * recurrent[n, t, 2 * U + u])  # 5
                gates[n, t, u] = z
                gates[n, t, U + u] = r
                candidate[n, t, u] = c
                if mask[n, t] != 0:
                    h = z * h + (one - z) * c  # 6
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
def _backward_steps(
    dout, mask, recurrent, previous, gates, candidate, transposed, da, dq, dh, go_backwards
):
    """dh (N, U) runs from the last step to the first, and ends as the gradient of the initial
    state.
    """
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
            d = dh[n, u] + dout[n, t, u]
            dh[n, u] = d
            da_z = zero
            da_r = zero
            da_c = zero
            dq_c = zero
            if mask[n, t] != 0:
                h = previous[n, t, u]
                z = gates[n, t, u]
                r = gates[n, t, U + u]
                c = candidate[n, t, u]
                da_z = z * (one - z) * (h - c) * d  # 6, 3
                da_c = (one - c * c) * (one - z) * d  # 6, 5
                da_r = r * (one - r) * recurrent[n, t, 2 * U + u] * da_c  # 4
                dq_c = r * da_c  # 5
                dh[n, u] = z * d
            da[n, t, u] = da_z
            da[n, t, U + u] = da_r
            da[n, t, 2 * U + u] = da_c
            dq[n, t, u] = da_z
            dq[n, t, U + u] = da_r
            dq[n, t, 2 * U + u] = dq_c
        cuda.syncthreads()
        for u in range(thread, U, width):  # 2
            total = dh[n, u]
            for g in range(3 * U):
                total += dq[n, t, g] * transposed[g, u]
            dh[n, u] = total
        cuda.syncthreads()
