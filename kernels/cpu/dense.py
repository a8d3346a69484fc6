"""Dense layer in Numba: three products by the microkernel.

The mathematics stands in reference/dense.py.  A thread takes a panel of columns of the result and works down it, six rows at a
time; where the panels are few, they are cut into blocks of rows as well.  Steps at which x is zero in all six rows are left out:
four fifths of an MNIST image are zero.  (A weight that is NaN or infinite is then left out with them.)
"""
from typing import NamedTuple

import numba
import numpy as np
from numba import get_thread_id, prange

from ..errors import ScratchVAEError
from ..operation import implements
from ..reference import dense as reference
from .activations import activation_backward, activation_forward, negative_slope
from .jit import inner, parallel
from .microkernel import COLUMNS, LANES, ROWS, any_nonzero
from .product import (
    PACKED_TASKS,
    STEPS,
    TASKS,
    keep_steps,
    multiply_panel,
    panel_of,
    share_out,
    transpose_panel,
)

LARGE_TASK = 2 ** 14            # numbers of dW in a task, where dW is large
BIAS_BLOCK = 256                # rows summed at a time for dbias: a single long float32 sum loses digits


class DenseTables(NamedTuple):
    """Offsets and steps for one number of examples; see microkernel.py."""
    x_rows: np.ndarray          # n K: where example n starts in x and dx
    y_rows: np.ndarray          # n M: where example n starts in y and dz
    kernel_rows: np.ndarray     # k M: where row k starts in kernel and dkernel
    counting: np.ndarray        # 0, 1, 2, ...: along a row
    input_steps: np.ndarray     # for each block of examples, the inputs k that are not all zero, or all
    input_counts: np.ndarray
    batch_steps: np.ndarray     # for each block of inputs, the examples n where they are not all zero
    batch_counts: np.ndarray
    unit_counts: np.ndarray     # all units, as chunks of steps


class DenseScratch(NamedTuple):
    """Work space for batches of at most N examples."""
    sizes: tuple                # N, K, M
    largest: DenseTables        # for N examples
    tables: dict                # for fewer, which share memory with the largest
    panels: np.ndarray          # for each thread, to pack what can't be read in place


def dense_scratch(N, K, M, dtype):
    """Return the work space of a dense layer for up to N examples, K inputs and M units."""
    longest = max(N, K, M)
    if N * K * M // min(N, K, M) >= 2 ** 31:            # the largest of x, y and the kernel
        raise ScratchVAEError(f"dense: arrays of {N} x {K} x {M} are too large for 32-bit "
                              "offsets; use a smaller batch")
    counting = np.arange(longest, dtype=np.int32)
    batch_steps = np.stack([counting[:N] * K, counting[:N]])
    largest = DenseTables(
        x_rows=counting[:N] * K,
        y_rows=counting[:N] * M,
        kernel_rows=counting[:K] * M,
        counting=counting,
        input_steps=np.repeat(counting[np.newaxis, :K], blocks(N), axis=0),
        input_counts=np.repeat(chunk_counts(K), blocks(N), axis=0),
        batch_steps=np.repeat(batch_steps[:, np.newaxis], blocks(K), axis=1),
        batch_counts=np.repeat(chunk_counts(N), blocks(K), axis=0),
        unit_counts=chunk_counts(M))
    panels = np.empty((numba.config.NUMBA_NUM_THREADS, longest * COLUMNS), dtype)
    return DenseScratch((N, K, M), largest, {N: largest}, panels)


def tables_for(scratch, x, kernel):
    """Return the tables for the examples x, made when a number of examples first comes."""
    size, K, M = scratch.sizes
    N = len(x)
    if (x.shape[1], kernel.shape[1]) != (K, M) or N > size:
        raise ScratchVAEError(f"dense: the scratch was made for N, K, M up to {scratch.sizes}, "
                              f"got {(*x.shape, kernel.shape[1])}")
    if N not in scratch.tables:
        all_of = scratch.largest
        scratch.tables[N] = all_of._replace(
            x_rows=all_of.x_rows[:N],
            y_rows=all_of.y_rows[:N],
            input_steps=all_of.input_steps[:blocks(N)],
            input_counts=all_of.input_counts[:blocks(N)],
            batch_steps=np.ascontiguousarray(all_of.batch_steps[:, :, :N]),
            batch_counts=np.repeat(chunk_counts(N), blocks(K), axis=0))
    return scratch.tables[N]


def blocks(rows):
    """Return how many blocks of ROWS rows cover so many rows."""
    return -(-rows // ROWS)


def chunk_counts(steps):
    """How many of that many steps fall into each chunk, as a table of one row."""
    return np.minimum(STEPS, steps - np.arange(0, steps, STEPS, dtype=np.int32))[np.newaxis]


@implements(reference.dense_forward)
def dense_forward(x, kernel, bias, y, activation, scratch):
    tables = tables_for(scratch, x, kernel)
    slope = negative_slope(activation)
    _forward(x, kernel, bias, y, 1.0 if slope is None else slope, tables.x_rows, tables.y_rows,
             tables.input_steps, tables.input_counts, scratch.panels)
    if slope is None:
        activation_forward(y, y, activation)


@implements(reference.dense_backward)
def dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch):
    tables = tables_for(scratch, x, kernel)
    if activation == "linear":
        dz = dout
    else:
        activation_backward(dout, y, dz, activation)
    _backward_kernel(x, dz, dkernel, dbias, tables.x_rows, tables.kernel_rows, tables.counting,
                     tables.batch_steps, tables.batch_counts, scratch.panels)
    if dx is not None:
        _backward_x(dz, kernel, dx, tables.y_rows, tables.x_rows, tables.counting,
                    tables.unit_counts, scratch.panels)


@parallel
def _forward(x, kernel, bias, y, slope, x_rows, y_rows, steps, counts, panels):
    """y = f(x W + b): rows of x, steps along them."""
    N, M = y.shape
    if M > LANES:               # a narrow product is no dearer than the search for zeros
        for block in prange(counts.shape[0]):
            find_input_steps(x, block * ROWS, steps[block], counts[block])
    packed = panels[0]
    for chunk in prange((kernel.shape[0] + STEPS - 1) // STEPS if M % COLUMNS else 0):
        pack_right_edge(kernel, chunk * STEPS, packed)
    panel_count, block_count, block_rows = share_out(N, M, TASKS)
    for task in prange(panel_count * block_count):
        column, first = task // block_count * COLUMNS, task % block_count * block_rows
        forward_panel(x, kernel, bias, y, slope, x_rows, y_rows, steps, counts, packed, column, first, block_rows)


@inner
def find_input_steps(x, first, steps, counts):
    """steps = the inputs that are not zero in all of the ROWS examples from `first` on, in chunks of `counts`."""
    for k in range(x.shape[1]):
        steps[k] = x[first, k] != 0
    for n in range(first + 1, min(x.shape[0], first + ROWS)):
        for k in range(x.shape[1]):
            steps[k] |= x[n, k] != 0
    keep_steps(steps, steps, counts)


@inner
def pack_right_edge(matrix, first, panel):
    """Copy STEPS rows of the matrix's last columns, too few for a panel, into one, so that no read passes the matrix's end."""
    K, M = matrix.shape
    width = M % COLUMNS
    for k in range(first, min(K, first + STEPS)):
        for c in range(width):
            panel[k * COLUMNS + c] = matrix[k, M - width + c]


@inner
def forward_panel(x, kernel, bias, y, slope, x_rows, y_rows, steps, counts, packed, column, first, block_rows):
    """A panel of f(x W + b), for one block of examples."""
    N, M = y.shape
    width = min(COLUMNS, M - column)
    w, w_start, w_stride = (kernel.reshape(-1), column, M) if width == COLUMNS else (packed, 0, COLUMNS)
    multiply_panel(x, x_rows, first, min(N, first + block_rows), steps, steps, counts, w, w_start, w_stride, y, y_rows, column,
                   width, bias, slope)


@parallel
def _backward_kernel(x, dz, dkernel, dbias, x_rows, kernel_rows, counting, steps, counts, panels):
    """dW = x^T dz: columns of x, steps down them.  db = column sums of dz."""
    K, M = dkernel.shape
    x_steps, dz_steps = steps
    if M > LANES:
        for block in prange(counts.shape[0]):
            find_batch_steps(x, block * ROWS, x_steps[block], dz_steps[block], counts[block])
    panel_count, block_count, block_rows = share_out(K, M, max(TASKS, K * M // LARGE_TASK))
    for task in prange(panel_count * block_count):      # neighbours write to the same rows of dW, and so to the same pages of memory
        column, first = task % panel_count * COLUMNS, task // panel_count * block_rows
        backward_kernel_panel(x, dz, dkernel, dbias, kernel_rows, counting, x_steps, dz_steps, counts, panels[get_thread_id()],
                              column, first, block_rows)


@inner
def find_batch_steps(x, first, x_steps, dz_steps, counts):
    """The examples n in which the ROWS inputs from `first` on are not all zero: dz_steps = n, x_steps = n K."""
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
def backward_kernel_panel(x, dz, dkernel, dbias, kernel_rows, counting, x_steps, dz_steps, counts, panel, column, first,
                          block_rows):
    """A panel of dW, for one block of inputs, and with the first block its part of db."""
    K, M = dkernel.shape
    width = min(COLUMNS, M - column)
    if first == 0:
        sum_columns(dz, column, width, dbias, panel)
    w, w_start, w_stride = panel_of(dz, column, width, panel)
    multiply_panel(x, counting[:K], first, min(K, first + block_rows), x_steps, dz_steps, counts, w, w_start, w_stride, dkernel,
                   kernel_rows, column, width, dbias[:0], 1.0)


@parallel
def _backward_x(dz, kernel, dx, dz_rows, x_rows, counting, counts, panels):
    """dx = dz W^T: rows of dz, steps along them."""
    N, K = dx.shape
    panel_count, block_count, block_rows = share_out(N, K, PACKED_TASKS)
    for task in prange(panel_count * block_count):
        column, first = task // block_count * COLUMNS, task % block_count * block_rows
        backward_x_panel(dz, kernel, dx, dz_rows, x_rows, counting, counts, panels[get_thread_id()], column, first, block_rows)


@inner
def backward_x_panel(dz, kernel, dx, dz_rows, x_rows, counting, counts, panel, column, first, block_rows):
    """A panel of dx, for one block of examples: rows of W, as many as a panel has columns, are packed as its columns."""
    N, K = dx.shape
    M = kernel.shape[1]
    width = min(COLUMNS, K - column)
    steps = counting[:M].reshape(1, M)
    transpose_panel(kernel, column, width, panel)
    multiply_panel(dz, dz_rows, first, min(N, first + block_rows), steps, steps, counts, panel, 0, COLUMNS, dx, x_rows, column,
                   width, panel[:0], 1.0)


@inner
def sum_columns(matrix, column, width, sums, block_sums):
    """sums[column:column + width] = column sums of the matrix, in blocks of rows, in a fixed order."""
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
    """sums += numbers; at a panel's full width in vectors, since the compiler knows it."""
    if sums.size == COLUMNS:
        for c in range(COLUMNS):
            sums[c] += numbers[c]
    else:
        for c in range(sums.size):
            sums[c] += numbers[c]
