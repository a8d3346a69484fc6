"""Winograd's convolution (Lavin & Gray 2016, "Fast algorithms for convolutional neural networks"), for stride 1 and 3 x 3 or 4 x 4 taps.

A product of two polynomials is known once it is known at enough points; multiplying values is cheaper than convolving coefficients.
Along one axis, m outputs of r taps are a polynomial product at m + r - 1 = 6 points, here 0, 1, -1, 2, -2 and infinity:

    v = A^T [(G w) * (B^T u)]              6 multiplications in place of m r = 12

B^T takes 6 neighbouring inputs, G the taps to the points, A^T brings the m outputs back.  In two dimensions each acts from both
sides, and 36 multiplications do the work of 144 (3 x 3 taps, 4 x 4 outputs, or 4 x 4 taps and 3 x 3 outputs).  With sums over
channels the multiplication at each point becomes a matrix product, of tiles by channels:

    correlate   V = B^T u B      M = V U        v = A^T M A                 for each tile; U = G w G^T
    spread      dM = A v A^T     dV = dM U^T    u = sum over tiles of B dV B^T
    gradient    dU = V^T dM                     dw = G^T dU G

The second and third lines are the first one's derivative, term by term, last term first.  In float32 results carry errors of some
1e-5, ten times those of the direct sum.
"""
from typing import NamedTuple

import numpy as np
from numba import prange

from .jit import inner, parallel
from .microkernel import COLUMNS, LANES, ROWS, transpose_tile
from .product import multiply_rows
from .transform import sandwich

POINTS = 6
B_T = ((4, 0, -5, 0, 1, 0),
       (0, -4, -4, 1, 1, 0),
       (0, 4, -4, -1, 1, 0),
       (0, -2, -1, 2, 1, 0),
       (0, 2, -1, -2, 1, 0),
       (0, 4, 0, -5, 0, 1))


def powers(size):
    """A row for each point: 1, p, p^2, ... of that size; at infinity only the highest power counts."""
    return [[float(p) ** i for i in range(size)] for p in (0, 1, -1, 2, -2)] + [[0.0] * (size - 1) + [1.0]]


def transposed(matrix):
    """The transpose of a matrix in rows."""
    return tuple(zip(*matrix))


def taps_matrix(taps):
    """G: values at the points, scaled so that B^T can have whole numbers."""
    scales = (1 / 4, -1 / 6, -1 / 6, 1 / 24, 1 / 24, 1)
    return tuple(tuple(scale * power for power in row) for scale, row in zip(scales, powers(taps)))


# B^T u B; A^T M A; A v A^T; B dV B^T, added up; G w G^T; G^T dU G; those that differ, for 3 and for 4 taps
to_points = sandwich(B_T, bounded="x")
from_points_3, from_points_4 = (sandwich(transposed(powers(m)), bounded="y") for m in (4, 3))
outputs_to_points_3, outputs_to_points_4 = (sandwich(powers(m), bounded="x") for m in (4, 3))
add_from_points = sandwich(transposed(B_T), bounded="y", accumulate=True)
taps_to_points_3, taps_to_points_4 = (sandwich(taps_matrix(r), bounded="x") for r in (3, 4))
taps_from_points_3, taps_from_points_4 = (sandwich(transposed(taps_matrix(r)), bounded="y") for r in (3, 4))

CHUNK_BYTES = 8 << 20           # of V and M together: tiles are worked off in chunks that stay in a cache,
CHUNK_TILES = 384               # or so many at least, since each chunk reads all of U
BLOCK_ROWS = 32 * ROWS          # of a task in a product


class WinogradScratch(NamedTuple):
    """Work space: the arrays at the points, and offsets for the microkernel."""
    tile_counts: np.ndarray     # down, across, and in a chunk
    start: np.ndarray           # row and column of the first tile's first input
    U: np.ndarray               # (36, panels, C, COLUMNS), or (36, panels, M, COLUMNS) of the transpose
    V: np.ndarray               # (36, tiles, C)
    M: np.ndarray               # (36, tiles, M)
    transposed_kernel: np.ndarray
    counting: np.ndarray        # 0, 1, 2, ...
    C_rows: np.ndarray          # 0, C, 2 C, ...
    M_rows: np.ndarray


def suits(channels, filters, window, strides):
    """Whether a convolution can be computed in this way, and gains by it."""
    return tuple(strides) == (1, 1) and tuple(window) in ((3, 3), (4, 4)) and channels % LANES == 0 == filters % LANES


def winograd_scratch(batch, coarse_size, start, C, M, taps, dtype):
    """Work space for batches of at most that size; start: the offset of the first tap."""
    outputs = POINTS + 1 - taps
    down, across = (-(-size // outputs) for size in coarse_size)
    tiles = min(batch * down * across, max(CHUNK_TILES, CHUNK_BYTES // (POINTS ** 2 * (C + M) * np.dtype(dtype).itemsize)))
    counting = np.arange(max(tiles, C, M), dtype=np.int32)
    size = POINTS ** 2 * max(C * -(-M // COLUMNS), M * -(-C // COLUMNS)) * COLUMNS
    return WinogradScratch(np.array((down, across, tiles)), np.array(start), np.empty(size, dtype), np.empty((POINTS ** 2, tiles, C), dtype),
                           np.empty((POINTS ** 2, tiles, M), dtype), np.empty((taps * taps, M, C), dtype),
                           counting, counting * C, counting * M)


def correlate(scratch, u, kernel, v, bias, slope):
    """v (N, P, Q, M) = correlate(u (N, H, W, C), kernel (T, C, M)), and then f(v + bias), as in convolution.py."""
    _transform_kernel(kernel, scratch.U)
    _correlate(u, v, len(kernel), *fields(scratch), bias, slope)


def spread(scratch, v, kernel, u, bias, slope):
    """u = spread(v, kernel), and then f(u + bias)."""
    _transpose_kernel(kernel, scratch.transposed_kernel)
    _transform_kernel(scratch.transposed_kernel, scratch.U)
    _spread(v, u, len(kernel), *fields(scratch), bias, slope)


def gradient(scratch, u, v, dkernel):
    """dkernel = gradient(u, v)."""
    _gradient(u, v, dkernel, *fields(scratch))


def fields(scratch):
    """What the kernels take."""
    return scratch.tile_counts, scratch.start, scratch.U, scratch.V, scratch.M, scratch.counting, scratch.C_rows, scratch.M_rows


# One tile, LANES channels.

@inner
def input_tile(u, V, tile, channel, n, top, left):
    """V = B^T u B for the inputs of image n from pixel (top, left) on; beyond the image they are 0."""
    _, H, W, C = u.shape
    to_points(u, ((n * H + top) * W + left) * C + channel, W * C, C, V, tile * C + channel, POINTS * V.shape[1] * C, V.shape[1] * C,
              -top, H - top, -left, W - left)


@inner
def add_input_tile(V, u, tile, channel, n, top, left):
    """u += B V B^T."""
    _, H, W, C = u.shape
    add_from_points(V, tile * C + channel, POINTS * V.shape[1] * C, V.shape[1] * C, u, ((n * H + top) * W + left) * C + channel, W * C, C,
                    -top, H - top, -left, W - left)


@inner
def output_tile(M, v, tile, channel, n, top, left, taps):
    """v = A^T M A for the outputs of image n from pixel (top, left) on."""
    _, P, Q, F = v.shape
    start, row, column = tile * F + channel, POINTS * M.shape[1] * F, M.shape[1] * F
    v_start = ((n * P + top) * Q + left) * F + channel
    if taps == 9:
        from_points_3(M, start, row, column, v, v_start, Q * F, F, 0, P - top, 0, Q - left)
    else:
        from_points_4(M, start, row, column, v, v_start, Q * F, F, 0, P - top, 0, Q - left)


@inner
def output_tile_to_points(v, M, tile, channel, n, top, left, taps):
    """M = A v A^T."""
    _, P, Q, F = v.shape
    start, row, column = tile * F + channel, POINTS * M.shape[1] * F, M.shape[1] * F
    v_start = ((n * P + top) * Q + left) * F + channel
    if taps == 9:
        outputs_to_points_3(v, v_start, Q * F, F, M, start, row, column, 0, P - top, 0, Q - left)
    else:
        outputs_to_points_4(v, v_start, Q * F, F, M, start, row, column, 0, P - top, 0, Q - left)


@inner
def place(tile, tile_counts, outputs):
    """(image, row, column) of a tile's first output."""
    down, across = tile_counts[0], tile_counts[1]
    return tile // (down * across), tile // across % down * outputs, tile % across * outputs


# Chunks of tiles.

@inner
def inputs_of(u, V, first, position, tile_counts, start, outputs):
    """V for the tile at `position` in its chunk."""
    n, i, j = place(first + position, tile_counts, outputs)
    for channel in range(0, u.shape[3], LANES):
        input_tile(u, V, position, channel, n, i + start[0], j + start[1])


@inner
def output_gradients_of(v, M, first, position, tile_counts, outputs, taps):
    """M = A v A^T for the tile at `position` in its chunk."""
    n, i, j = place(first + position, tile_counts, outputs)
    for channel in range(0, v.shape[3], LANES):
        output_tile_to_points(v, M, position, channel, n, i, j, taps)


@inner
def outputs_of(M, v, first, position, tile_counts, outputs, taps, bias, slope):
    """v from the tile at `position` in its chunk."""
    n, i, j = place(first + position, tile_counts, outputs)
    for channel in range(0, v.shape[3], LANES):
        output_tile(M, v, position, channel, n, i, j, taps)
    if bias.size > 0:
        for p in range(i, min(v.shape[1], i + outputs)):
            for q in range(j, min(v.shape[2], j + outputs)):
                finish_pixel(v[n, p, q], bias, slope)


@inner
def finish_pixel(pixel, bias, slope):
    """pixel = f(pixel + bias)."""
    zero, factor = pixel.dtype.type(0), pixel.dtype.type(slope)
    for c in range(pixel.size):
        number = pixel[c] + bias[c]
        pixel[c] = factor * number if number < zero else number


@inner
def multiply_at_points(x, U, y, tiles, task, columns, x_rows, y_rows, counting):
    """A task of y[point] = x[point] U[point], for all points: one panel of columns, one block of tiles."""
    panels, blocks = (columns + COLUMNS - 1) // COLUMNS, (tiles + BLOCK_ROWS - 1) // BLOCK_ROWS
    point, panel, block = task // (panels * blocks), task // blocks % panels, task % blocks
    steps = x.shape[2]
    multiply_rows(x[point], x_rows[:tiles], block * BLOCK_ROWS, min(tiles, (block + 1) * BLOCK_ROWS), counting[:steps], counting[:steps],
                  U, (point * panels + panel) * steps * COLUMNS, COLUMNS, y[point], y_rows[:tiles], panel * COLUMNS,
                  min(COLUMNS, columns - panel * COLUMNS), x[0, 0, :0], 1.0, False)


@inner
def task_count(tiles, columns):
    """How many tasks multiply_at_points has."""
    return POINTS ** 2 * ((columns + COLUMNS - 1) // COLUMNS) * ((tiles + BLOCK_ROWS - 1) // BLOCK_ROWS)


@inner
def add_points(V, M, dU, tiles, task, add, C_rows, M_rows, counting):
    """A task of dU[point] = V[point]^T M[point], for all points; add: to what earlier chunks of tiles brought."""
    C, F = V.shape[2], M.shape[2]
    panels, blocks = (F + COLUMNS - 1) // COLUMNS, (C + BLOCK_ROWS - 1) // BLOCK_ROWS
    point, panel, block = task // (panels * blocks), task // blocks % panels, task % blocks
    multiply_rows(V[point], counting[:C], block * BLOCK_ROWS, min(C, (block + 1) * BLOCK_ROWS), C_rows[:tiles], counting[:tiles],
                  M[point], panel * COLUMNS, F, dU[point * C * F:(point + 1) * C * F], M_rows[:C], panel * COLUMNS,
                  min(COLUMNS, F - panel * COLUMNS), V[0, 0, :0], 1.0, add)


@inner
def add_image(V, u, image, first, tiles, tile_counts, start, outputs, bias, slope):
    """Add to an image of u what the chunk's tiles of it bring; finish it with the last.  One thread does all: tiles overlap."""
    own = tile_counts[0] * tile_counts[1]
    pixels = u[image].reshape(-1)
    if image * own >= first:
        for i in range(pixels.size):
            pixels[i] = 0
    for tile in range(max(first, image * own), min(first + tiles, (image + 1) * own)):
        n, i, j = place(tile, tile_counts, outputs)
        for channel in range(0, u.shape[3], LANES):
            add_input_tile(V, u, tile - first, channel, n, i + start[0], j + start[1])
    if bias.size > 0 and (image + 1) * own <= first + tiles:
        for p in range(0, pixels.size, bias.size):
            finish_pixel(pixels[p:p + bias.size], bias, slope)


@inner
def window_of(taps):
    """3 of 9, 4 of 16."""
    return 3 if taps == 9 else 4


@parallel
def _correlate(u, v, taps, tile_counts, start, U, V, M, counting, C_rows, M_rows, bias, slope):
    """For each chunk of tiles: V = B^T u B, M = V U, v = A^T M A."""
    outputs = POINTS + 1 - window_of(taps)
    total = u.shape[0] * tile_counts[0] * tile_counts[1]
    for first in range(0, total, tile_counts[2]):
        tiles = min(total - first, tile_counts[2])
        for position in prange(tiles):
            inputs_of(u, V, first, position, tile_counts, start, outputs)
        for task in prange(task_count(tiles, v.shape[3])):
            multiply_at_points(V, U, M, tiles, task, v.shape[3], C_rows, M_rows, counting)
        for position in prange(tiles):
            outputs_of(M, v, first, position, tile_counts, outputs, taps, bias, slope)


@parallel
def _spread(v, u, taps, tile_counts, start, U, V, M, counting, C_rows, M_rows, bias, slope):
    """For each chunk of tiles: dM = A v A^T, dV = dM U^T, u += B dV B^T."""
    outputs, own = POINTS + 1 - window_of(taps), tile_counts[0] * tile_counts[1]
    total = u.shape[0] * own
    for first in range(0, total, tile_counts[2]):
        tiles = min(total - first, tile_counts[2])
        for position in prange(tiles):
            output_gradients_of(v, M, first, position, tile_counts, outputs, taps)
        for task in prange(task_count(tiles, u.shape[3])):
            multiply_at_points(M, U, V, tiles, task, u.shape[3], M_rows, C_rows, counting)
        for image in prange(first // own, (first + tiles - 1) // own + 1):
            add_image(V, u, image, first, tiles, tile_counts, start, outputs, bias, slope)


@parallel
def _gradient(u, v, dkernel, tile_counts, start, U, V, M, counting, C_rows, M_rows):
    """For each chunk of tiles: V = B^T u B, dM = A v A^T, dU += V^T dM; then dw = G^T dU G."""
    taps, C, F = dkernel.shape
    outputs = POINTS + 1 - window_of(taps)
    total = u.shape[0] * tile_counts[0] * tile_counts[1]
    for first in range(0, total, tile_counts[2]):
        tiles = min(total - first, tile_counts[2])
        for position in prange(tiles):
            inputs_of(u, V, first, position, tile_counts, start, outputs)
            output_gradients_of(v, M, first, position, tile_counts, outputs, taps)
        for task in prange(POINTS ** 2 * ((F + COLUMNS - 1) // COLUMNS) * ((C + BLOCK_ROWS - 1) // BLOCK_ROWS)):
            add_points(V, M, U, tiles, task, first > 0, C_rows, M_rows, counting)
    for c in prange(C):
        for m in range(0, F, LANES):
            if taps == 9:
                taps_from_points_3(U, c * F + m, POINTS * C * F, C * F, dkernel, c * F + m, 3 * C * F, C * F, 0, 3, 0, 3)
            else:
                taps_from_points_4(U, c * F + m, POINTS * C * F, C * F, dkernel, c * F + m, 4 * C * F, C * F, 0, 4, 0, 4)


# The kernel.

@parallel
def _transform_kernel(kernel, U):
    """U = G w G^T, for each point a matrix (C, M) in panels of COLUMNS columns."""
    taps, C, F = kernel.shape
    panels = (F + COLUMNS - 1) // COLUMNS
    point = panels * C * COLUMNS
    for c in prange(C):
        for m in range(0, F, LANES):
            place_in_U = (m // COLUMNS * C + c) * COLUMNS + m % COLUMNS
            if taps == 9:
                taps_to_points_3(kernel, c * F + m, 3 * C * F, C * F, U, place_in_U, POINTS * point, point, 0, 3, 0, 3)
            else:
                taps_to_points_4(kernel, c * F + m, 4 * C * F, C * F, U, place_in_U, POINTS * point, point, 0, 4, 0, 4)


@parallel
def _transpose_kernel(kernel, transposed):
    """(T, C, M) -> (T, M, C)."""
    taps, C, F = kernel.shape
    for task in prange(taps * (C // LANES)):
        tap, c = task // (C // LANES), task % (C // LANES) * LANES
        for m in range(0, F, LANES):
            transpose_tile(kernel, (tap * C + c) * F + m, F, transposed, (tap * F + m) * C + c, C)
