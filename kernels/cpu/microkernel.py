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

INDEX, LANE = ir.IntType(64), ir.IntType(32)

ARGUMENTS = ("x", "rows", "first_row", "x_steps", "w_steps", "step_count", "w", "w_start", "w_stride", "y", "out", "column",
             "width", "accumulate", "finish", "bias", "slope")


@intrinsic
def multiply_tile(typingctx, x, rows, first_row, x_steps, w_steps, step_count, w, w_start, w_stride, y, out, column, width,
                  accumulate, finish, bias, slope):
    """y[out[r] + column + c] = (or, if accumulate, +=) sum_s x[rows[r] + x_steps[s]] * w[w_start + w_steps[s] w_stride + c].

    With `finish`, y = f(y + bias[column + c]) follows, where f(v) is v, or slope * v for v < 0: a slope of 1 is linear, 0 is relu.

    r runs over the six rows from `first_row` (fewer at the end of `rows`: the last is repeated, which writes the same numbers
    twice), c over `width` <= COLUMNS columns, s over the first `step_count` >= 0 entries of the steps.  COLUMNS columns of w
    are read, or LANES or half as many if the width is no more.  x, w, y, bias: C-contiguous float32 or float64 of any shape, indexed flat; rows,
    x_steps, w_steps, out: int32.  Nothing is bounds-checked.
    """
    signature = types.void(x, rows, first_row, x_steps, w_steps, step_count, w, w_start, w_stride, y, out, column, width,
                           accumulate, finish, bias, slope)
    return signature, _emit_tile


def _emit_tile(context, builder, signature, arguments):
    kinds, values = dict(zip(ARGUMENTS, signature.args)), dict(zip(ARGUMENTS, arguments))
    tile = _Tile(context, builder, kinds, values)
    width = tile.width
    with builder.if_else(builder.icmp_signed("<=", width, INDEX(LANES))) as (narrow, wide):
        with narrow:
            with builder.if_else(builder.icmp_signed("<=", width, INDEX(LANES // 2))) as (half, whole):
                with half:
                    tile.emit(LANES // 2, 1, masked=True)
                with whole:
                    tile.emit(LANES, 1, masked=True)
        with wide:
            with builder.if_else(builder.icmp_signed("==", width, INDEX(COLUMNS))) as (full, partial):
                with full:
                    tile.emit(LANES, 2, masked=False)
                with partial:
                    tile.emit(LANES, 2, masked=True)
    return context.get_dummy_value()


class _Tile:
    """Emits the code of a tile, for vectors of some number of lanes, so many of them to a row."""

    def __init__(self, context, builder, kinds, values):
        self.builder, self.scalar = builder, context.get_data_type(kinds["x"].dtype)
        self.element_bytes = kinds["x"].dtype.bitwidth // 8         # vectors start at any element: they are aligned to one, no more
        arrays = {name: context.make_array(kind)(context, builder, values[name]) for name, kind in kinds.items()
                  if isinstance(kind, types.Array)}
        integers = {name: context.cast(builder, values[name], kinds[name], types.int64) for name in
                    ("first_row", "step_count", "w_start", "w_stride", "column", "width")}
        self.x_steps, self.w_steps = arrays["x_steps"].data, arrays["w_steps"].data
        self.step_count, self.w_stride, self.width = integers["step_count"], integers["w_stride"], integers["width"]
        self.accumulate, self.finish = (context.cast(builder, values[name], kinds[name], types.boolean) for name in
                                        ("accumulate", "finish"))
        self.slope = context.cast(builder, values["slope"], kinds["slope"], kinds["x"].dtype)
        self.w = builder.gep(arrays["w"].data, [integers["w_start"]])
        self.bias = builder.gep(arrays["bias"].data, [integers["column"]])
        last = builder.sub(arrays["rows"].nitems, INDEX(1))
        self.x_rows, self.y_rows = [], []                           # where the six rows start, in x and in y
        for r in range(ROWS):
            wanted = builder.add(integers["first_row"], INDEX(r))
            row = builder.select(builder.icmp_signed("<", wanted, last), wanted, last)
            self.x_rows.append(builder.gep(arrays["x"].data, [self.entry(arrays["rows"].data, row)]))
            self.y_rows.append(builder.gep(arrays["y"].data, [builder.add(self.entry(arrays["out"].data, row), integers["column"])]))

    def emit(self, lanes, parts, masked):
        """The sums of a tile of rows of `parts` vectors, and what becomes of them."""
        self.vector = ir.VectorType(self.scalar, lanes)
        self.parts = range(parts)
        self.store(self.sum_steps(), masked)

    def sum_steps(self):
        """The loop over steps; returns the sums [row][part]."""
        builder, zeros = self.builder, self.constant(0.0)
        before, loop, after = builder.block, builder.append_basic_block("steps"), builder.append_basic_block("steps.after")
        builder.cbranch(builder.icmp_signed(">", self.step_count, INDEX(0)), loop, after)
        builder.position_at_end(loop)
        s = builder.phi(INDEX)
        sums = [[builder.phi(self.vector) for _ in self.parts] for _ in range(ROWS)]
        x_step, w_row = self.entry(self.x_steps, s), builder.gep(self.w, [builder.mul(self.entry(self.w_steps, s), self.w_stride)])
        w_parts = [builder.load(self.part_at(w_row, part), align=self.element_bytes) for part in self.parts]
        updated = []
        for r in range(ROWS):
            number = self.splat(builder.load(builder.gep(self.x_rows[r], [x_step])), self.vector)
            updated.append([builder.call(self.function("fmuladd", self.vector, [self.vector] * 3), [number, w_parts[part], sums[r][part]])
                            for part in self.parts])
        s_next = builder.add(s, INDEX(1))
        s.add_incoming(INDEX(0), before)
        s.add_incoming(s_next, loop)
        builder.cbranch(builder.icmp_signed("<", s_next, self.step_count), loop, after)
        builder.position_at_end(after)
        results = []
        for row_sums, row_updated in zip(sums, updated):
            for phi, new in zip(row_sums, row_updated):
                phi.add_incoming(zeros, before)
                phi.add_incoming(new, loop)
            results.append(self.merge([zeros] * len(row_updated), before, row_updated, loop))
        return results

    def store(self, sums, masked):
        """Store the first `width` columns, or add them to what is there, and finish them.

        All is read before anything is written: a repeated row must not be added twice.
        """
        builder = self.builder
        masks = [self.first_lanes(builder.sub(self.width, INDEX(self.vector.count * part))) if masked else None for part in self.parts]
        places = [(r, part) for r in range(ROWS) for part in self.parts]
        targets, results = [self.part_at(self.y_rows[r], part) for r, part in places], [sums[r][part] for r, part in places]

        before = builder.block
        with builder.if_then(self.accumulate):
            added = [builder.fadd(self.load(target, masks[part]), result) for target, result, (_, part) in zip(targets, results, places)]
            after = builder.block
        results = self.merge(results, before, added, after)
        before = builder.block
        with builder.if_then(self.finish):
            biases = [self.load(self.part_at(self.bias, part), masks[part]) for part in self.parts]
            values = [self.finished(result, biases[part]) for result, (_, part) in zip(results, places)]
            after = builder.block
        for target, result, (_, part) in zip(targets, self.merge(results, before, values, after), places):
            if masked:
                store = self.function("masked.store", ir.VoidType(), [self.vector, target.type, LANE, masks[part].type], ".p0")
                builder.call(store, [result, target, LANE(self.element_bytes), masks[part]])
            else:
                builder.store(result, target, align=self.element_bytes)

    def finished(self, value, bias):
        """f(value + bias)."""
        builder, zeros = self.builder, self.constant(0.0)
        value = builder.fadd(value, bias)
        scaled = builder.fmul(self.splat(self.slope, self.vector), value)
        scaled = builder.select(builder.fcmp_ordered("==", self.slope, self.scalar(0.0)), zeros, scaled)     # 0 * infinity would be NaN
        return builder.select(builder.fcmp_ordered("<", value, zeros), scaled, value)

    def merge(self, values, block, others, other_block):
        """The values that came by one block, or the others by the other."""
        phis = [self.builder.phi(value.type) for value in values]
        for phi, value, other in zip(phis, values, others):
            phi.add_incoming(value, block)
            phi.add_incoming(other, other_block)
        return phis

    def load(self, pointer, mask):
        """A vector, or the lanes of it that the mask has."""
        if mask is None:
            return self.builder.load(pointer, align=self.element_bytes)
        load = self.function("masked.load", self.vector, [pointer.type, LANE, mask.type, self.vector], ".p0")
        return self.builder.call(load, [pointer, LANE(self.element_bytes), mask, self.constant(0.0)])

    def function(self, name, result, parameters, suffix=""):
        """One of LLVM's functions on vectors."""
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, parameters),
                                              f"llvm.{name}.v{self.vector.count}{self.scalar.intrinsic_name}{suffix}")

    def entry(self, table, position):
        """A number of a table of offsets."""
        return self.builder.sext(self.builder.load(self.builder.gep(table, [position])), INDEX)

    def part_at(self, pointer, part):
        """The pointer to a part of a row."""
        return self.builder.bitcast(self.builder.gep(pointer, [INDEX(self.vector.count * part)]), self.vector.as_pointer())

    def splat(self, number, vector):
        """The number in every lane."""
        undefined = ir.Constant(vector, ir.Undefined)
        single = self.builder.insert_element(undefined, number, LANE(0))
        return self.builder.shuffle_vector(single, undefined, ir.Constant(ir.VectorType(LANE, vector.count), [0] * vector.count))

    def constant(self, number):
        """The constant number in every lane."""
        return ir.Constant(self.vector, [number] * self.vector.count)

    def first_lanes(self, count):
        """A mask of so many lanes."""
        lanes = ir.Constant(ir.VectorType(INDEX, self.vector.count), list(range(self.vector.count)))
        return self.builder.icmp_signed("<", lanes, self.splat(count, lanes.type))


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
