"""Dense layer in Numba: three products by the microkernel. See reference/dense.py for the
mathematics.

A thread takes a panel of columns of the result and works down it, six rows at a time. Where panels
are few, they are cut into blocks of rows as well. Steps at which x is zero in all six rows are left
out: four fifths of an MNIST image are zero. (A weight that is NaN or infinite is then left out with
them.)
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
from .microkernel import COLUMNS, LANES, ROWS, any_nonzero
from .product import (
    PACKED_TASKS,
    STEPS,
    TASKS,
    Block,
    Finish,
    Panel,
    Result,
    keep_steps,
    multiply,
    multiply_kept,
    no_finish,
    packed_panel,
    panel_of,
    share_out,
    transpose_panel,
)

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
    panels: np.ndarray          # for each thread, to pack columns that cannot be read in place


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
    panels = np.empty((numba.config.NUMBA_NUM_THREADS, longest * COLUMNS), dtype)
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
    packed = panels[0]
    for chunk in prange((K + STEPS - 1) // STEPS if M % COLUMNS else 0):
        pack_right_edge(kernel, chunk * STEPS, packed)
    panel_count, block_count, block_rows = share_out(N, M, TASKS)
    for task in prange(panel_count * block_count):
        column = task // block_count * COLUMNS
        first = task % block_count * block_rows
        block = Block(x, table.rows, first, min(N, first + block_rows))
        result = Result(y, table.out, column, min(COLUMNS, M - column))
        forward_panel(block, kernel, packed, result, Finish(bias, slope), table)


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
def pack_right_edge(matrix, first, packed):
    """Copy the last columns, too few for a panel, of STEPS rows of the matrix.

    No read of a whole panel then passes the matrix's end.
    """
    K, M = matrix.shape
    width = M % COLUMNS
    for k in range(first, min(K, first + STEPS)):
        for c in range(width):
            packed[k * COLUMNS + c] = matrix[k, M - width + c]


@inner
def forward_panel(block, kernel, packed, result, finish, table):
    """A panel of f(x W + b), for a block of examples."""
    panel = packed_panel(packed)
    if result.width == COLUMNS:
        panel = Panel(kernel.reshape(-1), result.column, kernel.shape[1])
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
    panel_count, block_count, block_rows = share_out(K, M, max(TASKS, K * M // LARGE_TASK))
    # Neighbouring tasks write to the same rows of dW, and so to the same pages of memory.
    for task in prange(panel_count * block_count):
        column = task % panel_count * COLUMNS
        first = task // panel_count * block_rows
        block = Block(x, table.rows, first, min(K, first + block_rows))
        result = Result(dkernel, table.out, column, min(COLUMNS, M - column))
        backward_kernel_panel(block, dz, result, dbias, table, panels[get_thread_id()])


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
def backward_kernel_panel(block, dz, result, dbias, table, packed):
    """A panel of dW, for a block of inputs, and with the first block its part of db."""
    if block.first == 0:
        sum_columns(dz, result.column, result.width, dbias, packed)
    panel = panel_of(dz, result.column, result.width, packed)
    multiply_kept(block, table.x_steps, table.w_steps, table.counts, panel, result,
                  no_finish(dbias))


@inner
def sum_columns(matrix, column, width, sums, block_sums):
    """sums[column:column + width] = column sums of the matrix, block by block of its rows."""
    sums = sums[column:column + width]
    block_sums = block_sums[:width]
    sums[:] = 0
    for first in range(0, matrix.shape[0], BIAS_BLOCK):
        block_sums[:] = 0
        for row in range(first, min(matrix.shape[0], first + BIAS_BLOCK)):
            add(matrix[row, column:column + width], block_sums)
        add(block_sums, sums)


@inner
def add(numbers, sums):
    """sums += numbers; in vectors at a panel's full width, which the compiler knows."""
    if sums.size == COLUMNS:
        for c in range(COLUMNS):
            sums[c] += numbers[c]
    else:
        for c in range(sums.size):
            sums[c] += numbers[c]


@parallel
def _backward_x(dz, kernel, dx, dz_rows, dx_rows, units, panels):
    """dx = dz W^T: rows of dz, steps along them."""
    N, K = dx.shape
    panel_count, block_count, block_rows = share_out(N, K, PACKED_TASKS)
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
