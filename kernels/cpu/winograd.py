"""Winograd's convolution (Lavin & Gray 2016, "Fast algorithms for convolutional neural networks"),
for stride 1 and a window of 3 x 3 or 4 x 4 taps.

A polynomial is known once its values at enough points are known, and multiplying values is cheaper
than convolving coefficients. Along one axis, m outputs of r taps are a polynomial product at
m + r - 1 = 6 points, here 0, 1, -1, 2, -2 and infinity:

    v = A^T [(G w) * (B^T u)]              6 multiplications instead of m r = 12

B^T takes 6 neighbouring inputs to the points, G the taps, and A^T brings the m outputs back. In two
dimensions each acts from both sides, and 36 multiplications do the work of 144 (3 x 3 taps and
4 x 4 outputs, or 4 x 4 taps and 3 x 3 outputs). With sums over channels the multiplication at each
point becomes a matrix product, of tiles by channels:

    correlate   V = B^T u B      M = V U        v = A^T M A
    spread      dM = A v A^T     dV = dM U^T    u = sum over tiles of B dV B^T
    gradient    dU = V^T dM                     dw = G^T dU G

for each tile, with U = G w G^T. The second and third lines are the derivative of the first, term by
term, the last term first. Here u is the fine image (N, H, W, C) and v the coarse one (N, P, Q, F),
with F filters; convolution_tables.py calls their number M. In float32 results carry errors of about
1e-5, ten times those of the direct sum.
"""
from numba import prange

from .jit import inner, parallel
from .microkernel import COLUMNS, LANES, ROWS
from .product import Block, Finish, Panel, Result, multiply, no_finish, panel_count
from .transform import Bounds, Patch, sandwich
from .vectors import transpose_tile
from .winograd_work import ALL_POINTS, POINTS, Work, columns_at_once

B_T = ((4, 0, -5, 0, 1, 0),
       (0, -4, -4, 1, 1, 0),
       (0, 4, -4, -1, 1, 0),
       (0, -2, -1, 2, 1, 0),
       (0, 2, -1, -2, 1, 0),
       (0, 4, 0, -5, 0, 1))


def powers(size):
    """Return a row 1, p, p^2, ... for each point p; at infinity only the highest power counts."""
    rows = [[float(p) ** i for i in range(size)] for p in (0, 1, -1, 2, -2)]
    return rows + [[0.0] * (size - 1) + [1.0]]


def transposed(matrix):
    """Return the transpose of a matrix in rows."""
    return tuple(zip(*matrix))


def taps_matrix(taps):
    """Return G: powers at the points, scaled so that B^T can have whole numbers."""
    scales = (1 / 4, -1 / 6, -1 / 6, 1 / 24, 1 / 24, 1)
    return tuple(tuple(scale * power for power in row) for scale, row in zip(scales, powers(taps)))


# The transforms, named by what they do; _3 and _4 are for windows of 3 and of 4 taps.
inputs_to_points = sandwich(B_T, bounded="x")                                       # B^T u B
add_inputs_from_points = sandwich(transposed(B_T), bounded="y", accumulate=True)    # B dV B^T
outputs_from_points_3 = sandwich(transposed(powers(4)), bounded="y")                # A^T M A
outputs_from_points_4 = sandwich(transposed(powers(3)), bounded="y")
outputs_to_points_3 = sandwich(powers(4), bounded="x")                              # A v A^T
outputs_to_points_4 = sandwich(powers(3), bounded="x")
taps_to_points_3 = sandwich(taps_matrix(3), bounded="x")                            # G w G^T
taps_to_points_4 = sandwich(taps_matrix(4), bounded="x")
taps_from_points_3 = sandwich(transposed(taps_matrix(3)), bounded="y")              # G^T dU G
taps_from_points_4 = sandwich(transposed(taps_matrix(4)), bounded="y")

BLOCK_ROWS = 32 * ROWS          # of a task in a product


@inner
def outputs_of(taps):
    """Return how many outputs a tile has along each axis: 4 for 9 taps, 3 for 16."""
    return 4 if taps == 9 else 3


# correlate: v from u

def correlate(scratch, u, kernel, v, finish):
    """v = correlate(u, kernel), and then a Finish, as in convolution.py. kernel (T, C, F)."""
    _correlate(u, kernel, v, scratch.work(u.dtype), tuple(finish))


@parallel
def _correlate(u, kernel, v, work, finish):
    """For each chunk of tiles: V = B^T u B, M = V U, v = A^T M A."""
    s = Work(*work)
    finish = Finish(*finish)
    taps, C, F = kernel.shape
    width = columns_at_once(s.U.size, C, F)
    total = u.shape[0] * s.tile_counts[0] * s.tile_counts[1]
    for first in range(0, total, s.tile_counts[2]):
        tiles = min(total - first, s.tile_counts[2])
        for tile in prange(first, first + tiles):
            transform_inputs(u, tile, first, taps, s)
        for column in range(0, F, width):
            columns = min(width, F - column)
            if first == 0:      # U is whole if there are more chunks
                for c in prange(C):
                    transform_taps(kernel, c, column, columns, s.U)
            for task in prange(product_tasks(tiles, columns)):
                multiply_at_points(s.V, s.C_rows, s.M, s.F_rows, tiles, column, columns, task, s)
        for tile in prange(first, first + tiles):
            write_outputs(v, tile, first, taps, s, finish)


@inner
def transform_taps(kernel, k, column, columns, U):
    """U = G w G^T, for row k of the kernel's matrices (K, M), and columns from `column` on."""
    taps, K, M = kernel.shape
    point = panel_count(columns) * K * COLUMNS
    for m in range(0, columns, LANES):
        at_points = Patch(U, place_in_U(k, m, K), POINTS * point, point)
        start = k * M + column + m
        if taps == 9:
            taps_to_points_3(Patch(kernel, start, 3 * K * M, K * M), at_points, Bounds(0, 3, 0, 3))
        else:
            taps_to_points_4(Patch(kernel, start, 4 * K * M, K * M), at_points, Bounds(0, 4, 0, 4))


@inner
def place_in_U(k, m, K):
    """Return where row k, column m of a matrix (K, M) in panels is."""
    return (m // COLUMNS * K + k) * COLUMNS + m % COLUMNS


@inner
def transform_inputs(u, tile, first, taps, s):
    """V = B^T u B, for a tile; its chunk begins with the tile `first`."""
    n, i, j = place_of(tile, taps, s)
    i += s.start[0]
    j += s.start[1]
    for channel in range(0, u.shape[3], LANES):
        input_tile(u, n, i, j, s.V, tile - first, channel)


@inner
def input_tile(u, n, i, j, V, position, channel):
    """V = B^T u B, for LANES channels of the inputs of image n from pixel (i, j) on."""
    inputs_to_points(pixels(u, n, i, j, channel), points(V, position, channel), inside(u, i, j))


@inner
def place_of(tile, taps, s):
    """Return the image, and the row and column of a tile's first output."""
    down = s.tile_counts[0]
    across = s.tile_counts[1]
    outputs = outputs_of(taps)
    return tile // (down * across), tile // across % down * outputs, tile % across * outputs


@inner
def pixels(images, n, i, j, channel):
    """Return the Patch of image n whose first pixel is (i, j)."""
    _, height, width, channels = images.shape
    start = ((n * height + i) * width + j) * channels + channel
    return Patch(images, start, width * channels, channels)


@inner
def inside(images, i, j):
    """Return the Bounds of a Patch whose first pixel is (i, j): those of the image."""
    _, height, width, _ = images.shape
    return Bounds(-i, height - i, -j, width - j)


@inner
def inside_from(images, i, j):
    """Return the Bounds of a Patch whose first pixel (i, j) lies inside the image."""
    _, height, width, _ = images.shape
    return Bounds(0, height - i, 0, width - j)


@inner
def points(values, position, channel):
    """Return the Patch of a tile's 6 x 6 values at the points, in V or M."""
    _, tiles, channels = values.shape
    return Patch(values, position * channels + channel, POINTS * tiles * channels, tiles * channels)


@inner
def product_tasks(rows, columns):
    """Return how many tasks a product of so many rows and columns at all points has."""
    return ALL_POINTS * panel_count(columns) * ((rows + BLOCK_ROWS - 1) // BLOCK_ROWS)


@inner
def split_task(task, rows, columns):
    """Return a task's point, the first column of its panel, and the first row of its block."""
    panels = panel_count(columns)
    blocks = (rows + BLOCK_ROWS - 1) // BLOCK_ROWS
    point = task // (panels * blocks)
    return point, task // blocks % panels * COLUMNS, task % blocks * BLOCK_ROWS


@inner
def multiply_at_points(x, x_rows, y, y_rows, tiles, first_column, columns, task, s):
    """A task of y[point] = x[point] U[point], for all points: M = V U, or dV = dM U^T.

    U has `columns` columns, which are those of y from first_column on.
    """
    K = x.shape[2]
    point, column, first = split_task(task, tiles, columns)
    block = Block(x[point], x_rows[:tiles], first, min(tiles, first + BLOCK_ROWS))
    panel = Panel(s.U, (point * panel_count(columns) * COLUMNS + column) * K, COLUMNS)
    result = Result(y[point], y_rows[:tiles], first_column + column, min(COLUMNS, columns - column))
    add_to_y = False
    multiply(block, s.counting[:K], s.counting[:K], panel, result, no_finish(x), add_to_y)


@inner
def write_outputs(v, tile, first, taps, s, finish):
    """v = A^T M A, and then the Finish, for a tile; its chunk begins with the tile `first`."""
    n, i, j = place_of(tile, taps, s)
    for channel in range(0, v.shape[3], LANES):
        output_tile(s.M, tile - first, channel, v, n, i, j, taps)
    if finish.bias.size > 0:
        outputs = outputs_of(taps)
        for p in range(i, min(v.shape[1], i + outputs)):
            for q in range(j, min(v.shape[2], j + outputs)):
                finish_pixel(v[n, p, q], finish)


@inner
def output_tile(M, position, channel, v, n, i, j, taps):
    """v = A^T M A, for LANES channels of the outputs of image n from pixel (i, j) on."""
    at_points = points(M, position, channel)
    outputs = pixels(v, n, i, j, channel)
    bounds = inside_from(v, i, j)
    if taps == 9:
        outputs_from_points_3(at_points, outputs, bounds)
    else:
        outputs_from_points_4(at_points, outputs, bounds)


@inner
def finish_pixel(pixel, finish):
    """pixel = f(pixel + bias)."""
    zero = pixel.dtype.type(0)
    slope = pixel.dtype.type(finish.slope)
    for c in range(pixel.size):
        number = pixel[c] + finish.bias[c]
        pixel[c] = slope * number if number < zero else number


# spread: u from v

def spread(scratch, v, kernel, u, finish):
    """u = spread(v, kernel), and then a Finish. kernel (T, C, F)."""
    _spread(v, kernel, u, scratch.work(v.dtype), tuple(finish))


@parallel
def _spread(v, kernel, u, work, finish):
    """For each chunk of tiles: dM = A v A^T, dV = dM U^T, u += B dV B^T."""
    s = Work(*work)
    finish = Finish(*finish)
    taps, C, F = kernel.shape
    width = columns_at_once(s.U.size, F, C)
    image_tiles = s.tile_counts[0] * s.tile_counts[1]
    total = u.shape[0] * image_tiles
    for first in range(0, total, s.tile_counts[2]):
        tiles = min(total - first, s.tile_counts[2])
        for tile in prange(first, first + tiles):
            transform_outputs(v, tile, first, taps, s)
        for column in range(0, C, width):
            columns = min(width, C - column)
            if first == 0:      # U is whole if there are more chunks
                kernel_T = s.kernel_T[:taps * F * columns].reshape(taps, F, columns)
                for task in prange(taps * (columns // LANES)):
                    transpose_rows(kernel, column, kernel_T, task)
                for f in prange(F):
                    transform_taps(kernel_T, f, 0, columns, s.U)
            for task in prange(product_tasks(tiles, columns)):
                multiply_at_points(s.M, s.F_rows, s.V, s.C_rows, tiles, column, columns, task, s)
        for n in prange(first // image_tiles, (first + tiles - 1) // image_tiles + 1):
            add_to_image(u, n, first, tiles, taps, s, finish)


@inner
def transpose_rows(kernel, row, kernel_T, task):
    """A task of (T, C, F) -> (T, F, columns), for the rows from `row` on: LANES of one tap's."""
    _, C, F = kernel.shape
    columns = kernel_T.shape[2]
    tap = task // (columns // LANES)
    c = task % (columns // LANES) * LANES
    for f in range(0, F, LANES):
        transpose_tile(kernel, (tap * C + row + c) * F + f, F,
                       kernel_T, (tap * F + f) * columns + c, columns)


@inner
def transform_outputs(v, tile, first, taps, s):
    """dM = A v A^T, for a tile; its chunk begins with the tile `first`."""
    n, i, j = place_of(tile, taps, s)
    for channel in range(0, v.shape[3], LANES):
        output_gradient_tile(v, n, i, j, s.M, tile - first, channel, taps)


@inner
def output_gradient_tile(v, n, i, j, M, position, channel, taps):
    """dM = A v A^T, for LANES channels of the outputs of image n from pixel (i, j) on."""
    outputs = pixels(v, n, i, j, channel)
    at_points = points(M, position, channel)
    bounds = inside_from(v, i, j)
    if taps == 9:
        outputs_to_points_3(outputs, at_points, bounds)
    else:
        outputs_to_points_4(outputs, at_points, bounds)


@inner
def add_to_image(u, n, first, tiles, taps, s, finish):
    """u += B dV B^T, for a chunk's tiles in image n; finish the image with its last tile.

    One thread does the whole image, since tiles overlap.
    """
    image_tiles = s.tile_counts[0] * s.tile_counts[1]
    image = u[n].reshape(-1)
    if n * image_tiles >= first:
        for k in range(image.size):
            image[k] = 0
    for tile in range(max(first, n * image_tiles), min(first + tiles, (n + 1) * image_tiles)):
        _, i, j = place_of(tile, taps, s)
        i += s.start[0]
        j += s.start[1]
        for channel in range(0, u.shape[3], LANES):
            add_input_tile(s.V, tile - first, channel, u, n, i, j)
    channels = finish.bias.size
    if channels > 0 and (n + 1) * image_tiles <= first + tiles:
        for k in range(0, image.size, channels):
            finish_pixel(image[k:k + channels], finish)


@inner
def add_input_tile(V, position, channel, u, n, i, j):
    """u += B dV B^T, for LANES channels of the inputs of image n from pixel (i, j) on."""
    add_inputs_from_points(points(V, position, channel), pixels(u, n, i, j, channel),
                           inside(u, i, j))


# gradient: the kernel's

def gradient(scratch, u, v, dkernel):
    """dkernel = gradient(u, v), (T, C, F)."""
    _gradient(u, v, dkernel, scratch.work(u.dtype))


@parallel
def _gradient(u, v, dkernel, work):
    """For each chunk of tiles: V = B^T u B, dM = A v A^T, dU += V^T dM; then dw = G^T dU G."""
    s = Work(*work)
    taps, C, F = dkernel.shape
    width = columns_at_once(s.U.size, C, F)
    total = u.shape[0] * s.tile_counts[0] * s.tile_counts[1]
    for first in range(0, total, s.tile_counts[2]):
        tiles = min(total - first, s.tile_counts[2])
        for tile in prange(first, first + tiles):
            transform_inputs(u, tile, first, taps, s)
            transform_outputs(v, tile, first, taps, s)
        for column in range(0, F, width):
            columns = min(width, F - column)
            for task in prange(product_tasks(C, columns)):
                sum_at_points(tiles, column, columns, task, s, first > 0)
            if first + tiles == total:
                for c in prange(C):
                    collect_taps(dkernel, c, column, columns, s.U)


@inner
def sum_at_points(tiles, first_column, columns, task, s, add):
    """A task of dU[point] = V[point]^T dM[point], for all points. add: to earlier chunks' sums."""
    C = s.V.shape[2]
    F = s.M.shape[2]
    point, column, first = split_task(task, C, columns)
    dU = s.U[(point * panel_count(columns) * COLUMNS + column) * C:]
    block = Block(s.V[point], s.counting[:C], first, min(C, first + BLOCK_ROWS))
    panel = Panel(s.M[point], first_column + column, F)
    result = Result(dU, s.U_rows[:C], 0, min(COLUMNS, columns - column))
    multiply(block, s.C_rows[:tiles], s.counting[:tiles], panel, result, no_finish(s.V), add)


@inner
def collect_taps(dkernel, c, column, columns, dU):
    """dw = G^T dU G, for row c of the kernel's matrices, and columns from `column` on."""
    taps, C, F = dkernel.shape
    point = panel_count(columns) * C * COLUMNS
    for f in range(0, columns, LANES):
        at_points = Patch(dU, place_in_U(c, f, C), POINTS * point, point)
        start = c * F + column + f
        if taps == 9:
            taps_from_points_3(at_points, Patch(dkernel, start, 3 * C * F, C * F),
                               Bounds(0, 3, 0, 3))
        else:
            taps_from_points_4(at_points, Patch(dkernel, start, 4 * C * F, C * F),
                               Bounds(0, 4, 0, 4))
