"""The three products of a convolution (convolution_tables.py), and with them the layer in either direction."""
import math

import numpy as np
from numba import get_num_threads, prange

from . import winograd
from .activations import (
    LEAKY_RELU,
    activate,
    activation_backward,
    activation_code,
    activation_forward,
    differentiate,
    negative_slope,
)
from .jit import inner, parallel
from .microkernel import COLUMNS, ROWS
from .product import TASKS, multiply_rows, transpose_panel

BLOCK_ROWS = 64 * ROWS          # of a task, at most: what they read and write stays in the second cache
NO_BIAS = {np.dtype(dtype): np.empty(0, dtype) for dtype in (np.float32, np.float64)}


# The layer: from the fine to the coarse image, or up again.  kernel and dkernel are (T, C, M), the rest as in the contract.

def down_forward(x, kernel, bias, y, activation, scratch):
    """y = f(correlate(x, w) + b)."""
    _fill(x, scratch.fine, *scratch.fine_start)
    correlate(scratch, kernel, y, bias, negative_slope(activation))
    finish_activation(y, activation)


def down_backward(dout, y, kernel, dx, dkernel, dbias, activation, scratch):
    """dw = gradient(x, dz) and dx = spread(dz, w), with the x that the forward pass left in the scratch."""
    fill_gradient(dout, y, dbias, activation, scratch.coarse, scratch.coarse_start, scratch.sums)
    gradient(scratch, len(dout), dkernel)
    if dx is not None:
        spread(scratch, kernel, dx)


def up_forward(x, kernel, bias, y, activation, scratch):
    """y = f(spread(x, w) + b)."""
    _fill(x, scratch.coarse, *scratch.coarse_start)
    spread(scratch, kernel, y, bias, negative_slope(activation))
    finish_activation(y, activation)


def up_backward(dout, y, kernel, dx, dkernel, dbias, activation, scratch):
    """dw = gradient(dz, x) and dx = correlate(dz, w), with the x that the forward pass left in the scratch."""
    fill_gradient(dout, y, dbias, activation, scratch.fine, scratch.fine_start, scratch.sums)
    gradient(scratch, len(dout), dkernel)
    if dx is not None:
        correlate(scratch, kernel, dx)


def finish_activation(y, activation):
    """y = f(y), unless the microkernel has done it."""
    if negative_slope(activation) is None:
        activation_forward(y, y, activation)


def fill_gradient(dout, y, dbias, activation, buffer, start, sums):
    """buffer = dz = dout * f'(z), with zeros around it, and dbias = its sums."""
    if activation == "softmax":         # not element by element
        dz = np.empty_like(dout)
        activation_backward(dout, y, dz, activation)
        dout, activation = dz, "linear"
    _fill_gradient(dout, y, buffer, *start, *activation_code(activation), sums, dbias)


# The products, from the scratch's buffers.

def correlate(scratch, kernel, v, bias=None, slope=None):
    """v (N, P, Q, M) = correlate(scratch.fine, kernel), and then f(v + bias), with slope as in the microkernel."""
    T, C, M = kernel.shape
    if scratch.winograd:
        winograd.correlate(scratch.winograd, scratch.fine[:len(v)], kernel, v, *finish(v, bias, slope))
    else:
        panels = scratch.tables.panels
        _pack(kernel.reshape(T * C, M), panels)
        _multiply(scratch.fine, panels, T * C * COLUMNS, COLUMNS, v, *scratch.tables.correlate, len(v), 1, M, row_tasks(v),
                  *finish(v, bias, slope))


def spread(scratch, kernel, u, bias=None, slope=None):
    """u (N, H, W, C) = spread(scratch.coarse, kernel), and then f(u + bias)."""
    T, C, M = kernel.shape
    if scratch.winograd:
        winograd.spread(scratch.winograd, scratch.coarse[:len(u)], kernel, u, *finish(u, bias, slope))
    elif C == 1:
        spread_to_one(scratch, kernel, u, bias, slope)
    else:
        panels = scratch.tables.panels
        _pack_transposed(kernel, panels)
        _multiply(scratch.coarse, panels, T * M * COLUMNS, COLUMNS, u, *scratch.tables.spread, len(u), 1, C, row_tasks(u),
                  *finish(u, bias, slope))


def spread_to_one(scratch, kernel, u, bias, slope):
    """The same for a single channel, of which a panel would be mostly empty: multiply by all taps at once, then add up."""
    T, _, M = kernel.shape
    panels, taps = scratch.tables.panels, scratch.tables.taps[:len(u)]
    _pack_transposed(kernel.reshape(1, T, M), panels)
    _multiply(scratch.coarse, panels, M * COLUMNS, COLUMNS, taps, *scratch.tables.spread, len(u), 1, T, row_tasks(taps), *finish(u))
    _collect_taps(taps, u, *scratch.tables.axes, *finish(u, bias, slope))


def gradient(scratch, images, dkernel):
    """dkernel (T, C, M) = gradient(scratch.fine, scratch.coarse), from so many images."""
    M = dkernel.shape[2]
    if scratch.winograd:
        winograd.gradient(scratch.winograd, scratch.fine[:images], scratch.coarse[:images], dkernel)
    else:
        _multiply(scratch.fine, scratch.coarse, COLUMNS, M, dkernel, *scratch.tables.gradient, 1, images, M, gradient_tasks(M),
                  *finish(dkernel))


def row_tasks(y):
    """Enough tasks for the threads to share, and small enough ones."""
    columns = y.shape[3]
    return max(TASKS, y.size // columns * -(-columns // COLUMNS) // BLOCK_ROWS)


def gradient_tasks(columns):
    """As few tasks as keep the threads busy, since each reads all positions: the panels, or panels times blocks of rows."""
    threads, panels = get_num_threads(), -(-columns // COLUMNS)
    return panels * (threads // math.gcd(panels, threads))


def finish(y, bias=None, slope=None):
    """Bias and slope as the kernels take them: an empty bias for none, and 1 for an activation that they don't know."""
    return NO_BIAS[y.dtype] if bias is None else bias, 1.0 if slope is None else slope


@parallel
def _multiply(x, w, panel_step, w_stride, y, rows, out, row_counts, x_steps, w_steps, step_counts, row_images, step_images, columns,
              tasks, bias, slope):
    """y = the sums of a Table, and then f(y + bias), for so many images.  The columns of w come in panels, panel_step apart."""
    phase_count, panel_count = rows.shape[0], (columns + COLUMNS - 1) // COLUMNS
    longest = 0
    for phase in range(phase_count):
        longest = max(longest, row_counts[phase] * row_images)
    block_rows = rows_of_block(longest, panel_count * phase_count, tasks)
    block_count = (longest + block_rows - 1) // block_rows
    for task in prange(phase_count * panel_count * block_count):        # phases differ in work: each thread gets some of all
        phase, panel, block = task % phase_count, task // phase_count % panel_count, task // (phase_count * panel_count)
        row_count, step_count = row_counts[phase] * row_images, step_counts[phase] * step_images
        multiply_block(x, rows[phase, :row_count], x_steps[phase, :step_count], w_steps[phase, :step_count], w, panel * panel_step,
                       w_stride, y, out[phase, :row_count], block * block_rows, block_rows, panel * COLUMNS, columns, bias, slope)


@inner
def rows_of_block(rows, parts, tasks):
    """How many rows a task works on, a multiple of ROWS, where the result is cut in so many parts already."""
    blocks = (tasks + parts - 1) // parts
    return ((rows + blocks - 1) // blocks + ROWS - 1) // ROWS * ROWS


@inner
def multiply_block(x, rows, x_steps, w_steps, w, w_start, w_stride, y, out, first, block_rows, column, columns, bias, slope):
    """A panel of columns of a block of rows."""
    last, width = min(rows.size, first + block_rows), min(COLUMNS, columns - column)
    multiply_rows(x, rows, first, last, x_steps, w_steps, w, w_start, w_stride, y, out, column, width, bias, slope, False)


@parallel
def _collect_taps(taps, u, h_stride, h_offsets, w_stride, w_offsets, bias, slope):
    """u[i] = sum over t of taps[(i - o_t) / s, t], and then f(u + bias), for a single channel."""
    N, H, W, _ = u.shape
    for line in prange(N * H):
        pixels = u[line // H, line % H].reshape(-1)
        for j in range(W):
            pixels[j] = bias[0] if bias.size > 0 else 0
        collect_line(taps[line // H], line % H, pixels, h_stride, h_offsets, w_stride, w_offsets)
        activate(pixels, pixels, LEAKY_RELU, slope)


@inner
def collect_line(taps, i, pixels, h_stride, h_offsets, w_stride, w_offsets):
    """Add to a line of pixels what each tap of the window brings from the coarse line that it lies over."""
    P, Q, _ = taps.shape
    for a in range(h_offsets.size):
        p = (i - h_offsets[a]) // h_stride
        if p * h_stride == i - h_offsets[a] and 0 <= p < P:
            for b in range(w_offsets.size):
                offset = w_offsets[b]
                first, stop = max(0, -(offset // w_stride)), min(Q, (pixels.size - 1 - offset) // w_stride + 1)
                reached, brought = pixels[first * w_stride + offset::w_stride], taps[p, first:stop, a * w_offsets.size + b]
                for q in range(brought.size):
                    reached[q] += brought[q]


# Into the buffers and panels.

@parallel
def _fill(x, padded, top, left):
    """Copy images (N, H, W, C) into a buffer, from pixel (top, left) on."""
    N, H = x.shape[:2]
    for line in prange(N * H):
        from_line = x[line // H, line % H].reshape(-1)
        to_line = inside(padded[line // H, top + line % H], left, from_line.size)
        for i in range(from_line.size):
            to_line[i] = from_line[i]


@inner
def inside(line, left, size):
    """`size` numbers of a padded line (W, C), from pixel `left` on."""
    start = left * line.shape[1]
    return line.reshape(-1)[start:start + size]


@parallel
def _fill_gradient(dout, y, padded, top, left, code, slope, sums, dbias):
    """Write dz = dout * f'(z) into a buffer, from pixel (top, left) on, and sum it over images and pixels."""
    N, H, W, F = dout.shape
    for n in prange(N):
        line_sums = sums[n, :W * F]
        for j in range(W * F):
            line_sums[j] = 0
        for i in range(H):
            dz = inside(padded[n, top + i], left, W * F)
            differentiate(dout[n, i].reshape(-1), y[n, i].reshape(-1), dz, code, slope)
            for j in range(W * F):
                line_sums[j] += dz[j]
    for m in range(F):
        total = 0.0
        for n in range(N):
            for j in range(m, W * F, F):
                total += sums[n, j]
        dbias[m] = total


@parallel
def _pack(matrix, panels):
    """Copy a matrix (K, M) into panels of COLUMNS columns, one behind the other."""
    K, M = matrix.shape
    for task in prange((M + COLUMNS - 1) // COLUMNS * K):
        column, k = task // K * COLUMNS, task % K
        row, packed = matrix[k, column:column + COLUMNS], panels[column * K + k * COLUMNS:]
        for c in range(row.size):
            packed[c] = row[c]


@parallel
def _pack_transposed(kernel, panels):
    """Copy the transpose (T M, C) of a kernel (T, C, M) into panels of COLUMNS columns, one behind the other."""
    T, C, M = kernel.shape
    for task in prange((C + COLUMNS - 1) // COLUMNS * T):
        column, t = task // T * COLUMNS, task % T
        start = (column * T + t * COLUMNS) * M
        transpose_panel(kernel[t], column, min(COLUMNS, C - column), panels[start:start + M * COLUMNS])
