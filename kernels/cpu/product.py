"""Plain loops around the microkernel: how a product is cut into panels of columns, blocks of rows and chunks of steps."""
from .jit import inner
from .microkernel import COLUMNS, LANES, ROWS, multiply_tile, transpose_tile

STEPS = 256                     # in a chunk: its rows of w stay in the first cache, and shorter float32 sums keep more digits
TASKS = 32                      # at least so many for the threads to share: where panels are fewer, blocks of rows are tasks too
PACKED_TASKS = 8                # fewer where each task has to transpose its panel first


@inner
def multiply_panel(x, rows, first, last, x_steps, w_steps, counts, w, w_start, w_stride, y, out, column, width, bias, slope):
    """Rows first to last - 1 of one panel: y[out[r] + column + c] = sum_s x[rows[r] + x_steps[s]] w[w_start + w_steps[s] w_stride + c],
    and then y = f(y + bias) (see microkernel.py), unless the bias is empty.

    The steps come in chunks: those of chunk i stand in x_steps and w_steps from column i STEPS on, and are counts[:, i] in
    number.  Each block of ROWS rows has a row of steps of its own, or all share the only one.  `first` is a multiple of ROWS.
    """
    chunks = counts.shape[1]
    for chunk in range(chunks):
        finish = chunk == chunks - 1 and bias.size > 0
        for row in range(first, last, ROWS):
            block = row // ROWS if counts.shape[0] > 1 else 0
            multiply_tile(x, rows, row, x_steps[block][chunk * STEPS:], w_steps[block][chunk * STEPS:], counts[block, chunk],
                          w, w_start, w_stride, y, out, column, width, chunk > 0, finish, bias, slope)


@inner
def multiply_rows(x, rows, first, last, x_steps, w_steps, w, w_start, w_stride, y, out, column, width, bias, slope, add):
    """As multiply_panel, for rows that all share the same steps, none of them left out: chunks are STEPS of them.

    add: the sum is added to what is in y.
    """
    for start in range(0, max(1, x_steps.size), STEPS):         # once even without steps: then the sum is 0
        finish = start + STEPS >= x_steps.size and bias.size > 0
        for row in range(first, last, ROWS):
            multiply_tile(x, rows, row, x_steps[start:], w_steps[start:], min(STEPS, x_steps.size - start), w, w_start, w_stride,
                          y, out, column, width, add or start > 0, finish, bias, slope)


@inner
def keep_steps(flags, steps, counts):
    """steps = the positions where flags is not 0, chunk by chunk, and counts their number in each; steps may be flags."""
    for chunk in range(counts.size):
        start = chunk * STEPS
        count = 0
        for s in range(start, min(start + STEPS, flags.size)):
            flag = flags[s]
            steps[start + count] = s
            count += flag != 0
        counts[chunk] = count


@inner
def share_out(rows, columns, tasks):
    """How to cut a result into tasks: (panels of columns, blocks of rows, rows of a block, a multiple of ROWS)."""
    panel_count = (columns + COLUMNS - 1) // COLUMNS
    block_count = (tasks + panel_count - 1) // panel_count
    block_rows = ((rows + block_count - 1) // block_count + ROWS - 1) // ROWS * ROWS
    return panel_count, (rows + block_rows - 1) // block_rows, block_rows


@inner
def panel_of(matrix, column, width, panel):
    """(array, start, stride) of COLUMNS columns: in the matrix itself, or, at its right edge, copied to `panel` so that no
    read passes its end."""
    if width == COLUMNS:
        return matrix.reshape(-1), column, matrix.shape[1]
    pack_panel(matrix, column, panel)
    return panel, 0, COLUMNS


@inner
def pack_panel(matrix, column, panel):
    """panel[s, c] = matrix[s, column + c], as many columns as there are."""
    width = min(COLUMNS, matrix.shape[1] - column)
    for s in range(matrix.shape[0]):
        for c in range(width):
            panel[s * COLUMNS + c] = matrix[s, column + c]


@inner
def transpose_panel(matrix, first, width, panel):
    """panel[m, c] = matrix[first + c, m] for `width` rows of the matrix, COLUMNS columns to a row of the panel."""
    size = matrix.shape[1]
    tiled = size // LANES * LANES if width == COLUMNS else 0
    for m in range(0, tiled, LANES):
        for c in range(0, COLUMNS, LANES):
            transpose_tile(matrix, (first + c) * size + m, size, panel, m * COLUMNS + c, COLUMNS)
    for m in range(tiled, size):
        for c in range(width):
            panel[m * COLUMNS + c] = matrix[first + c, m]
