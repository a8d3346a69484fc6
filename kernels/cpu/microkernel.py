"""The one product that everything is made of.

Every matrix product, every gradient of one, and later every convolution is the same sum,

    y[out[r] + c]  =  sum over s of  x[rows[r] + steps[s]] * w[s, c],

worked off in tiles of 6 rows r by 16 columns c.  `rows`, `steps` and `out` are tables of offsets into flat arrays; they alone
say what is multiplied.  For x (N, K) and w (K, M):

    y  = x w        rows: n K, where row n of x starts    steps: k, along it           out: n M
    dw = x^T dy     rows: k, where column k starts        steps: n K, down it          out: k M
    dx = dy w^T     as the first, with a transposed copy of w

A convolution needs nothing but other tables: its steps are the positions of the kernel's window.

The 6 x 16 sums stay in twelve 8-wide vector registers for the whole loop.  A step loads two vectors of w, broadcasts six numbers
of x, and does twelve fused multiply-adds; the nine loads hide behind them, and the loop runs at the processor's peak.  A
compiler does not find this blocking in plain loops, which is why this one file writes LLVM instructions itself.  The same
text serves float64.
"""
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ROWS = 6
LANES = 8
COLUMNS = 2 * LANES


@intrinsic
def multiply_tile(typingctx, x, rows, first_row, steps, step_count, w, w_start, w_stride, y, out, column, width, accumulate):
    """y[out[r] + column + c] = (or, if accumulate, +=) sum_s x[rows[r] + steps[s]] * w[w_start + s w_stride + c].

    r runs over the six rows from `first_row` (fewer at the end of `rows`: the last is repeated, which writes the same numbers
    twice), c over `width` <= 16 columns, s over the first `step_count` >= 1 entries of `steps`.  All 16 columns of w are
    read, whatever the width.  x, w, y: C-contiguous float32 or float64 of any shape, indexed flat; rows, steps, out: int32.
    Nothing is bounds-checked.
    """
    signature = types.void(x, rows, first_row, steps, step_count, w, w_start, w_stride, y, out, column, width, accumulate)
    return signature, _emit_tile


def _emit_tile(context, builder, signature, arguments):
    names = ("x", "rows", "first_row", "steps", "step_count", "w", "w_start", "w_stride", "y", "out", "column", "width", "accumulate")
    kinds, values = dict(zip(names, signature.args)), dict(zip(names, arguments))
    scalar = context.get_data_type(kinds["x"].dtype)
    vector = ir.VectorType(scalar, LANES)
    element_bytes = kinds["x"].dtype.bitwidth // 8      # vectors start at any element: they are aligned to one, no more

    def array(name):
        return context.make_array(kinds[name])(context, builder, values[name])

    def integer(name):
        return context.cast(builder, values[name], kinds[name], types.int64)

    def constant(number):
        return ir.Constant(ir.IntType(64), number)

    def entry(table, position):
        return builder.sext(builder.load(builder.gep(array(table).data, [position])), ir.IntType(64))

    def vector_at(pointer, offset=0):
        return builder.bitcast(builder.gep(pointer, [constant(offset)]), vector.as_pointer())

    def broadcast(number):
        undefined, lane_0 = ir.Constant(vector, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        all_lane_0 = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(builder.insert_element(undefined, number, lane_0), undefined, all_lane_0)

    # Where the six rows start, in x and in y.
    last = builder.sub(array("rows").nitems, constant(1))
    x_rows, y_rows = [], []
    for r in range(ROWS):
        wanted = builder.add(integer("first_row"), constant(r))
        row = builder.select(builder.icmp_signed("<", wanted, last), wanted, last)
        x_rows.append(builder.gep(array("x").data, [entry("rows", row)]))
        y_rows.append(builder.gep(array("y").data, [builder.add(entry("out", row), integer("column"))]))

    # The loop over steps; sums[r][h] are the registers: row r, columns 8 h to 8 h + 7.
    w, w_stride = builder.gep(array("w").data, [integer("w_start")]), integer("w_stride")
    before, loop = builder.block, builder.append_basic_block("steps")
    after = builder.append_basic_block("steps.after")
    builder.branch(loop)
    builder.position_at_end(loop)
    s = builder.phi(ir.IntType(64))
    sums = [[builder.phi(vector) for _ in range(2)] for _ in range(ROWS)]
    w_row = builder.gep(w, [builder.mul(s, w_stride)])
    w_halves = [builder.load(vector_at(w_row, LANES * h), align=element_bytes) for h in range(2)]
    step = entry("steps", s)
    multiply_add = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{LANES}{scalar.intrinsic_name}")
    for r in range(ROWS):
        number = broadcast(builder.load(builder.gep(x_rows[r], [step])))
        for h in range(2):
            updated = builder.call(multiply_add, [number, w_halves[h], sums[r][h]])
            sums[r][h].add_incoming(ir.Constant(vector, [0.0] * LANES), before)
            sums[r][h].add_incoming(updated, loop)
            sums[r][h].updated = updated
    s_next = builder.add(s, constant(1))
    s.add_incoming(constant(0), before)
    s.add_incoming(s_next, loop)
    builder.cbranch(builder.icmp_signed("<", s_next, integer("step_count")), loop, after)
    builder.position_at_end(after)
    sums = [[half.updated for half in row] for row in sums]

    # Store, or add to what is there.  All is read before anything is written: a repeated row must not be added to twice.
    accumulate = context.cast(builder, values["accumulate"], kinds["accumulate"], types.boolean)
    with builder.if_else(builder.icmp_signed("==", integer("width"), constant(COLUMNS))) as (full, partial):
        with full:
            targets = [vector_at(y_row, LANES * h) for y_row in y_rows for h in range(2)]
            results = [half for row in sums for half in row]
            with builder.if_else(accumulate) as (add, replace):
                with add:
                    old = [builder.load(target, align=element_bytes) for target in targets]
                    for target, before, result in zip(targets, old, results):
                        builder.store(builder.fadd(before, result), target, align=element_bytes)
                with replace:
                    for target, result in zip(targets, results):
                        builder.store(result, target, align=element_bytes)
        with partial:       # the last columns of y, fewer than sixteen: one by one
            both = ir.Constant(ir.VectorType(ir.IntType(32), COLUMNS), list(range(COLUMNS)))
            whole_rows = [builder.shuffle_vector(row[0], row[1], both) for row in sums]
            with cgutils.for_range(builder, integer("width")) as column:
                targets = [builder.gep(y_row, [column.index]) for y_row in y_rows]
                old = [builder.select(accumulate, builder.load(target), ir.Constant(scalar, 0.0)) for target in targets]
                for target, before, row in zip(targets, old, whole_rows):
                    builder.store(builder.fadd(before, builder.extract_element(row, column.index)), target)
    return context.get_dummy_value()
