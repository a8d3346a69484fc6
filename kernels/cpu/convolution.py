"""The three products of a convolution, and with them the layer in either direction.

See convolution_tables.py for the products, u, v and the kernel w (T, C, M), and how tables turn
them into the sum of the microkernel.
"""
import math
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, prange

from . import winograd
from .activations import (
    LEAKY_RELU,
    activate,
    activate_rest,
    activation_backward,
    activation_code,
    differentiate,
    tile_slope,
)
from .convolution_tables import Reach, Table
from .jit import inner, parallel
from .microkernel import COLUMNS, ROWS
from .product import (
    TASKS,
    Block,
    Finish,
    Panel,
    Result,
    block_rows,
    multiply,
    panel_count,
    transpose_panel,
)

LARGEST_BLOCK = 64 * ROWS       # rows of a task: what they read and write stays in the second cache
NO_FINISH = {np.dtype(dtype): Finish(np.empty(0, dtype), 1.0) for dtype in ("float32", "float64")}


class Panels(NamedTuple):
    """A matrix w as panels of COLUMNS columns."""
    w: np.ndarray
    step: int                   # from one panel to the next
    stride: int                 # from one row of a panel to the next
    columns: int                # of the matrix


# The layer, from the fine image down to the coarse one. kernel and dkernel are (T, C, M).

def down_forward(x, kernel, bias, y, activation, scratch):
    """y = f(correlate(x, w) + b)."""
    _fill(x, scratch.fine, scratch.fine_start)
    correlate(scratch, kernel, y, Finish(bias, tile_slope(activation)))
    activate_rest(y, activation)


def down_backward(dout, y, kernel, dx, dkernel, dbias, activation, scratch):
    """dw = gradient(x, dz) and dx = spread(dz, w). The forward pass left x in the scratch."""
    fill_gradient(dout, y, dbias, activation, scratch.coarse, scratch.coarse_start, scratch.sums)
    gradient(scratch, len(dout), dkernel)
    if dx is not None:
        spread(scratch, kernel, dx, NO_FINISH[dx.dtype])


# The layer, from the coarse image up to the fine one.

def up_forward(x, kernel, bias, y, activation, scratch):
    """y = f(spread(x, w) + b)."""
    _fill(x, scratch.coarse, scratch.coarse_start)
    spread(scratch, kernel, y, Finish(bias, tile_slope(activation)))
    activate_rest(y, activation)


def up_backward(dout, y, kernel, dx, dkernel, dbias, activation, scratch):
    """dw = gradient(dz, x) and dx = correlate(dz, w). The forward pass left x in the scratch."""
    fill_gradient(dout, y, dbias, activation, scratch.fine, scratch.fine_start, scratch.sums)
    gradient(scratch, len(dout), dkernel)
    if dx is not None:
        correlate(scratch, kernel, dx, NO_FINISH[dx.dtype])


# Into the buffers of the scratch.

@parallel
def _fill(x, padded, start):
    """Copy images (N, H, W, F) into a buffer, from pixel `start` on."""
    N, H = x.shape[:2]
    top, left = start
    for line in prange(N * H):
        n = line // H
        i = line % H
        from_line = x[n, i].reshape(-1)
        to_line = inside(padded[n, top + i], left, from_line.size)
        for j in range(from_line.size):
            to_line[j] = from_line[j]


@inner
def inside(line, left, size):
    """Return `size` numbers of a padded line (W, F), from pixel `left` on."""
    start = left * line.shape[1]
    return line.reshape(-1)[start:start + size]


def fill_gradient(dout, y, dbias, activation, padded, start, sums):
    """Write dz = dout * f'(z) into a buffer, from pixel `start` on, and dbias = its sums."""
    if activation == "softmax":         # not element by element
        dz = np.empty_like(dout)
        activation_backward(dout, y, dz, activation)
        dout = dz
        activation = "linear"
    code, slope = activation_code(activation)
    _fill_gradient(dout, y, code, slope, padded, start, sums, dbias)


@parallel
def _fill_gradient(dout, y, code, slope, padded, start, sums, dbias):
    N, H, W, F = dout.shape
    top, left = start
    for n in prange(N):
        line_sums = sums[n, :W * F]                     # over the height of image n
        for j in range(W * F):
            line_sums[j] = 0
        for i in range(H):
            dz = inside(padded[n, top + i], left, W * F)
            differentiate(dout[n, i].reshape(-1), y[n, i].reshape(-1), dz, code, slope)
            for j in range(W * F):
                line_sums[j] += dz[j]
    for f in range(F):
        total = 0.0
        for n in range(N):
            for j in range(f, W * F, F):
                total += sums[n, j]
        dbias[f] = total


# The products, from the buffers of the scratch.

def correlate(scratch, kernel, v, finish):
    """v (N, P, Q, M) = correlate(scratch.fine, w), and then the Finish."""
    if scratch.winograd:
        winograd.correlate(scratch.winograd, scratch.fine[:len(v)], kernel, v, finish)
    else:
        panels = pack(kernel, scratch.tables.panels)
        multiply_table(scratch.fine, panels, v, scratch.tables.correlate, len(v), finish)


def pack(kernel, packed):
    """Return the Panels of w as a matrix (T C, M), copied to `packed`."""
    T, C, M = kernel.shape
    _pack(kernel.reshape(T * C, M), packed)
    return Panels(packed, T * C * COLUMNS, COLUMNS, M)


@parallel
def _pack(matrix, packed):
    """Copy a matrix (K, M) into panels of COLUMNS columns, one after the other."""
    K, M = matrix.shape
    for task in prange(panel_count(M) * K):
        column = task // K * COLUMNS
        k = task % K
        row = matrix[k, column:column + COLUMNS]
        packed_row = packed[column * K + k * COLUMNS:]
        for c in range(row.size):
            packed_row[c] = row[c]


def spread(scratch, kernel, u, finish):
    """u (N, H, W, C) = spread(scratch.coarse, w), and then the Finish."""
    if scratch.winograd:
        winograd.spread(scratch.winograd, scratch.coarse[:len(u)], kernel, u, finish)
    elif kernel.shape[1] == 1:
        spread_to_one(scratch, kernel, u, finish)
    else:
        panels = pack_transposed(kernel, scratch.tables.panels)
        multiply_table(scratch.coarse, panels, u, scratch.tables.spread, len(u), finish)


def pack_transposed(kernel, packed):
    """Return the Panels of the transpose (T M, C) of w, copied to `packed`."""
    T, C, M = kernel.shape
    _pack_transposed(kernel, packed)
    return Panels(packed, T * M * COLUMNS, COLUMNS, C)


@parallel
def _pack_transposed(kernel, packed):
    T, C, M = kernel.shape
    for task in prange(panel_count(C) * T):
        column = task // T * COLUMNS
        t = task % T
        start = (column * T + t * COLUMNS) * M
        transpose_panel(kernel[t], column, min(COLUMNS, C - column),
                        packed[start:start + M * COLUMNS])


def spread_to_one(scratch, kernel, u, finish):
    """The same for a single channel, of which a panel would be mostly empty.

    Multiply by all taps at once, then add up.
    """
    T, _, M = kernel.shape
    tables = scratch.tables
    taps = tables.taps[:len(u)]
    panels = pack_transposed(kernel.reshape(1, T, M), tables.panels)
    multiply_table(scratch.coarse, panels, taps, tables.spread, len(u), NO_FINISH[u.dtype])
    _collect_taps(taps, u, tuple(tables.down), tuple(tables.across), tuple(finish))


@parallel
def _collect_taps(taps, u, down, across, finish):
    """u[i] = sum over t of taps[(i - o_t) / s, t], and then the Finish, for a single channel."""
    down = Reach(*down)
    across = Reach(*across)
    finish = Finish(*finish)
    N, H, W, _ = u.shape
    for line in prange(N * H):
        n = line // H
        i = line % H
        pixels = u[n, i].reshape(-1)
        for j in range(W):
            pixels[j] = finish.bias[0] if finish.bias.size > 0 else 0
        collect_line(taps[n], i, pixels, down, across)
        activate(pixels, pixels, LEAKY_RELU, finish.slope)


@inner
def collect_line(taps, i, pixels, down, across):
    """Add to line i what each tap of the window brings from the coarse line that it lies over."""
    P, Q, _ = taps.shape
    stride = across.stride
    for a in range(down.offsets.size):
        distance = i - down.offsets[a]
        p = distance // down.stride
        if p * down.stride == distance and 0 <= p < P:
            for b in range(across.offsets.size):
                offset = across.offsets[b]
                first = max(0, -(offset // stride))
                stop = min(Q, (pixels.size - 1 - offset) // stride + 1)
                reached = pixels[first * stride + offset::stride]
                brought = taps[p, first:stop, a * across.offsets.size + b]
                for q in range(brought.size):
                    reached[q] += brought[q]


def gradient(scratch, images, dkernel):
    """dw (T, C, M) = gradient(scratch.fine, scratch.coarse), from so many images."""
    if scratch.winograd:
        winograd.gradient(scratch.winograd, scratch.fine[:images], scratch.coarse[:images], dkernel)
    else:
        M = dkernel.shape[2]
        panels = Panels(scratch.coarse, COLUMNS, M, M)          # read in place
        multiply_table(scratch.fine, panels, dkernel, scratch.tables.gradient, images,
                       NO_FINISH[dkernel.dtype])


# Any product, by its table.

def multiply_table(x, panels, y, table, images, finish):
    """y = the sums of a Table over x and w, for so many images, and then the Finish."""
    columns = panels.columns
    if table.images_are_steps:
        tasks = gradient_tasks(columns)
    else:
        tasks = row_tasks(y.size // columns, columns)
    _multiply(x, tuple(panels), y, tuple(table), images, tasks, tuple(finish))


def row_tasks(rows, columns):
    """Return enough tasks for the threads to share, and small enough ones."""
    return max(TASKS, rows * panel_count(columns) // LARGEST_BLOCK)


def gradient_tasks(columns):
    """Return as few tasks as keep the threads busy, since each task reads all positions.

    Tasks are panels, or panels times blocks of rows.
    """
    threads = get_num_threads()
    panels = panel_count(columns)
    return panels * (threads // math.gcd(panels, threads))


@parallel
def _multiply(x, panels, y, table, images, tasks, finish):
    panels = Panels(*panels)
    table = Table(*table)
    finish = Finish(*finish)
    row_images = 1 if table.images_are_steps else images
    step_images = images if table.images_are_steps else 1
    phases = table.rows.shape[0]
    panels_of_phase = panel_count(panels.columns)
    longest = 0
    for phase in range(phases):
        longest = max(longest, table.row_counts[phase] * row_images)
    parts = panels_of_phase * phases
    size = block_rows(longest, (tasks + parts - 1) // parts)
    blocks = (longest + size - 1) // size
    for task in prange(parts * blocks):
        phase = task % phases               # phases differ in work: each thread gets some of all
        number = task // phases % panels_of_phase
        first = task // parts * size
        row_count = table.row_counts[phase] * row_images
        step_count = table.step_counts[phase] * step_images
        column = number * COLUMNS
        block = Block(x, table.rows[phase, :row_count], first, min(row_count, first + size))
        panel = Panel(panels.w, number * panels.step, panels.stride)
        result = Result(y, table.out[phase, :row_count], column,
                        min(COLUMNS, panels.columns - column))
        add_to_y = False
        multiply(block, table.x_steps[phase, :step_count], table.w_steps[phase, :step_count], panel,
                 result, finish, add_to_y)
