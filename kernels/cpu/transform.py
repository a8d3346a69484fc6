"""Y = M X M^T for small constant matrices M, on a vector of channels at a time: the transforms of winograd.py.

The matrix is known when the code is made, so zeros cost nothing; X and Y stay in registers.
"""
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .microkernel import LANES

ARGUMENTS = ("x", "x_start", "x_row", "x_column", "y", "y_start", "y_row", "y_column", "top", "bottom", "left", "right")


def sandwich(matrix, bounded, accumulate=False):
    """A function (x, x_start, x_row, x_column, y, y_start, y_row, y_column, top, bottom, left, right) for Numba's code.

    It computes Y = M X M^T for LANES neighbouring channels: X[k, l] is x[x_start + k x_row + l x_column] and what follows it,
    Y[i, j] likewise.  Of the array named by `bounded`, "x" or "y", only rows top <= k < bottom and columns left <= l < right
    exist; beyond them X is 0, and Y is dropped.  accumulate: Y is added to what is there.
    """
    @intrinsic
    def transform(typingctx, x, x_start, x_row, x_column, y, y_start, y_row, y_column, top, bottom, left, right):
        """Y = M X M^T."""
        signature = types.void(x, x_start, x_row, x_column, y, y_start, y_row, y_column, top, bottom, left, right)

        def emit(context, builder, signature, arguments):
            _emit(context, builder, dict(zip(ARGUMENTS, signature.args)), dict(zip(ARGUMENTS, arguments)), matrix, bounded, accumulate)
            return context.get_dummy_value()
        return signature, emit
    return transform


def _emit(context, builder, kinds, values, matrix, bounded, accumulate):
    scalar = context.get_data_type(kinds["x"].dtype)
    vector, element_bytes = ir.VectorType(scalar, LANES), kinds["x"].dtype.bitwidth // 8
    multiply_add = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{LANES}{scalar.intrinsic_name}")
    outputs, inputs = len(matrix), len(matrix[0])
    integers = {name: context.cast(builder, values[name], kinds[name], types.int64) for name in ARGUMENTS if name not in "xy"}
    nowhere = cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * LANES))       # stands for what lies outside
    builder.store(ir.Constant(vector, [0.0] * LANES), nowhere)

    def exists(number, low, high):
        number = ir.IntType(64)(number)
        return builder.and_(builder.icmp_signed("<=", integers[low], number), builder.icmp_signed("<", number, integers[high]))

    def pointers(name, rows, columns):
        """Where the elements of X or Y lie."""
        data = builder.gep(context.make_array(kinds[name])(context, builder, values[name]).data, [integers[name + "_start"]])
        row_starts = [builder.mul(ir.IntType(64)(i), integers[name + "_row"]) for i in range(rows)]
        column_starts = [builder.mul(ir.IntType(64)(j), integers[name + "_column"]) for j in range(columns)]
        result = [[builder.bitcast(builder.gep(data, [builder.add(row, column)]), vector.as_pointer()) for column in column_starts]
                  for row in row_starts]
        if name == bounded:
            in_rows = [exists(i, "top", "bottom") for i in range(rows)]
            in_columns = [exists(j, "left", "right") for j in range(columns)]
            result = [[builder.select(builder.and_(in_rows[i], in_columns[j]), result[i][j], nowhere) for j in range(columns)]
                      for i in range(rows)]
        return result

    def constant(number):
        return ir.Constant(vector, [float(number)] * LANES)

    def apply(column):
        """M times a column of vectors."""
        return [combine(row, column) for row in matrix]

    def combine(factors, numbers):
        """The sum of factor * number, ones first: they need no multiplication."""
        terms = sorted([(factor, number) for factor, number in zip(factors, numbers) if factor], key=lambda term: term[0] != 1)
        factor, number = terms[0]
        total = number if factor == 1 else builder.fmul(constant(factor), number)
        for factor, number in terms[1:]:
            if abs(factor) == 1:
                total = (builder.fadd if factor == 1 else builder.fsub)(total, number)
            else:
                total = builder.call(multiply_add, [constant(factor), number, total])
        return total

    x = pointers("x", inputs, inputs)
    half = [apply([builder.load(x[k][l], align=element_bytes) for k in range(inputs)]) for l in range(inputs)]      # [l][i] = (M X)[i, l]
    y = pointers("y", outputs, outputs)
    for i in range(outputs):
        for pointer, result in zip(y[i], apply([half[l][i] for l in range(inputs)])):
            if accumulate:
                result = builder.fadd(builder.load(pointer, align=element_bytes), result)
            builder.store(result, pointer, align=element_bytes)
