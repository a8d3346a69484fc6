"""Convolutions as tables of offsets.

A convolution relates a fine image u (H, W, C) and a coarse image v (P, Q, M) by a kernel w of T taps: position p of the coarse
image meets position s p + o_t of the fine one at tap t, o_t = t - before.  Along one axis, three sums are all there is to it:

    correlate   v[p, m]     = sum over t, c of u[s p + o_t, c] w[t, c, m]            conv2d forward,  conv2d_transpose dx
    spread      u[i, c]     = sum over t, m of v[(i - o_t) / s, m] w[t, c, m]        conv2d dx,       conv2d_transpose forward
    gradient    dw[t, c, m] = sum over p of u[s p + o_t, c] v[p, m]                  dkernel of both

Each is the sum of microkernel.py with tables of its own: rows and steps are positions in an array, found once, when a layer first
sees its input.  In `spread` only the taps count for which i - o_t is a multiple of s; positions i with the same remainder share
them, so there is a table for each of the s x s remainders, a "phase", and nothing is scattered or added twice.  The images are
copied into buffers with zeros around them, so that no kernel meets a border.
"""
import math
from typing import NamedTuple

import numpy as np

from ..errors import ScratchVAEError
from ..windows import padding_before
from .microkernel import COLUMNS
from .winograd import WinogradScratch, suits, winograd_scratch


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
    """The geometry of one axis; swapped (for stride 1): the coarse image is called fine, and the fine one coarse."""
    offsets = np.arange(kernel) - padding_before(fine, coarse, kernel, stride)
    if swapped:
        fine, coarse, offsets = coarse, fine, -offsets
    low, high = int(offsets.min()), int(offsets.max())
    coarse_before = high // stride              # the first and last position that `spread` asks for: (i - o_t) / s
    last = (fine - 1 - low) // stride
    return Axis(fine, coarse, stride, offsets, -low, -low + max(fine, (coarse - 1) * stride + high + 1),
                coarse_before, coarse_before + max(coarse, last + 1))


class Table(NamedTuple):
    """Offsets for the microkernel, a line for each phase; rows or steps of one image after those of the other."""
    rows: np.ndarray            # where each row starts in x,
    out: np.ndarray             # and where its result in y
    row_counts: np.ndarray      # how many of them: for each image, or in all
    x_steps: np.ndarray
    w_steps: np.ndarray         # in rows of w
    step_counts: np.ndarray     # how many of them: for each image, or in all


class Tables(NamedTuple):
    """The three sums as tables, and the arrays that go with them."""
    correlate: Table
    spread: Table
    gradient: Table
    panels: np.ndarray          # the kernel, packed
    taps: np.ndarray            # for one fine channel: (v w^T)[p, t]
    axes: tuple                 # for one fine channel: stride and o_t, for heights and for widths


class ConvolutionScratch(NamedTuple):
    """Buffers, which keep what a forward pass put there for the backward pass, and one of two ways to compute with them."""
    sizes: tuple                # what it was made for: the largest batch, and the arguments that must be the same
    swapped: bool               # the coarse image is called fine, and the fine one coarse
    fine: np.ndarray            # (batch, height, width, C), with zeros around the images if there are tables
    coarse: np.ndarray          # (batch, height, width, M)
    fine_start: tuple           # row and column of the first pixel
    coarse_start: tuple
    sums: np.ndarray            # for dbias: sums over the height of each image
    tables: Tables              # or None
    winograd: WinogradScratch   # or None


def convolution_scratch(batch, fine_shape, coarse_shape, window, strides, dtype):
    """Work space for images of fine_shape (H, W, C) and coarse_shape (P, Q, M), and batches of at most that size."""
    sizes = (batch, tuple(fine_shape), tuple(coarse_shape), tuple(window), tuple(strides), np.dtype(dtype))
    swapped = coarse_shape[2] == 1 and tuple(strides) == (1, 1)     # one channel is cheaper to spread to than to correlate to
    C, M = (coarse_shape[2], fine_shape[2]) if swapped else (fine_shape[2], coarse_shape[2])
    sums = np.empty((batch, max(fine_shape[1] * fine_shape[2], coarse_shape[1] * coarse_shape[2])), dtype)
    if suits(C, M, window, strides):
        start = [-padding_before(*axis) for axis in zip(fine_shape, coarse_shape, window, strides)]
        return ConvolutionScratch(sizes, False, np.empty((batch, *fine_shape), dtype), np.empty((batch, *coarse_shape), dtype), (0, 0), (0, 0),
                                  sums, None, winograd_scratch(batch, coarse_shape[:2], start, C, M, window[0], dtype))
    axes = [make_axis(*axis, swapped) for axis in zip(fine_shape, coarse_shape, window, strides)]
    fine = (batch, axes[0].fine_padded, axes[1].fine_padded, C)
    coarse = (batch, axes[0].coarse_padded, axes[1].coarse_padded, M)
    if max(math.prod(fine), math.prod(coarse), math.prod(window) * C * M) >= 2 ** 31:
        raise ScratchVAEError(f"convolution: arrays of shapes {fine} and {coarse} are too large for 32-bit offsets; use a smaller batch")
    return ConvolutionScratch(sizes, swapped, buffer(fine, dtype), buffer(coarse, dtype), tuple(axis.fine_before for axis in axes),
                              tuple(axis.coarse_before for axis in axes), sums, make_tables(batch, axes, C, M, dtype), None)


def make_tables(batch, axes, C, M, dtype):
    """The three tables."""
    h, w = axes
    T = len(h.offsets) * len(w.offsets)
    single = C == 1
    return Tables(
        correlate=correlate_table(batch, axes, C, M),
        spread=spread_taps_table(batch, axes, C, M) if single else spread_table(batch, axes, C, M),
        gradient=gradient_table(batch, axes, C, M),
        panels=buffer((max(T * C * padded(M), T * M * padded(C), M * padded(T) if single else 0),), dtype),
        taps=buffer((batch, h.coarse, w.coarse, T) if single else (0, 0, 0, 0), dtype),
        axes=(h.stride, h.offsets, w.stride, w.offsets))


def check_scratch(scratch, fine, coarse, kernel, strides):
    """Refuse work space made for other sizes: its tables would lead out of the arrays."""
    batch, *made_for = scratch.sizes
    needed = [fine.shape[1:], coarse.shape[1:], kernel.shape[:2], tuple(strides), kernel.dtype]
    if needed != made_for or len(fine) > batch:
        raise ScratchVAEError(f"convolution: the scratch was made for up to {batch} images and {made_for}; needed: "
                              f"{len(fine)} and {needed} (fine and coarse image, window, strides, dtype)")


def as_taps(kernel, scratch):
    """The kernel as (T, C, M), C and M the channels of what the scratch calls fine and coarse."""
    return kernel.reshape(-1, scratch.fine.shape[3], scratch.coarse.shape[3])


def padded(columns):
    """The columns, rounded up to whole panels."""
    return -(-columns // COLUMNS) * COLUMNS


def buffer(shape, dtype):
    """Zeros, and behind them as many more as the microkernel may read past the end of a row."""
    size = math.prod(shape)
    return np.zeros(size + COLUMNS, dtype)[:size].reshape(shape)


def grid(*axes):
    """All sums of an entry from each axis, the last axis running fastest."""
    total = np.zeros(1, np.int64)
    for axis in axes:
        total = np.add.outer(total, np.asarray(axis)).ravel()
    return total


def fine_pixels(batch, axes, C, heights, widths):
    """Where in the fine buffer the pixels of these rows and columns start, image by image."""
    row = axes[1].fine_padded * C
    return grid(np.arange(batch) * axes[0].fine_padded * row, (np.asarray(heights) + axes[0].fine_before) * row,
                (np.asarray(widths) + axes[1].fine_before) * C)


def coarse_pixels(batch, axes, M, heights, widths):
    """Where in the coarse buffer."""
    row = axes[1].coarse_padded * M
    return grid(np.arange(batch) * axes[0].coarse_padded * row, (np.asarray(heights) + axes[0].coarse_before) * row,
                (np.asarray(widths) + axes[1].coarse_before) * M)


def window_steps(axes, C):
    """From a pixel of the fine buffer to all that its window meets, in the order of the kernel: T, then C."""
    return grid(axes[0].offsets * axes[1].fine_padded * C, axes[1].offsets * C, np.arange(C))


def correlate_table(batch, axes, C, M):
    """v[p, m] = sum over t, c of u[s p + o_t, c] w[t, c, m]."""
    h, w = axes
    rows = fine_pixels(batch, axes, C, np.arange(h.coarse) * h.stride, np.arange(w.coarse) * w.stride)
    steps = window_steps(axes, C)
    return make_table([(rows, np.arange(len(rows)) * M, h.coarse * w.coarse, steps, np.arange(len(steps)), len(steps))])


def spread_table(batch, axes, C, M):
    """u[i, c] = sum over t, m of v[(i - o_t) / s, m] w[t, c, m]: a phase for each remainder of i by s."""
    h, w = axes
    phases = []
    for i, j in np.ndindex(h.stride, w.stride):
        i_fine, j_fine = np.arange(i, h.fine, h.stride), np.arange(j, w.fine, w.stride)
        i_taps, j_taps = np.flatnonzero((i - h.offsets) % h.stride == 0), np.flatnonzero((j - w.offsets) % w.stride == 0)
        rows = coarse_pixels(batch, axes, M, np.arange(len(i_fine)), np.arange(len(j_fine)))
        out = grid(np.arange(batch) * h.fine * w.fine * C, i_fine * w.fine * C, j_fine * C)
        x_steps = grid((i - h.offsets[i_taps]) // h.stride * w.coarse_padded * M, (j - w.offsets[j_taps]) // w.stride * M, np.arange(M))
        w_steps = grid(i_taps * len(w.offsets) * M, j_taps * M, np.arange(M))
        phases.append((rows, out, len(i_fine) * len(j_fine), x_steps, w_steps, len(x_steps)))
    return make_table(phases)


def spread_taps_table(batch, axes, C, M):
    """The product of every coarse pixel with every tap, (v w^T)[p, t]: for one fine channel, of which a panel would be mostly empty."""
    h, w = axes
    rows = coarse_pixels(batch, axes, M, np.arange(h.coarse), np.arange(w.coarse))
    taps = len(h.offsets) * len(w.offsets)
    return make_table([(rows, np.arange(len(rows)) * taps, h.coarse * w.coarse, np.arange(M), np.arange(M), M)])


def gradient_table(batch, axes, C, M):
    """w'[t, c, m] = sum over p of u[s p + o_t, c] v[p, m]."""
    h, w = axes
    rows = window_steps(axes, C)
    x_steps = fine_pixels(batch, axes, C, np.arange(h.coarse) * h.stride, np.arange(w.coarse) * w.stride)
    w_steps = coarse_pixels(batch, axes, M, np.arange(h.coarse), np.arange(w.coarse)) // M
    return make_table([(rows, np.arange(len(rows)) * M, len(rows), x_steps, w_steps, h.coarse * w.coarse)])


def make_table(phases):
    """A Table of (rows, out, row count, x_steps, w_steps, step count) for each phase, short lines filled up with zeros."""
    lines = []
    for parts in zip(*phases):
        if np.ndim(parts[0]) == 0:
            lines.append(np.array(parts, np.int64))
        else:
            lines.append(np.zeros((len(parts), max(map(len, parts))), np.int32))
            for line, part in zip(lines[-1], parts):
                line[:len(part)] = part
    return Table(*lines)
