"""Dense layer in Numba: three products by the microkernel. See reference/dense.py for the
mathematics.

A thread takes a panel of columns of the result, or several side by side, and works down it, six
rows at a time. Where panels are few, they are cut into blocks of rows as well. Steps at which x is
zero in all six rows are left out: four fifths of an MNIST image are zero. (A weight that is NaN or
infinite is then left out with them.)
"""
from typing import NamedTuple

import numba
import numpy as np
from numba import get_thread_id, prange

from ..errors import ScratchVAEError
from ..operation import implements
from ..reference import dense as reference
from .activations import activate_rest, activation_backward, tile_slope
from .jit import inner, parallel
from .microkernel import COLUMNS, LANES, ROWS
from .product import (
    PACKED,
    PACKED_TASKS,
    STEPS,
    TASKS,
    Block,
    Finish,
    Result,
    keep_steps,
    multiply,
    multiply_kept,
    no_finish,
    pack_panels,
    packed_panel,
    share_out,
    side_by_side,
    transpose_panel,
)
from .vectors import add_columns, any_nonzero

LARGE_TASK = 2 ** 14            # numbers of dW in a task, where dW is large
BIAS_BLOCK = 256                # rows summed at a time for db: a long float32 sum loses digits


class Table(NamedTuple):
    """Offsets and steps of a product, as in microkernel.py.

    keep_steps finds the steps of each ROWS rows; until then, and where it is not worth it, they are
    all steps.
    """
    rows: np.ndarray            # (R,)
    out: np.ndarray             # (R,)
    x_steps: np.ndarray         # (R / ROWS, S)
    w_steps: np.ndarray         # (R / ROWS, S)
    counts: np.ndarray          # (R / ROWS, chunks): how many steps each chunk has


class DenseTables(NamedTuple):
    """What the products need for one number of examples."""
    forward: Table              # x W: rows n K, out n M, all steps k
    kernel: Table               # x^T dz: rows k, out k M, x_steps n K, w_steps n
    units: np.ndarray           # m: the steps of dz W^T, whose rows n M and n K are forward's


class DenseScratch(NamedTuple):
    """Work space for batches of at most N examples."""
    sizes: tuple                # N, K, M
    largest: DenseTables        # for N examples
    tables: dict                # number of examples -> DenseTables, which share memory
    panels: np.ndarray          # for each thread, to pack columns of the second matrix


def dense_scratch(N, K, M, dtype):
    """Return the work space for batches of at most N examples, K inputs and M units."""
    longest = max(N, K, M)
    if N * K * M // min(N, K, M) >= 2 ** 31:            # the largest of x, y and the kernel
        raise ScratchVAEError(f"dense: arrays of {N} x {K} x {M} are too large for 32-bit "
                              "offsets; use a smaller batch")
    counting = np.arange(longest, dtype=np.int32)
    inputs = repeat(counting[:K], tile_rows(N))
    forward = Table(
        rows=counting[:N] * K,
        out=counting[:N] * M,
        x_steps=inputs,
        w_steps=inputs,
        counts=repeat(chunk_counts(K), tile_rows(N)))
    kernel = Table(
        rows=counting[:K],
        out=counting[:K] * M,
        x_steps=repeat(counting[:N] * K, tile_rows(K)),
        w_steps=repeat(counting[:N], tile_rows(K)),
        counts=repeat(chunk_counts(N), tile_rows(K)))
    largest = DenseTables(forward, kernel, counting[:M])
    panels = np.empty((numba.config.NUMBA_NUM_THREADS, max(longest * COLUMNS, PACKED)), dtype)
    return DenseScratch((N, K, M), largest, {N: largest}, panels)


def tables_for(scratch, x, kernel):
    """Return the tables for the examples x. They are made once for each number of examples."""
    size, K, M = scratch.sizes
    N = len(x)
    if (x.shape[1], kernel.shape[1]) != (K, M) or N > size:
        raise ScratchVAEError(f"dense: the scratch was made for N, K, M up to {scratch.sizes}, "
                              f"got {(*x.shape, kernel.shape[1])}")
    if N not in scratch.tables:
        forward, of_kernel, units = scratch.largest
        inputs = forward.x_steps[:tile_rows(N)]
        forward = Table(forward.rows[:N], forward.out[:N], inputs, inputs,
                        forward.counts[:tile_rows(N)])
        of_kernel = of_kernel._replace(
            x_steps=np.ascontiguousarray(of_kernel.x_steps[:, :N]),
            w_steps=np.ascontiguousarray(of_kernel.w_steps[:, :N]),
            counts=repeat(chunk_counts(N), tile_rows(K)))
        scratch.tables[N] = DenseTables(forward, of_kernel, units)
    return scratch.tables[N]


def tile_rows(rows):
    """Return how many blocks of ROWS rows cover so many rows."""
    return -(-rows // ROWS)


def chunk_counts(steps):
    """Return how many of that many steps fall into each chunk."""
    return np.minimum(STEPS, steps - np.arange(0, steps, STEPS, dtype=np.int32))


def repeat(row, times):
    """Return a matrix of equal rows."""
    return np.repeat(row[np.newaxis], times, axis=0)


@implements(reference.dense_forward)
def dense_forward(x, kernel, bias, y, activation, scratch):
    tables = tables_for(scratch, x, kernel)
    _forward(x, kernel, bias, y, tile_slope(activation), tuple(tables.forward), scratch.panels)
    activate_rest(y, activation)


@parallel
def _forward(x, kernel, bias, y, slope, table, panels):
    """y = f(x W + b): rows of x, steps along them."""
    table = Table(*table)
    N, K = x.shape
    M = y.shape[1]
    if M > LANES:               # the search for zeros costs as much as a narrow product
        for b in prange(table.counts.shape[0]):
            find_input_steps(x, b * ROWS, table.x_steps[b], table.counts[b])
    width = side_by_side(M, K)
    group_count, block_count, block_rows = share_out(N, M, width, TASKS)
    for task in prange(group_count * block_count):
        column = task // block_count * width
        first = task % block_count * block_rows
        block = Block(x, table.rows, first, min(N, first + block_rows))
        result = Result(y, table.out, column, min(width, M - column))
        forward_panels(block, kernel, result, Finish(bias, slope), table, panels[get_thread_id()])


@inner
def find_input_steps(x, first, steps, counts):
    """steps = the inputs that are not zero in all of the ROWS examples from `first` on."""
    for k in range(x.shape[1]):
        steps[k] = x[first, k] != 0
    for n in range(first + 1, min(x.shape[0], first + ROWS)):
        for k in range(x.shape[1]):
            steps[k] |= x[n, k] != 0
    keep_steps(steps, steps, counts)


@inner
def forward_panels(block, kernel, result, finish, table, packed):
    """Some panels of f(x W + b), for a block of examples."""
    panel = pack_panels(kernel, result.column, result.width, packed)
    multiply_kept(block, table.x_steps, table.w_steps, table.counts, panel, result, finish)


@implements(reference.dense_backward)
def dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch):
    tables = tables_for(scratch, x, kernel)
    if activation == "linear":
        dz = dout
    else:
        activation_backward(dout, y, dz, activation)
    _backward_kernel(x, dz, dkernel, dbias, tuple(tables.kernel), scratch.panels)
    if dx is not None:
        _backward_x(dz, kernel, dx, tables.forward.out, tables.forward.rows, tables.units,
                    scratch.panels)


@parallel
def _backward_kernel(x, dz, dkernel, dbias, table, panels):
    """dW = x^T dz: columns of x, steps down them. db = column sums of dz."""
    table = Table(*table)
    K, M = dkernel.shape
    if M > LANES:
        for b in prange(table.counts.shape[0]):
            find_batch_steps(x, b * ROWS, table.x_steps[b], table.w_steps[b], table.counts[b])
    width = side_by_side(M, len(x))
    tasks = max(TASKS, K * M // LARGE_TASK)
    group_count, block_count, block_rows = share_out(K, M, width, tasks)
    # Neighbouring tasks write to the same rows of dW, and so to the same pages of memory.
    for task in prange(group_count * block_count):
        column = task % group_count * width
        first = task // group_count * block_rows
        block = Block(x, table.rows, first, min(K, first + block_rows))
        result = Result(dkernel, table.out, column, min(width, M - column))
        backward_kernel_panels(block, dz, result, dbias, table, panels[get_thread_id()])


@inner
def find_batch_steps(x, first, x_steps, dz_steps, counts):
    """dz_steps = the examples n in which the ROWS inputs from `first` on are not all zero.

    x_steps = n K.
    """
    N, K = x.shape
    for n in range(N):
        if first + LANES <= K:
            dz_steps[n] = any_nonzero(x, n * K + first)
        else:                   # at the right edge, where a vector would read past the end
            dz_steps[n] = 0
            for k in range(first, min(K, first + ROWS)):
                dz_steps[n] |= x[n, k] != 0
    keep_steps(dz_steps, dz_steps, counts)
    for s in range(N):
        x_steps[s] = dz_steps[s] * K


@inner
def backward_kernel_panels(block, dz, result, dbias, table, packed):
    """Some panels of dW, for a block of inputs, and with the first block their part of db."""
    if block.first == 0:
        for c in range(0, result.width, COLUMNS):
            sum_columns(dz, result.column + c, min(COLUMNS, result.width - c), dbias, packed)
    panel = pack_panels(dz, result.column, result.width, packed)
    multiply_kept(block, table.x_steps, table.w_steps, table.counts, panel, result,
                  no_finish(dbias))


@inner
def sum_columns(matrix, column, width, sums, block_sums):
    """sums[column:column + width] = column sums of the matrix, block by block of its rows."""
    N, M = matrix.shape
    sums = sums[column:column + width]
    sums[:] = 0
    for first in range(0, N, BIAS_BLOCK):
        block_sums[:width] = 0
        for n in range(first, min(N, first + BIAS_BLOCK)):
            if width == COLUMNS:
                add_columns(matrix, n * M + column, block_sums, 0)
            else:
                for c in range(width):
                    block_sums[c] += matrix[n, column + c]
        for c in range(width):
            sums[c] += block_sums[c]


@parallel
def _backward_x(dz, kernel, dx, dz_rows, dx_rows, units, panels):
    """dx = dz W^T: rows of dz, steps along them."""
    N, K = dx.shape
    panel_count, block_count, block_rows = share_out(N, K, COLUMNS, PACKED_TASKS)
    for task in prange(panel_count * block_count):
        column = task // block_count * COLUMNS
        first = task % block_count * block_rows
        block = Block(dz, dz_rows, first, min(N, first + block_rows))
        result = Result(dx, dx_rows, column, min(COLUMNS, K - column))
        backward_x_panel(block, kernel, result, units, panels[get_thread_id()])


@inner
def backward_x_panel(block, kernel, result, units, packed):
    """A panel of dx, for a block of examples: some rows of W, packed as columns."""
    add_to_dx = False
    transpose_panel(kernel, result.column, result.width, packed)
    multiply(block, units, units, packed_panel(packed), result, no_finish(packed), add_to_dx)
