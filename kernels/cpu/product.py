"""Plain loops around the microkernel: how a product is cut into panels of columns, blocks of rows and chunks of steps."""
from .jit import jit
from .microkernel import COLUMNS, ROWS, multiply_tile

STEPS = 256                     # summed at a time: 16 KB of w stay in the first cache, and shorter float32 sums keep more digits
FEW_PANELS = 8                  # below this many panels, blocks of rows are shared out too


@jit
def multiply_panel(x, rows, first, last, steps, step_count, w, w_start, w_stride, y, out, column, width):
    """Rows first to last - 1 of one panel of y: y[out[r] + column + c] = sum_s x[rows[r] + steps[s]] w[w_start + s w_stride + c].

    `first` is a multiple of ROWS; `last` too, or the number of rows.
    """
    for s in range(0, step_count, STEPS):
        for row in range(first, last, ROWS):
            multiply_tile(x, rows, row, steps[s:], min(STEPS, step_count - s), w, w_start + s * w_stride, w_stride,
                          y, out, column, width, s > 0)


@jit
def share_out(rows, columns):
    """How to cut a result into tasks: (panels of columns, blocks of rows, rows of a block, a multiple of ROWS)."""
    panel_count = (columns + COLUMNS - 1) // COLUMNS
    block_count = 1 if panel_count >= FEW_PANELS else (FEW_PANELS + panel_count - 1) // panel_count
    block_rows = ((rows + block_count - 1) // block_count + ROWS - 1) // ROWS * ROWS
    return panel_count, (rows + block_rows - 1) // block_rows, block_rows


@jit
def panel_of(matrix, column, width, panel):
    """(array, start, stride) of 16 columns: in the matrix itself, or, at its right edge, copied to `panel` so that no
    read passes its end."""
    if width == COLUMNS:
        return matrix.reshape(-1), column, matrix.shape[1]
    for s in range(matrix.shape[0]):
        for c in range(width):
            panel[s * COLUMNS + c] = matrix[s, column + c]
    return panel, 0, COLUMNS
