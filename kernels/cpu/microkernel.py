"""The one product that everything is made of.

Every matrix product, every gradient of one, and later every convolution is the same sum,

    y[out[r] + c]  =  sum over s of  x[rows[r] + x_steps[s]] * w[w_steps[s], c],

worked off in tiles of 6 rows r by 2 vectors of columns c.  The tables of offsets alone say what is multiplied.  For x (N, K) and
w (K, M), with n, k and m counting along them:

    y  = x w        rows: n K, where row n of x starts    x_steps: k       w_steps: k      out: n M
    dw = x^T dy     rows: k, where column k starts        x_steps: n K     w_steps: n      out: k M
    dx = dy w^T     as the first, with a transposed copy of w

A convolution needs nothing but other tables: its steps are the positions of the kernel's window.  And a step whose six numbers of
x are all zero can be left out of the tables: that is how zeros in an image, or behind a relu, cost no arithmetic.

The sums stay in twelve vector registers for the whole loop.  A step loads two vectors of w, broadcasts six numbers of x, and does
twelve fused multiply-adds; the loads hide behind them, and the loop runs at the processor's peak.  A compiler does not find this
blocking in plain loops, which is why this one file writes LLVM instructions itself.  The same text serves float64.
"""
import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ROWS = 6
LANES = 16 if llvm.get_host_cpu_features().get("avx512f") else 8        # float32 numbers in a vector register
COLUMNS = 2 * LANES

ARGUMENTS = ("x", "rows", "first_row", "x_steps", "w_steps", "step_count", "w", "w_start", "w_stride", "y", "out", "column",
             "width", "accumulate", "finish", "bias", "slope")


@intrinsic
def multiply_tile(typingctx, x, rows, first_row, x_steps, w_steps, step_count, w, w_start, w_stride, y, out, column, width,
                  accumulate, finish, bias, slope):
    """y[out[r] + column + c] = (or, if accumulate, +=) sum_s x[rows[r] + x_steps[s]] * w[w_start + w_steps[s] w_stride + c].

    With `finish`, y = f(y + bias[column + c]) follows, where f(v) is v, or slope * v for v < 0: a slope of 1 is linear, 0 is relu.

    r runs over the six rows from `first_row` (fewer at the end of `rows`: the last is repeated, which writes the same numbers
    twice), c over `width` <= COLUMNS columns, s over the first `step_count` >= 0 entries of the steps.  COLUMNS columns of w
    are read, or LANES if the width is no more.  x, w, y, bias: C-contiguous float32 or float64 of any shape, indexed flat; rows,
    x_steps, w_steps, out: int32.  Nothing is bounds-checked.
    """
    signature = types.void(x, rows, first_row, x_steps, w_steps, step_count, w, w_start, w_stride, y, out, column, width,
                           accumulate, finish, bias, slope)
    return signature, _emit_tile


def _emit_tile(context, builder, signature, arguments):
    kinds, values = dict(zip(ARGUMENTS, signature.args)), dict(zip(ARGUMENTS, arguments))
    index, lane_index = ir.IntType(64), ir.IntType(32)
    scalar = context.get_data_type(kinds["x"].dtype)
    vector = ir.VectorType(scalar, LANES)
    element_bytes = kinds["x"].dtype.bitwidth // 8      # vectors start at any element: they are aligned to one, no more
    multiply_add = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{LANES}{scalar.intrinsic_name}")
    mask = ir.VectorType(ir.IntType(1), LANES)
    masked_load = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [vector.as_pointer(), lane_index, mask, vector]),
        f"llvm.masked.load.v{LANES}{scalar.intrinsic_name}.p0")
    masked_store = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(ir.VoidType(), [vector, vector.as_pointer(), lane_index, mask]),
        f"llvm.masked.store.v{LANES}{scalar.intrinsic_name}.p0")

    def array(name):
        return context.make_array(kinds[name])(context, builder, values[name])

    def integer(name):
        return context.cast(builder, values[name], kinds[name], types.int64)

    def entry(table, position):
        return builder.sext(builder.load(builder.gep(array(table).data, [position])), index)

    def vector_at(pointer, offset):
        return builder.bitcast(builder.gep(pointer, [index(offset)]), vector.as_pointer())

    def splat(number, kind):
        undefined = ir.Constant(kind, ir.Undefined)
        single = builder.insert_element(undefined, number, lane_index(0))
        return builder.shuffle_vector(single, undefined, ir.Constant(ir.VectorType(lane_index, LANES), [0] * LANES))

    def sum_steps(halves):
        """The loop over steps; returns the sums [row][half] as vectors."""
        before, loop, after = builder.block, builder.append_basic_block("steps"), builder.append_basic_block("steps.after")
        builder.cbranch(builder.icmp_signed(">", step_count, index(0)), loop, after)
        builder.position_at_end(loop)
        s = builder.phi(index)
        sums = [[builder.phi(vector) for _ in range(halves)] for _ in range(ROWS)]
        x_step, w_row = entry("x_steps", s), builder.gep(w, [builder.mul(entry("w_steps", s), w_stride)])
        w_halves = [builder.load(vector_at(w_row, LANES * h), align=element_bytes) for h in range(halves)]
        updated = []
        for r in range(ROWS):
            number = splat(builder.load(builder.gep(x_rows[r], [x_step])), vector)
            updated.append([builder.call(multiply_add, [number, w_halves[h], sums[r][h]]) for h in range(halves)])
        s_next = builder.add(s, index(1))
        s.add_incoming(index(0), before)
        s.add_incoming(s_next, loop)
        builder.cbranch(builder.icmp_signed("<", s_next, step_count), loop, after)
        builder.position_at_end(after)
        results, zeros = [], ir.Constant(vector, [0.0] * LANES)
        for row_sums, row_updated in zip(sums, updated):
            results.append([])
            for phi, new in zip(row_sums, row_updated):
                phi.add_incoming(zeros, before)
                phi.add_incoming(new, loop)
                result = builder.phi(vector)
                result.add_incoming(zeros, before)
                result.add_incoming(new, loop)
                results[-1].append(result)
        return results

    def store(sums, masked):
        """Store the first `width` columns, or add them to what is there, and finish them.

        All is read before anything is written: a repeated row must not be added twice.
        """
        halves = range(len(sums[0]))
        masks = [first_lanes(builder.sub(width, index(LANES * h))) if masked else None for h in halves]
        places = [(r, h) for r in range(ROWS) for h in halves]
        targets, results = [vector_at(y_rows[r], LANES * h) for r, h in places], [sums[r][h] for r, h in places]

        before = builder.block
        with builder.if_then(accumulate):
            added = [builder.fadd(load(target, masks[h]), result) for target, result, (_, h) in zip(targets, results, places)]
            after = builder.block
        results = merge(results, before, added, after)
        before = builder.block
        with builder.if_then(finish):
            biases = [load(vector_at(bias, LANES * h), masks[h]) for h in halves]
            values = [finished(result, biases[h]) for result, (_, h) in zip(results, places)]
            after = builder.block
        for target, result, (_, h) in zip(targets, merge(results, before, values, after), places):
            if masked:
                builder.call(masked_store, [result, target, lane_index(element_bytes), masks[h]])
            else:
                builder.store(result, target, align=element_bytes)

    def load(pointer, mask):
        """A vector, or the lanes of it that the mask has."""
        if mask is None:
            return builder.load(pointer, align=element_bytes)
        return builder.call(masked_load, [pointer, lane_index(element_bytes), mask, ir.Constant(vector, [0.0] * LANES)])

    def first_lanes(count):
        """A mask of so many lanes."""
        lanes = ir.Constant(ir.VectorType(index, LANES), list(range(LANES)))
        return builder.icmp_signed("<", lanes, splat(count, lanes.type))

    def merge(values, block, others, other_block):
        """The values that came by one block, or the others by the other."""
        phis = [builder.phi(value.type) for value in values]
        for phi, value, other in zip(phis, values, others):
            phi.add_incoming(value, block)
            phi.add_incoming(other, other_block)
        return phis

    def finished(value, bias):
        """f(value + bias)."""
        value, zeros = builder.fadd(value, bias), ir.Constant(vector, [0.0] * LANES)
        scaled = builder.fmul(splat(slope, vector), value)
        scaled = builder.select(builder.fcmp_ordered("==", slope, scalar(0.0)), zeros, scaled)      # 0 * infinity would be NaN
        return builder.select(builder.fcmp_ordered("<", value, zeros), scaled, value)

    # Where the six rows start, in x and in y.
    last = builder.sub(array("rows").nitems, index(1))
    x_rows, y_rows = [], []
    for r in range(ROWS):
        wanted = builder.add(integer("first_row"), index(r))
        row = builder.select(builder.icmp_signed("<", wanted, last), wanted, last)
        x_rows.append(builder.gep(array("x").data, [entry("rows", row)]))
        y_rows.append(builder.gep(array("y").data, [builder.add(entry("out", row), integer("column"))]))
    w, w_stride = builder.gep(array("w").data, [integer("w_start")]), integer("w_stride")
    step_count, width = integer("step_count"), integer("width")
    accumulate, finish = (context.cast(builder, values[name], kinds[name], types.boolean) for name in ("accumulate", "finish"))
    bias = builder.gep(array("bias").data, [integer("column")])
    slope = context.cast(builder, values["slope"], kinds["slope"], kinds["x"].dtype)

    with builder.if_else(builder.icmp_signed("<=", width, index(LANES))) as (narrow, wide):
        with narrow:
            store(sum_steps(halves=1), masked=True)
        with wide:
            sums = sum_steps(halves=2)
            with builder.if_else(builder.icmp_signed("==", width, index(COLUMNS))) as (full, partial):
                with full:
                    store(sums, masked=False)
                with partial:
                    store(sums, masked=True)
    return context.get_dummy_value()


@intrinsic
def transpose_tile(typingctx, x, x_start, x_stride, y, y_start, y_stride):
    """y[y_start + i y_stride + j] = x[x_start + j x_stride + i] for i, j < LANES, in registers; the arrays as above.

    Round by round, for s = 1, 2, 4, ...: vectors i and i + s exchange the lanes that have s in one number and not in the
    other, after which row and lane numbers agree up to their bit s with those of the transpose.
    """
    signature = types.void(x, x_start, x_stride, y, y_start, y_stride)
    return signature, _emit_transpose


def _emit_transpose(context, builder, signature, arguments):
    scalar = context.get_data_type(signature.args[0].dtype)
    vector, element_bytes = ir.VectorType(scalar, LANES), signature.args[0].dtype.bitwidth // 8

    def row_pointers(array, start, stride):
        data = context.make_array(signature.args[array])(context, builder, arguments[array]).data
        start, stride = (context.cast(builder, arguments[a], signature.args[a], types.int64) for a in (start, stride))
        return [builder.bitcast(builder.gep(data, [builder.add(start, builder.mul(ir.IntType(64)(i), stride))]), vector.as_pointer())
                for i in range(LANES)]

    def shuffle(a, b, lanes):
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes))

    rows = [builder.load(pointer, align=element_bytes) for pointer in row_pointers(0, 1, 2)]
    s = 1
    while s < LANES:
        upper = [lane if not lane & s else LANES + lane - s for lane in range(LANES)]      # lanes of b count from LANES on
        lower = [lane + s if not lane & s else LANES + lane for lane in range(LANES)]
        for i in range(LANES):
            if not i & s:
                rows[i], rows[i + s] = shuffle(rows[i], rows[i + s], upper), shuffle(rows[i], rows[i + s], lower)
        s *= 2
    for pointer, row in zip(row_pointers(3, 4, 5), rows):
        builder.store(row, pointer, align=element_bytes)
    return context.get_dummy_value()


@intrinsic
def any_nonzero(typingctx, x, start):
    """True if one of the ROWS numbers of x from `start` on is not zero.  LANES numbers are read."""
    return types.boolean(x, start), _emit_any_nonzero


def _emit_any_nonzero(context, builder, signature, arguments):
    vector = ir.VectorType(context.get_data_type(signature.args[0].dtype), LANES)
    start = context.cast(builder, arguments[1], signature.args[1], types.int64)
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    numbers = builder.load(builder.bitcast(builder.gep(data, [start]), vector.as_pointer()),
                           align=signature.args[0].dtype.bitwidth // 8)
    different = builder.fcmp_unordered("!=", numbers, ir.Constant(vector, [0.0] * LANES))       # true for NaN, too
    bits = builder.bitcast(different, ir.IntType(LANES))
    return builder.icmp_unsigned("!=", builder.and_(bits, ir.IntType(LANES)(2 ** ROWS - 1)), ir.IntType(LANES)(0))
