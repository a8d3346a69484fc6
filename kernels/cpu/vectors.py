"""Vectors moved, added and looked at: what products need besides the tile of microkernel.py.

Arrays are C-contiguous, of float32 or float64, and of any shape; they are indexed as if they were
flat, and nothing is bounds-checked. A loop over slices could copy and add rows, too. But Numba
counts who refers to a slice, which takes longer than to copy 16 numbers.
"""
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .microkernel import COLUMNS, INDEX, LANE, LANES, ROWS


@intrinsic
def copy_columns(typingctx, x, x_start, y, y_start):
    """y[y_start + c] = x[x_start + c] for c < COLUMNS."""
    return types.void(x, x_start, y, y_start), _emit_copy


def _emit_copy(context, builder, signature, arguments):
    """Emit the code of copy_columns."""
    x, y = (_Numbers(context, builder, signature, arguments, array) for array in (0, 2))
    for offset in range(0, COLUMNS, LANES):
        y.store(x.load(INDEX(offset)), INDEX(offset))
    return context.get_dummy_value()


@intrinsic
def add_columns(typingctx, x, x_start, y, y_start):
    """y[y_start + c] += x[x_start + c] for c < COLUMNS."""
    return types.void(x, x_start, y, y_start), _emit_add


def _emit_add(context, builder, signature, arguments):
    """Emit the code of add_columns."""
    x, y = (_Numbers(context, builder, signature, arguments, array) for array in (0, 2))
    for offset in range(0, COLUMNS, LANES):
        y.store(builder.fadd(y.load(INDEX(offset)), x.load(INDEX(offset))), INDEX(offset))
    return context.get_dummy_value()


@intrinsic
def transpose_tile(typingctx, x, x_start, x_stride, y, y_start, y_stride):
    """y[y_start + i y_stride + j] = x[x_start + j x_stride + i] for i, j < LANES, in registers.

    The transpose takes a round for each s = 1, 2, 4, ...:
    vectors i and i + s exchange the lanes whose number has bit s in one vector with those whose
    number lacks it in the other. Then bit s of row and lane has changed places.
    """
    signature = types.void(x, x_start, x_stride, y, y_start, y_stride)
    return signature, _emit_transpose


def _emit_transpose(context, builder, signature, arguments):
    """Emit the code of transpose_tile."""
    x, y = (_Numbers(context, builder, signature, arguments, array) for array in (0, 3))
    x_stride, y_stride = (context.cast(builder, arguments[place], signature.args[place],
                                       types.int64) for place in (2, 5))

    def shuffle(a, b, lanes):
        """Return a vector of lanes of a, counted from 0, and of b, counted from LANES."""
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(LANE, LANES), lanes))

    rows = [x.load(builder.mul(INDEX(i), x_stride)) for i in range(LANES)]
    s = 1
    while s < LANES:
        upper = [LANES + lane - s if lane & s else lane for lane in range(LANES)]
        lower = [LANES + lane if lane & s else lane + s for lane in range(LANES)]
        for i in range(LANES):
            if not i & s:
                a = rows[i]
                b = rows[i + s]
                rows[i] = shuffle(a, b, upper)
                rows[i + s] = shuffle(a, b, lower)
        s *= 2
    for i, row in enumerate(rows):
        y.store(row, builder.mul(INDEX(i), y_stride))
    return context.get_dummy_value()


@intrinsic
def any_nonzero(typingctx, x, start):
    """Return whether one of the ROWS numbers of x from `start` on is not zero.

    LANES numbers are read. NaN is not zero.
    """
    return types.boolean(x, start), _emit_any_nonzero


def _emit_any_nonzero(context, builder, signature, arguments):
    """Emit the code of any_nonzero."""
    x = _Numbers(context, builder, signature, arguments, 0)
    lane_bits = ir.IntType(LANES)
    numbers = x.load(INDEX(0))
    zeros = ir.Constant(x.vector, [0.0] * LANES)
    different = builder.fcmp_unordered("!=", numbers, zeros)            # true for NaN, too
    bits = builder.bitcast(different, lane_bits)
    first_rows = builder.and_(bits, lane_bits(2 ** ROWS - 1))
    return builder.icmp_unsigned("!=", first_rows, lane_bits(0))


class _Numbers:
    """The numbers of one of an intrinsic's arrays from a start on, which is the next argument."""

    def __init__(self, context, builder, signature, arguments, place):
        kind = signature.args[place]
        data = context.make_array(kind)(context, builder, arguments[place]).data
        start = context.cast(builder, arguments[place + 1], signature.args[place + 1], types.int64)
        self.builder = builder
        self.vector = ir.VectorType(context.get_data_type(kind.dtype), LANES)
        self.element_bytes = kind.dtype.bitwidth // 8       # vectors start at any element
        self.start = builder.gep(data, [start])

    def at(self, offset):
        """Return the pointer to the vector at an offset."""
        pointer = self.builder.gep(self.start, [offset])
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def load(self, offset):
        """Return the vector at an offset."""
        return self.builder.load(self.at(offset), align=self.element_bytes)

    def store(self, vector, offset):
        """Write the vector at an offset."""
        self.builder.store(vector, self.at(offset), align=self.element_bytes)
