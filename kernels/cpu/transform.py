"""Y = M X M^T for small constant matrices M, on a vector of channels at a time: the transforms of
winograd.py.

The matrix is known when the code is made, so its zeros cost nothing. X and Y stay in registers.
"""
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .microkernel import INDEX, LANES


class Patch(NamedTuple):
    """A small matrix of vectors of LANES channels, in an array of any shape.

    Element (i, j) is numbers[start + i row + j column] and what follows.
    """
    numbers: np.ndarray
    start: int
    row: int
    column: int


class Bounds(NamedTuple):
    """The part of a Patch that exists: rows top <= i < bottom, columns left <= j < right."""
    top: int
    bottom: int
    left: int
    right: int


def sandwich(matrix, bounded, accumulate=False):
    """Return a function transform(x, y, bounds) for compiled code: Y = M X M^T.

    Parameters
    ----------
    matrix : tuple of rows
        M.
    bounded : str
        "x" or "y": the Patch that the bounds are of. Beyond them X is 0, and Y is dropped.
    accumulate : bool
        Add to what y holds.
    """
    @intrinsic
    def transform(typingctx, x, y, bounds):
        """Y = M X M^T."""
        def emit(context, builder, signature, arguments):
            _Sandwich(context, builder, signature, arguments, bounded).emit(matrix, accumulate)
            return context.get_dummy_value()
        return types.void(x, y, bounds), emit
    return transform


class _Sandwich:
    """Emits the code of a transform."""

    def __init__(self, context, builder, signature, arguments, bounded):
        self.context = context
        self.builder = builder
        self.patches = dict(zip("xy", zip(signature.args, arguments)))
        self.bounds = self.integers(signature.args[2], arguments[2])
        self.bounded = bounded
        kind = signature.args[0].types[0].dtype
        scalar = context.get_data_type(kind)
        self.element_bytes = kind.bitwidth // 8
        self.vector = ir.VectorType(scalar, LANES)
        self.multiply_add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(self.vector, [self.vector] * 3),
            f"llvm.fmuladd.v{LANES}{scalar.intrinsic_name}")

    def emit(self, matrix, accumulate):
        """Emit the loads of X, M times its columns, M times the rows of that, and the stores."""
        outputs = range(len(matrix))
        inputs = range(len(matrix[0]))
        self.nowhere = cgutils.alloca_once_value(self.builder, self.constant(0))
        self.builder.store(self.constant(0), self.nowhere)
        x = self.pointers("x", inputs)
        columns = []                                            # [j][i] = (M X)[i, j]
        for j in inputs:
            column = [self.load(x[i][j]) for i in inputs]
            columns.append([self.combine(factors, column) for factors in matrix])
        y = self.pointers("y", outputs)
        for i in outputs:
            row = [columns[j][i] for j in inputs]
            results = [self.combine(factors, row) for factors in matrix]
            for pointer, result in zip(y[i], results):
                if accumulate:
                    result = self.builder.fadd(self.load(pointer), result)
                self.builder.store(result, pointer, align=self.element_bytes)

    def integers(self, kind, values):
        """Return the numbers of a tuple as 64-bit integers."""
        values = cgutils.unpack_tuple(self.builder, values)
        return [self.context.cast(self.builder, value, value_kind, types.int64)
                for value, value_kind in zip(values, kind.types)
                if not isinstance(value_kind, types.Array)]

    def pointers(self, name, numbers):
        """Return where the elements of X or Y are, or `nowhere` for those beyond the bounds."""
        builder = self.builder
        kind, value = self.patches[name]
        start, row, column = self.integers(kind, value)
        array = builder.extract_value(value, 0)
        data = self.context.make_array(kind.types[0])(self.context, builder, array).data
        data = builder.gep(data, [start])
        row_starts = [builder.mul(INDEX(i), row) for i in numbers]
        column_starts = [builder.mul(INDEX(j), column) for j in numbers]
        result = [[builder.bitcast(builder.gep(data, [builder.add(i, j)]), self.vector.as_pointer())
                   for j in column_starts] for i in row_starts]
        if name == self.bounded:
            top, bottom, left, right = self.bounds
            in_rows = [self.lies_between(i, top, bottom) for i in numbers]
            in_columns = [self.lies_between(j, left, right) for j in numbers]
            result = [[builder.select(builder.and_(in_rows[i], in_columns[j]), result[i][j],
                                      self.nowhere)
                       for j in numbers] for i in numbers]
        return result

    def lies_between(self, number, low, high):
        """Return whether low <= number < high."""
        above = self.builder.icmp_signed("<=", low, INDEX(number))
        below = self.builder.icmp_signed("<", INDEX(number), high)
        return self.builder.and_(above, below)

    def combine(self, factors, vectors):
        """Return the sum of factor * vector; factors of 1 come first, without a multiplication."""
        terms = [(factor, vector) for factor, vector in zip(factors, vectors) if factor]
        terms.sort(key=lambda term: term[0] != 1)
        factor, vector = terms[0]
        total = vector if factor == 1 else self.builder.fmul(self.constant(factor), vector)
        for factor, vector in terms[1:]:
            if factor == 1:
                total = self.builder.fadd(total, vector)
            elif factor == -1:
                total = self.builder.fsub(total, vector)
            else:
                total = self.builder.call(self.multiply_add,
                                          [self.constant(factor), vector, total])
        return total

    def load(self, pointer):
        """Return the vector at a pointer."""
        return self.builder.load(pointer, align=self.element_bytes)

    def constant(self, number):
        """Return a vector with a constant number in every lane."""
        return ir.Constant(self.vector, [float(number)] * LANES)
