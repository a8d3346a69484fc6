"""The microkernel: every matrix product, every gradient of one, and every convolution is the sum

    y[out[r] + c]  =  sum over s of  x[rows[r] + x_steps[s]] * w[w_steps[s], c],

computed in tiles of 6 rows r by 2 vectors of columns c. Only the tables of offsets say what is
multiplied. For x (N, K) and w (K, M), with n, k and m counting along them:

    y  = x w        rows: n K, where row n of x starts    x_steps: k       w_steps: k      out: n M
    dw = x^T dy     rows: k, where column k starts        x_steps: n K     w_steps: n      out: k M
    dx = dy w^T     as the first, with a transposed copy of w

For a convolution only the tables differ: its steps are the positions of the kernel's window. And a
step whose six numbers of x are all zero can be left out of the tables: that is how zeros in an
image, or after a relu, save arithmetic.

The sums stay in twelve vector registers for the whole loop. A step loads two vectors of w,
broadcasts six numbers of x, and does twelve fused multiply-adds. The loads hide behind them, and
the loop runs at the processor's peak. A compiler does not find this blocking in plain loops, so
this file, vectors.py and transform.py write LLVM instructions themselves. The same text serves
float64.
"""
import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ROWS = 6
LANES = 16 if llvm.get_host_cpu_features().get("avx512f") else 8    # float32 numbers in a vector
COLUMNS = 2 * LANES
CACHE_LINE = 64                 # bytes

INDEX = ir.IntType(64)
LANE = ir.IntType(32)
TO_WRITE = (LANE(1), LANE(3), LANE(1))      # of a prefetch: to write, to stay in all caches, data

ARGUMENTS = ("x", "rows", "first_row", "x_steps", "w_steps", "step_count", "w", "w_start",
             "w_stride", "y", "out", "column", "width", "accumulate", "finish", "bias", "slope")
INTEGERS = ("first_row", "step_count", "w_start", "w_stride", "column", "width")


@intrinsic
def multiply_tile(typingctx, x, rows, first_row, x_steps, w_steps, step_count, w, w_start, w_stride,
                  y, out, column, width, accumulate, finish, bias, slope):
    """Compute one tile of a product:

        y[out[r] + column + c]
            = sum over s of x[rows[r] + x_steps[s]] * w[w_start + w_steps[s] w_stride + c]

    Nothing is bounds-checked. Only product.py calls this function; it groups the arguments.

    Parameters
    ----------
    x, w, y : C-contiguous arrays of float32 or float64, of any shape
        They are indexed as if they were flat. COLUMNS columns of w are read; LANES if `width` is
        at most LANES, LANES // 2 if it is at most that.
    rows, out : arrays of int32
        Where each row starts in x and in y.
    first_row : int
        The tile has the six rows r from first_row on. At the end of `rows` the last row is
        repeated, which writes the same numbers again.
    x_steps, w_steps : arrays of int32
        The terms of the sums.
    step_count : int
        s runs over the first step_count >= 0 entries of the steps.
    w_start, w_stride : int
        Where row 0 of w starts, and how far its rows are apart.
    column, width : int
        c runs over `width` <= COLUMNS columns.
    accumulate : bool
        Add the sums to what y holds.
    finish : bool
        Then y = f(y + bias[column + c]), where f(v) is v, or slope * v for v < 0.
    bias : array
    slope : float
        1 is linear, 0 is relu.
    """
    signature = types.void(x, rows, first_row, x_steps, w_steps, step_count, w, w_start, w_stride,
                           y, out, column, width, accumulate, finish, bias, slope)
    return signature, _emit_tile


def _emit_tile(context, builder, signature, arguments):
    """Emit the code of multiply_tile: a form for each number of vectors that the width needs."""
    kinds = dict(zip(ARGUMENTS, signature.args))
    values = dict(zip(ARGUMENTS, arguments))
    tile = _Tile(context, builder, kinds, values)
    one_vector = builder.icmp_signed("<=", tile.width, INDEX(LANES))
    with builder.if_else(one_vector) as (narrow, wide):
        with narrow:
            half_vector = builder.icmp_signed("<=", tile.width, INDEX(LANES // 2))
            with builder.if_else(half_vector) as (half, whole):
                with half:
                    tile.emit(LANES // 2, 1, masked=True)
                with whole:
                    tile.emit(LANES, 1, masked=True)
        with wide:
            all_columns = builder.icmp_signed("==", tile.width, INDEX(COLUMNS))
            with builder.if_else(all_columns) as (full, partial):
                with full:
                    tile.emit(LANES, 2, masked=False)
                with partial:
                    tile.emit(LANES, 2, masked=True)
    return context.get_dummy_value()


class _Tile:
    """Emits the code of a tile; a row of the tile has `parts` vectors of `lanes` numbers."""

    def __init__(self, context, builder, kinds, values):
        self.builder = builder
        self.scalar = context.get_data_type(kinds["x"].dtype)
        # Vectors start at any element, so they are only aligned to one element.
        self.element_bytes = kinds["x"].dtype.bitwidth // 8

        arrays = {name: context.make_array(kind)(context, builder, values[name])
                  for name, kind in kinds.items() if isinstance(kind, types.Array)}
        integers = {name: context.cast(builder, values[name], kinds[name], types.int64)
                    for name in INTEGERS}
        self.x_steps = arrays["x_steps"].data
        self.w_steps = arrays["w_steps"].data
        self.step_count = integers["step_count"]
        self.w_stride = integers["w_stride"]
        self.width = integers["width"]
        self.accumulate, self.finish = (
            context.cast(builder, values[name], kinds[name], types.boolean)
            for name in ("accumulate", "finish"))
        self.slope = context.cast(builder, values["slope"], kinds["slope"], kinds["x"].dtype)
        self.w = builder.gep(arrays["w"].data, [integers["w_start"]])
        self.bias = builder.gep(arrays["bias"].data, [integers["column"]])

        last = builder.sub(arrays["rows"].nitems, INDEX(1))
        self.x_rows = []                                    # where the six rows start in x
        self.y_rows = []                                    # and in y
        for r in range(ROWS):
            wanted = builder.add(integers["first_row"], INDEX(r))
            row = builder.select(builder.icmp_signed("<", wanted, last), wanted, last)
            x_start = self.entry(arrays["rows"].data, row)
            self.x_rows.append(builder.gep(arrays["x"].data, [x_start]))
            y_start = builder.add(self.entry(arrays["out"].data, row), integers["column"])
            self.y_rows.append(builder.gep(arrays["y"].data, [y_start]))

    def emit(self, lanes, parts, masked):
        """Emit the sums and the stores of the tile."""
        self.vector = ir.VectorType(self.scalar, lanes)
        self.parts = range(parts)
        self.fetch_results()
        self.store(self.sum_steps(), masked)

    def fetch_results(self):
        """Emit requests for the memory that will be written: it comes while the sums are made.

        Rows lie far apart, where no processor expects the next one to be. A row may start within a
        line; that line was fetched with the panel on its left.
        """
        builder = self.builder
        place = self.y_rows[0].type
        kind = ir.FunctionType(ir.VoidType(), [place, LANE, LANE, LANE])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        numbers = self.vector.count * len(self.parts)
        line = CACHE_LINE // self.element_bytes
        for row in self.y_rows:
            for column in range(min(line, numbers) - 1, numbers, line):
                builder.call(prefetch, [builder.gep(row, [INDEX(column)]), *TO_WRITE])

    def sum_steps(self):
        """Emit the loop over steps; return the sums [row][part]."""
        builder = self.builder
        zeros = self.constant(0.0)
        multiply_add = self.function("fmuladd", self.vector, [self.vector] * 3)
        before = builder.block
        loop = builder.append_basic_block("steps")
        after = builder.append_basic_block("steps.after")
        any_step = builder.icmp_signed(">", self.step_count, INDEX(0))
        builder.cbranch(any_step, loop, after)

        builder.position_at_end(loop)
        s = builder.phi(INDEX)
        sums = [[builder.phi(self.vector) for _ in self.parts] for _ in range(ROWS)]
        x_step = self.entry(self.x_steps, s)
        w_offset = builder.mul(self.entry(self.w_steps, s), self.w_stride)
        w_row = builder.gep(self.w, [w_offset])
        w_parts = [builder.load(self.part_at(w_row, part), align=self.element_bytes)
                   for part in self.parts]
        updated = []
        for r in range(ROWS):
            number = builder.load(builder.gep(self.x_rows[r], [x_step]))
            number = self.splat(number, self.vector)
            updated.append([builder.call(multiply_add, [number, w_parts[part], sums[r][part]])
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
        """Emit the stores of the first `width` columns.

        All is read before anything is written: a repeated row must not be added twice.
        """
        builder = self.builder
        places = [(r, part) for r in range(ROWS) for part in self.parts]
        targets = [self.part_at(self.y_rows[r], part) for r, part in places]
        results = [sums[r][part] for r, part in places]
        masks = [None for _ in self.parts]
        if masked:
            masks = [self.first_lanes(builder.sub(self.width, INDEX(self.vector.count * part)))
                     for part in self.parts]

        before = builder.block
        with builder.if_then(self.accumulate):
            added = [builder.fadd(self.load(target, masks[part]), result)
                     for target, result, (_, part) in zip(targets, results, places)]
            after = builder.block
        results = self.merge(results, before, added, after)

        before = builder.block
        with builder.if_then(self.finish):
            biases = [self.load(self.part_at(self.bias, part), masks[part]) for part in self.parts]
            values = [self.finished(result, biases[part])
                      for result, (_, part) in zip(results, places)]
            after = builder.block
        results = self.merge(results, before, values, after)

        for target, result, (_, part) in zip(targets, results, places):
            if masked:
                kinds = [self.vector, target.type, LANE, masks[part].type]
                store = self.function("masked.store", ir.VoidType(), kinds, ".p0")
                builder.call(store, [result, target, LANE(self.element_bytes), masks[part]])
            else:
                builder.store(result, target, align=self.element_bytes)

    def finished(self, value, bias):
        """Return f(value + bias)."""
        builder = self.builder
        zeros = self.constant(0.0)
        value = builder.fadd(value, bias)
        scaled = builder.fmul(self.splat(self.slope, self.vector), value)
        slope_is_zero = builder.fcmp_ordered("==", self.slope, self.scalar(0.0))
        scaled = builder.select(slope_is_zero, zeros, scaled)       # 0 * infinity would be NaN
        return builder.select(builder.fcmp_ordered("<", value, zeros), scaled, value)

    def merge(self, values, block, others, other_block):
        """Return the values if control came from block, the others if from other_block."""
        phis = [self.builder.phi(value.type) for value in values]
        for phi, value, other in zip(phis, values, others):
            phi.add_incoming(value, block)
            phi.add_incoming(other, other_block)
        return phis

    def load(self, pointer, mask):
        """Return the vector at a pointer; with a mask, only the lanes that it selects."""
        if mask is None:
            return self.builder.load(pointer, align=self.element_bytes)
        kinds = [pointer.type, LANE, mask.type, self.vector]
        load = self.function("masked.load", self.vector, kinds, ".p0")
        otherwise = self.constant(0.0)
        return self.builder.call(load, [pointer, LANE(self.element_bytes), mask, otherwise])

    def function(self, name, result, parameters, suffix=""):
        """Return one of LLVM's functions on vectors."""
        kind = ir.FunctionType(result, parameters)
        full_name = f"llvm.{name}.v{self.vector.count}{self.scalar.intrinsic_name}{suffix}"
        return cgutils.get_or_insert_function(self.builder.module, kind, full_name)

    def entry(self, table, position):
        """Return a number of a table of offsets."""
        number = self.builder.load(self.builder.gep(table, [position]))
        return self.builder.sext(number, INDEX)

    def part_at(self, pointer, part):
        """Return the pointer to a part of a row."""
        start = self.builder.gep(pointer, [INDEX(self.vector.count * part)])
        return self.builder.bitcast(start, self.vector.as_pointer())

    def splat(self, number, vector):
        """Return a vector with the number in every lane."""
        undefined = ir.Constant(vector, ir.Undefined)
        single = self.builder.insert_element(undefined, number, LANE(0))
        lane_0 = ir.Constant(ir.VectorType(LANE, vector.count), [0] * vector.count)
        return self.builder.shuffle_vector(single, undefined, lane_0)

    def constant(self, number):
        """Return a vector with a constant number in every lane."""
        return ir.Constant(self.vector, [number] * self.vector.count)

    def first_lanes(self, count):
        """Return a mask of the first `count` lanes."""
        lanes = ir.Constant(ir.VectorType(INDEX, self.vector.count), list(range(self.vector.count)))
        return self.builder.icmp_signed("<", lanes, self.splat(count, lanes.type))
