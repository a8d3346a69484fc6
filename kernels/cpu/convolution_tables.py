"""Convolutions as tables of offsets.

A convolution relates a fine image u (H, W, C) and a coarse image v (P, Q, M) by a kernel w of T
taps: position p of the coarse image meets position s p + o_t of the fine one at tap t, with
o_t = t - before. Along one axis, three sums are all that a convolution needs:

    correlate   v[p, m]     = sum over t, c of u[s p + o_t, c] w[t, c, m]
    spread      u[i, c]     = sum over t, m of v[(i - o_t) / s, m] w[t, c, m]
    gradient    dw[t, c, m] = sum over p of u[s p + o_t, c] v[p, m]

conv2d's forward pass correlates, and its dx spreads; conv2d_transpose does the opposite. The third
sum is dkernel of both.

Each is the sum of microkernel.py with tables of its own: rows and steps are positions in an array,
found once, when a layer first sees its input. In `spread` only the taps count for which i - o_t is
a multiple of s. Positions i with the same remainder share them, so there is a table for each of the
s x s remainders, a "phase", and nothing is scattered or added twice. The images are copied into
buffers with zeros around them, so that no kernel meets a border.
"""
import math
from typing import NamedTuple

import numpy as np

from ..errors import ScratchVAEError
from ..windows import padding_before
from .microkernel import COLUMNS
from .product import panel_count
from .winograd_work import WinogradScratch, suits, winograd_scratch


class Table(NamedTuple):
    """Offsets for the microkernel: a line for each phase; image after image within a line."""
    rows: np.ndarray            # where each row starts in x,
    out: np.ndarray             # and where its result starts in y
    row_counts: np.ndarray      # how many rows: of each image, or in all
    x_steps: np.ndarray
    w_steps: np.ndarray         # in rows of w
    step_counts: np.ndarray     # how many steps: of each image, or in all
    images_are_steps: bool      # a sum runs over all images (gradient), or else each has its rows


class Reach(NamedTuple):
    """What `spread` to a single channel needs of an axis."""
    stride: int
    offsets: np.ndarray         # o_t


class Tables(NamedTuple):
    """The three sums as tables, and the arrays that go with them."""
    correlate: Table
    spread: Table
    gradient: Table
    panels: np.ndarray          # for the kernel, packed
    taps: np.ndarray            # for a single fine channel: (v w^T)[p, t]
    down: Reach
    across: Reach


class ConvolutionScratch(NamedTuple):
    """Work space for at most N images.

    The buffers keep what a forward pass put there for the backward pass. Either the tables or
    winograd is None.
    """
    sizes: tuple                # N, and the arguments that must be the same
    swapped: bool               # the coarse image is called fine, and the fine one coarse
    fine: np.ndarray            # (N, height, width, C); with tables, zeros surround the images
    coarse: np.ndarray          # (N, height, width, M)
    fine_start: tuple           # row and column of the first pixel
    coarse_start: tuple
    sums: np.ndarray            # for dbias: sums over the height of each image
    tables: Tables
    winograd: WinogradScratch


def convolution_scratch(N, fine_shape, coarse_shape, window, strides, dtype):
    """Return the work space for batches of at most N images.

    Parameters
    ----------
    N : int
    fine_shape : (int, int, int)
        H, W, C.
    coarse_shape : (int, int, int)
        P, Q, M.
    window : (int, int)
        Height and width.
    strides : (int, int)
    dtype : dtype

    Raises
    ------
    ScratchVAEError
        If offsets into the buffers need more than 32 bits.
    """
    sizes = (N, tuple(fine_shape), tuple(coarse_shape), tuple(window), tuple(strides),
             np.dtype(dtype))
    line = max(fine_shape[1] * fine_shape[2], coarse_shape[1] * coarse_shape[2])
    sums = np.empty((N, line), dtype)
    # It is cheaper to spread to a single channel than to correlate to it.
    swapped = coarse_shape[2] == 1 and tuple(strides) == (1, 1)
    C = fine_shape[2]
    M = coarse_shape[2]
    if swapped:
        C, M = M, C
    if suits(C, M, window, strides):
        return ConvolutionScratch(
            sizes=sizes,
            swapped=False,
            fine=np.empty((N, *fine_shape), dtype),
            coarse=np.empty((N, *coarse_shape), dtype),
            fine_start=(0, 0),
            coarse_start=(0, 0),
            sums=sums,
            tables=None,
            winograd=winograd_scratch(
                N, coarse_shape[:2],
                [-padding_before(*axis) for axis in zip(fine_shape, coarse_shape, window, strides)],
                C, M, window[0], dtype))
    axes = [make_axis(*axis, swapped) for axis in zip(fine_shape, coarse_shape, window, strides)]
    fine = (N, axes[0].fine_padded, axes[1].fine_padded, C)
    coarse = (N, axes[0].coarse_padded, axes[1].coarse_padded, M)
    if max(math.prod(fine), math.prod(coarse), math.prod(window) * C * M) >= 2 ** 31:
        raise ScratchVAEError(f"convolution: arrays of shapes {fine} and {coarse} are too large "
                              "for 32-bit offsets; use a smaller batch")
    return ConvolutionScratch(
        sizes=sizes,
        swapped=swapped,
        fine=buffer(fine, dtype),
        coarse=buffer(coarse, dtype),
        fine_start=tuple(axis.fine_before for axis in axes),
        coarse_start=tuple(axis.coarse_before for axis in axes),
        sums=sums,
        tables=make_tables(N, axes, C, M, dtype),
        winograd=None)


def check_scratch(scratch, fine, coarse, kernel, strides):
    """Refuse work space made for other sizes: its tables would lead out of the arrays."""
    N, *made_for = scratch.sizes
    given = [fine.shape[1:], coarse.shape[1:], kernel.shape[:2], tuple(strides), kernel.dtype]
    if given != made_for or len(fine) > N:
        raise ScratchVAEError(f"convolution: the scratch was made for up to {N} images and "
                              f"{made_for}, got {len(fine)} and {given} (fine and coarse image, "
                              "window, strides, dtype)")


def as_taps(kernel, scratch):
    """Return the kernel as (T, C, M): the channels of what the scratch calls fine and coarse."""
    return kernel.reshape(-1, scratch.fine.shape[3], scratch.coarse.shape[3])


def buffer(shape, dtype):
    """Return zeros, and behind them the COLUMNS that the microkernel may read past a row's end."""
    size = math.prod(shape)
    return np.zeros(size + COLUMNS, dtype)[:size].reshape(shape)


class Axis(NamedTuple):
    """Heights or widths of the images, and of the zeros around them."""
    fine: int
    coarse: int
    stride: int
    offsets: np.ndarray         # o_t
    fine_before: int
    fine_padded: int
    coarse_before: int
    coarse_padded: int


def make_axis(fine, coarse, kernel, stride, swapped):
    """Return the geometry of an axis.

    swapped (for stride 1): the coarse image is called fine, and the fine one coarse.
    """
    offsets = np.arange(kernel) - padding_before(fine, coarse, kernel, stride)
    if swapped:
        fine, coarse = coarse, fine
        offsets = -offsets
    low = int(offsets.min())
    high = int(offsets.max())
    # `spread` asks for the coarse positions (i - o_t) / s, from -coarse_before to last.
    coarse_before = high // stride
    last = (fine - 1 - low) // stride
    return Axis(
        fine=fine,
        coarse=coarse,
        stride=stride,
        offsets=offsets,
        fine_before=-low,
        fine_padded=-low + max(fine, (coarse - 1) * stride + high + 1),
        coarse_before=coarse_before,
        coarse_padded=coarse_before + max(coarse, last + 1))


def make_tables(N, axes, C, M, dtype):
    """Return the Tables for N images and the two axes."""
    down, across = axes
    T = len(down.offsets) * len(across.offsets)
    single = C == 1
    packed = max(T * C * padded(M), T * M * padded(C), M * padded(T) if single else 0)
    return Tables(
        correlate=correlate_table(N, axes, C, M),
        spread=(spread_taps_table if single else spread_table)(N, axes, C, M),
        gradient=gradient_table(N, axes, C, M),
        panels=buffer((packed,), dtype),
        taps=buffer((N, down.coarse, across.coarse, T) if single else (0, 0, 0, 0), dtype),
        down=Reach(down.stride, down.offsets),
        across=Reach(across.stride, across.offsets))


def padded(columns):
    """Return the columns, rounded up to whole panels."""
    return panel_count(columns) * COLUMNS


def correlate_table(N, axes, C, M):
    """v[p, m] = sum over t, c of u[s p + o_t, c] w[t, c, m]."""
    down, across = axes
    rows = fine_pixels(N, axes, C, window_tops(down), window_tops(across))
    steps = window_steps(axes, C)
    return make_table([Phase(
        rows=rows,
        out=np.arange(len(rows)) * M,
        row_count=down.coarse * across.coarse,
        x_steps=steps,
        w_steps=np.arange(len(steps)),
        step_count=len(steps))])


def spread_table(N, axes, C, M):
    """u[i, c] = sum over t, m of v[(i - o_t) / s, m] w[t, c, m]: a phase for each i modulo s."""
    down, across = axes
    phases = []
    for i, j in np.ndindex(down.stride, across.stride):
        rows = np.arange(i, down.fine, down.stride)             # of the fine image
        columns = np.arange(j, across.fine, across.stride)
        row_taps = np.flatnonzero((i - down.offsets) % down.stride == 0)
        column_taps = np.flatnonzero((j - across.offsets) % across.stride == 0)
        row_steps = (i - down.offsets[row_taps]) // down.stride
        column_steps = (j - across.offsets[column_taps]) // across.stride
        x_steps = grid(row_steps * across.coarse_padded * M, column_steps * M, np.arange(M))
        phases.append(Phase(
            rows=coarse_pixels(N, axes, M, np.arange(len(rows)), np.arange(len(columns))),
            out=grid(np.arange(N) * down.fine * across.fine * C, rows * across.fine * C,
                     columns * C),
            row_count=len(rows) * len(columns),
            x_steps=x_steps,
            w_steps=grid(row_taps * len(across.offsets) * M, column_taps * M, np.arange(M)),
            step_count=len(x_steps)))
    return make_table(phases)


def spread_taps_table(N, axes, C, M):
    """(v w^T)[p, t] = sum over m of v[p, m] w[t, m]: for a single fine channel, of which a panel
    would be mostly empty.
    """
    down, across = axes
    T = len(down.offsets) * len(across.offsets)
    rows = coarse_pixels(N, axes, M, np.arange(down.coarse), np.arange(across.coarse))
    return make_table([Phase(
        rows=rows,
        out=np.arange(len(rows)) * T,
        row_count=down.coarse * across.coarse,
        x_steps=np.arange(M),
        w_steps=np.arange(M),
        step_count=M)])


def gradient_table(N, axes, C, M):
    """dw[t, c, m] = sum over p of u[s p + o_t, c] v[p, m]."""
    down, across = axes
    rows = window_steps(axes, C)
    coarse = coarse_pixels(N, axes, M, np.arange(down.coarse), np.arange(across.coarse))
    return make_table([Phase(
        rows=rows,
        out=np.arange(len(rows)) * M,
        row_count=len(rows),
        x_steps=fine_pixels(N, axes, C, window_tops(down), window_tops(across)),
        w_steps=coarse // M,
        step_count=down.coarse * across.coarse)], images_are_steps=True)


def window_tops(axis):
    """Return s p, for all positions p of the coarse image."""
    return np.arange(axis.coarse) * axis.stride


def window_steps(axes, C):
    """Return the steps from a pixel of the fine buffer to all that its window meets.

    They are in the order of the kernel: T, then C.
    """
    down, across = axes
    return grid(down.offsets * across.fine_padded * C, across.offsets * C, np.arange(C))


def fine_pixels(N, axes, C, rows, columns):
    """Return where the pixels of these rows and columns start in the fine buffer."""
    down, across = axes
    line = across.fine_padded * C
    return grid(np.arange(N) * down.fine_padded * line, (rows + down.fine_before) * line,
                (columns + across.fine_before) * C)


def coarse_pixels(N, axes, M, rows, columns):
    """Return where the pixels of these rows and columns start in the coarse buffer."""
    down, across = axes
    line = across.coarse_padded * M
    return grid(np.arange(N) * down.coarse_padded * line, (rows + down.coarse_before) * line,
                (columns + across.coarse_before) * M)


def grid(*axes):
    """Return all sums of a number from each axis; the last axis runs fastest."""
    total = np.zeros(1, np.int64)
    for axis in axes:
        total = np.add.outer(total, axis).ravel()
    return total


class Phase(NamedTuple):
    """A line of a Table."""
    rows: np.ndarray
    out: np.ndarray
    row_count: int
    x_steps: np.ndarray
    w_steps: np.ndarray
    step_count: int


def make_table(phases, images_are_steps=False):
    """Return the Table of the phases."""
    rows, out, row_counts, x_steps, w_steps, step_counts = zip(*phases)
    return Table(
        rows=stack(rows),
        out=stack(out),
        row_counts=np.array(row_counts, np.int64),
        x_steps=stack(x_steps),
        w_steps=stack(w_steps),
        step_counts=np.array(step_counts, np.int64),
        images_are_steps=images_are_steps)


def stack(lines):
    """Return lines of several lengths as a matrix of int32; zeros fill up the shorter ones."""
    table = np.zeros((len(lines), max(map(len, lines))), np.int32)
    for row, line in zip(table, lines):
        row[:len(line)] = line
    return table
