"""How a product is cut: into panels of columns, blocks of rows, and chunks of steps.

A task multiplies a block of rows of x by a panel of columns of w, or by several side by side, tile
by tile (microkernel.py):

    y[out[r] + column + c]
        = f(sum over s of x[rows[r] + x_steps[s]] * w[start + w_steps[s] stride + c]
            + bias[column + c])

Besides the steps, four groups say what is multiplied:

    Block       x, rows, and which rows r
    Panel       w, start, stride
    Result      y, out, column, and how many columns c
    Finish      bias, and f's slope for negative numbers
"""
from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import register_jitable

from .jit import inner
from .linking import linked
from .microkernel import COLUMNS, LANES, ROWS, multiply_tile
from .vectors import copy_columns, transpose_tile

STEPS = 256                     # in a chunk: its rows of w stay in the first cache, and shorter
                                # float32 sums keep more digits
TASKS = 32                      # at least so many for the threads to share: where panels are
                                # fewer, blocks of rows are tasks too
PACKED_TASKS = 8                # fewer where each task has to transpose its panel first
MOST_PANELS = 8                 # side by side in a task ...
PACKED = 2 ** 15                # ... if they have no more numbers: 128 KB stay in the second cache


class Block(NamedTuple):
    """The rows r from first to last - 1 of x. first is a multiple of ROWS.

    The last tile may go on beyond `last`, but never beyond the end of `rows`.
    """
    x: np.ndarray
    rows: np.ndarray            # int32: where each row starts in x
    first: int
    last: int


class Panel(NamedTuple):
    """Up to COLUMNS neighbouring columns of w."""
    w: np.ndarray
    start: int                  # where its first row starts in w
    stride: int                 # from one row to the next


class Result(NamedTuple):
    """Where the sums go: to columns column to column + width - 1 of y."""
    y: np.ndarray
    out: np.ndarray             # int32: where each row starts in y
    column: int
    width: int


class Finish(NamedTuple):
    """What follows a complete sum: y = f(y + bias). f(v) is v, or slope * v for v < 0."""
    bias: np.ndarray            # empty if nothing follows
    slope: float                # 1 is linear, 0 is relu


FLOATS = (types.float32, types.float64)
OFFSETS = types.Array(types.int32, 1, "C")
TABLE = types.Array(types.int32, 2, "C")


def _signature(dtype, *steps):
    """Return the types of a product's arguments."""
    numbers = types.Array(dtype, 1, "C")
    size = types.int64
    return (types.NamedTuple((numbers, OFFSETS, size, size), Block),
            *steps,
            types.NamedTuple((numbers, size, size), Panel),
            types.NamedTuple((numbers, OFFSETS, size, size), Result),
            types.NamedTuple((numbers, types.float64), Finish))


@inner
def no_finish(y):
    """Return the Finish of a plain sum."""
    return Finish(y.reshape(-1)[:0], 1.0)


@linked(*((*_signature(dtype, OFFSETS, OFFSETS), types.boolean) for dtype in FLOATS))
def multiply(block, x_steps, w_steps, panel, result, finish, add):
    """Multiply a block by a panel; every row has the same steps. add: to what y holds."""
    x, rows, first, last = block
    w, w_start, w_stride = panel
    y, out, column, width = result
    bias, slope = finish
    for start in range(0, max(1, x_steps.size), STEPS):     # once even without steps: the sum is 0
        count = min(STEPS, x_steps.size - start)
        complete = start + STEPS >= x_steps.size and bias.size > 0
        for row in range(first, last, ROWS):
            multiply_tile(x, rows, row, x_steps[start:], w_steps[start:], count,
                          w, w_start, w_stride, y, out, column, width,
                          add or start > 0, complete, bias, slope)


@linked(*(_signature(dtype, TABLE, TABLE, TABLE) for dtype in FLOATS))
def multiply_kept(block, x_steps, w_steps, counts, panel, result, finish):
    """Multiply a block by packed panels; every ROWS rows have steps of their own, by keep_steps.

    Of chunk i, rows[ROWS b] to rows[ROWS b + ROWS - 1] use the first counts[b, i] entries from
    column i STEPS on of x_steps[b] and w_steps[b]. There is a panel for each COLUMNS columns of the
    result; `panel` is the first, and the others follow it.
    """
    x, rows, first, last = block
    w, w_start, w_stride = panel
    y, out, column, width = result
    bias, slope = finish
    chunks = counts.shape[1]
    for chunk in range(chunks):
        start = chunk * STEPS
        complete = chunk == chunks - 1 and bias.size > 0
        for row in range(first, last, ROWS):
            b = row // ROWS
            for c in range(0, width, COLUMNS):
                multiply_tile(x, rows, row, x_steps[b][start:], w_steps[b][start:],
                              counts[b, chunk], w, w_start + c * x_steps.shape[1], w_stride,
                              y, out, column + c, min(COLUMNS, width - c),
                              chunk > 0, complete, bias, slope)


@inner
def keep_steps(flags, steps, counts):
    """steps = the positions of all flags that are not 0, chunk by chunk; counts = their numbers.

    steps may be flags itself.
    """
    for chunk in range(counts.size):
        start = chunk * STEPS
        count = 0
        for s in range(start, min(start + STEPS, flags.size)):
            flag = flags[s]
            steps[start + count] = s
            count += flag != 0
        counts[chunk] = count


@register_jitable               # compiled code and Python both call it
def panel_count(columns):
    """Return how many panels cover so many columns."""
    return (columns + COLUMNS - 1) // COLUMNS


@inner
def block_rows(rows, blocks):
    """Return how many rows each block has, a multiple of ROWS, if there are at most `blocks`."""
    return ((rows + blocks - 1) // blocks + ROWS - 1) // ROWS * ROWS


@inner
def side_by_side(columns, steps):
    """Return how many columns a task takes if it packs their panels of so many steps.

    Each row of its result is then written over several cache lines in a row. Rows of a wide result
    lie on different pages of memory, so a line here and a line there takes much longer.
    """
    panels = min(MOST_PANELS, PACKED // (steps * COLUMNS), panel_count(columns) // TASKS)
    return max(1, panels) * COLUMNS


@inner
def share_out(rows, columns, width, tasks):
    """Return how to cut a result into about `tasks` tasks of `width` columns.

    Returns
    -------
    (int, int, int)
        Groups of columns, blocks of rows, and the rows of a block.
    """
    groups = (columns + width - 1) // width
    size = block_rows(rows, (tasks + groups - 1) // groups)
    return groups, (rows + size - 1) // size, size


@inner
def pack_panels(matrix, column, width, packed):
    """Pack the panels of `width` columns of the matrix one after another; return the first."""
    for c in range(0, width, COLUMNS):
        pack_panel(matrix, column + c, packed[c * matrix.shape[0]:])
    return packed_panel(packed)


@inner
def packed_panel(packed):
    """Return the Panel of columns that were copied: row follows row."""
    return Panel(packed, 0, COLUMNS)


@inner
def pack_panel(matrix, column, packed):
    """packed[s, c] = matrix[s, column + c], for c < COLUMNS or up to the matrix's last column."""
    columns = matrix.shape[1]
    width = min(COLUMNS, columns - column)
    for s in range(matrix.shape[0]):
        if width == COLUMNS:
            copy_columns(matrix, s * columns + column, packed, s * COLUMNS)
        else:
            for c in range(width):
                packed[s * COLUMNS + c] = matrix[s, column + c]


@inner
def transpose_panel(matrix, first, width, packed):
    """packed[m, c] = matrix[first + c, m], for c < width; COLUMNS numbers to a row of packed."""
    size = matrix.shape[1]
    tiled = size // LANES * LANES if width == COLUMNS else 0
    for m in range(0, tiled, LANES):
        for c in range(0, COLUMNS, LANES):
            transpose_tile(matrix, (first + c) * size + m, size, packed, m * COLUMNS + c, COLUMNS)
    for m in range(tiled, size):
        for c in range(width):
            packed[m * COLUMNS + c] = matrix[first + c, m]
