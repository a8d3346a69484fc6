"""Dense layer in Numba: three products by the microkernel, and the activation in the same kernel.

The mathematics stands in reference/dense.py.  A thread takes a panel of 16 columns of the result and works down it, six rows at
a time; where the panels are few, they are cut into blocks of rows as well.
"""
from typing import NamedTuple

import numba
import numpy as np
from numba import get_thread_id, prange

from ..contract import operation
from .activations import LINEAR, SOFTMAX, activate, activation_backward, activation_code, activation_forward
from .jit import jit, parallel
from .microkernel import COLUMNS
from .product import multiply_panel, panel_of, share_out

BIAS_BLOCK = 256                # rows summed at a time for dbias: a single long float32 sum loses digits


class DenseScratch(NamedTuple):
    """Offset tables (see microkernel.py), and a panel of 16 columns for each thread to pack what can't be read in place."""
    x_rows: np.ndarray          # n K: where example n starts in x and dx
    y_rows: np.ndarray          # n M: where example n starts in y and dz
    kernel_rows: np.ndarray     # k M: where row k starts in kernel and dkernel
    counting: np.ndarray        # 0, 1, 2, ...: along a row
    panels: np.ndarray


def dense_scratch(batch, inputs, units, dtype):
    """Work space for a dense layer of that many examples, inputs and units."""
    longest = max(batch, inputs, units)
    if longest * max(inputs, units) >= 2 ** 31:
        raise ValueError(f"dense: arrays of {batch} x {inputs} x {units} are too large for 32-bit offsets; use a smaller batch")
    counting = np.arange(longest, dtype=np.int32)
    return DenseScratch(counting[:batch] * inputs, counting[:batch] * units, counting[:inputs] * units, counting,
                        np.empty((numba.config.NUMBA_NUM_THREADS, longest * COLUMNS), dtype))


@operation
def dense_forward(x, kernel, bias, y, activation, scratch):
    """y = f(x W + b).  x (N, K), kernel (K, M), bias (M,), y (N, M)."""
    code, slope = activation_code(activation)
    _forward(x, kernel, bias, y, LINEAR if code == SOFTMAX else code, slope,
             scratch.x_rows, scratch.y_rows, scratch.counting, scratch.panels)
    if code == SOFTMAX:         # needs whole rows, not tiles
        activation_forward(y, y, activation)


@operation
def dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch):
    """dkernel, dbias and dx from dout (N, M), and the x and y of the forward pass.

    dz (N, M) is work space for dout * f'(z).  dx (N, K) may be None where nobody needs it, as in a first layer.
    """
    if activation == "linear":
        dz = dout
    else:
        activation_backward(dout, y, dz, activation)
    _backward_kernel(x, dz, dkernel, dbias, scratch.x_rows, scratch.kernel_rows, scratch.counting, scratch.panels)
    if dx is not None:
        _backward_x(dz, kernel, dx, scratch.y_rows, scratch.x_rows, scratch.counting, scratch.panels)


@parallel
def _forward(x, kernel, bias, y, code, slope, x_rows, y_rows, counting, panels):
    """y = f(x W + b): rows of x, steps along them."""
    (N, K), M = x.shape, kernel.shape[1]
    panel_count, block_count, block_rows = share_out(N, M)
    for task in prange(panel_count * block_count):
        column, first = task // block_count * COLUMNS, task % block_count * block_rows
        width = min(COLUMNS, M - column)
        w, w_start, w_stride = panel_of(kernel, column, width, panels[get_thread_id()])
        multiply_panel(x, x_rows, first, min(N, first + block_rows), counting, K, w, w_start, w_stride, y, y_rows, column, width)
    for n in prange(N):
        row = y[n]
        for m in range(M):
            row[m] += bias[m]
        activate(row, row, code, slope)


@parallel
def _backward_kernel(x, dz, dkernel, dbias, x_rows, kernel_rows, counting, panels):
    """dW = x^T dz: columns of x, steps down them.  db = column sums of dz."""
    (K, M), N = dkernel.shape, dz.shape[0]
    for panel in prange((M + COLUMNS - 1) // COLUMNS):
        column = panel * COLUMNS
        width = min(COLUMNS, M - column)
        sum_columns(dz, column, width, dbias, panels[get_thread_id()])
        w, w_start, w_stride = panel_of(dz, column, width, panels[get_thread_id()])
        multiply_panel(x, counting[:K], 0, K, x_rows, N, w, w_start, w_stride, dkernel, kernel_rows, column, width)


@parallel
def _backward_x(dz, kernel, dx, dz_rows, x_rows, counting, panels):
    """dx = dz W^T: rows of dz, steps along them; 16 rows of W, transposed, are the panel."""
    (K, M), N = kernel.shape, dz.shape[0]
    panel_count, block_count, block_rows = share_out(N, K)
    for task in prange(panel_count * block_count):
        column, first = task // block_count * COLUMNS, task % block_count * block_rows
        width = min(COLUMNS, K - column)
        w = panels[get_thread_id()]
        for m in range(M):
            for c in range(width):
                w[m * COLUMNS + c] = kernel[column + c, m]
        multiply_panel(dz, dz_rows, first, min(N, first + block_rows), counting, M, w, 0, COLUMNS, dx, x_rows, column, width)


@jit
def sum_columns(matrix, column, width, sums, block_sums):
    """sums[column:column + width] = column sums of the matrix, in blocks of rows, in a fixed order."""
    sums = sums[column:column + width]
    block_sums = block_sums[:width]
    sums[:] = 0
    for first in range(0, matrix.shape[0], BIAS_BLOCK):
        block = matrix[first:first + BIAS_BLOCK, column:column + width]
        block_sums[:] = 0
        for row in range(block.shape[0]):
            for c in range(width):
                block_sums[c] += block[row, c]
        for c in range(width):
            sums[c] += block_sums[c]
