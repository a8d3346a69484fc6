"""The product of two matrices, c_ij = sum over k of a_ik b_kj, in tiles: every dense layer,
convolution and gradient is one.

A block computes a tile of c, ROWS x COLUMNS.  It walks along k in slabs: all its threads bring a
slab of a and of b into shared memory,
each element once, and then each thread adds up R x S sums in its registers, from R numbers of a and
S of b at a time: R S
multiplications for R + S numbers read, so that arithmetic and not memory sets the pace.

What differs from product to product is where its factors' elements lie and what becomes of a sum.
So a factor is a function load(arrays, i, k),
or load(arrays, k, j), and a result one store(arrays, i, j, part, sum): rows of an array, its
transpose, the pixels that a
convolution's window meets, a gradient times a derivative.  What is loaded may be computed: nothing
is written that is read only once.

Where c is small, its tile is, too; then the block's threads stand in GROUPS, each with its own part
of the slab, and their sums are
added in order.  And if c is small but k is long, as in a gradient of a convolution, the blocks
share out k in `parts`: each stores its own
sums, for the caller to add in order.  No sum depends on which block is first.
"""

from typing import Callable, NamedTuple

import numpy as np
from numba import cuda
from numpy import uint32

from .device import THREADS, blocks, launch

ENOUGH = 100  # blocks that keep a large device busy
TERMS = 256  # of a sum that are worth a block


class Tile(NamedTuple):
    """How a block shares out its work:

    R x S sums a thread, ROWS x COLUMNS / (R S) threads a group, GROUPS times DEPTH of k a slab.
    """

    rows: int
    columns: int
    depth: int
    r: int
    s: int
    groups: int


LARGE = Tile(128, 128, 16, 8, 8, 1)
MEDIUM = Tile(64, 64, 16, 4, 4, 1)
SMALL = (
    Tile(32, 32, 16, 4, 4, 4) if THREADS == 256 else Tile(16, 8, 4, 4, 4, 4)
)  # for the simulator's 32 threads


class Factor(NamedTuple):
    """load(arrays, i, k) or load(arrays, k, j), and whether elements of neighbouring k are
    neighbours in memory.
    """

    load: Callable
    along_k: bool


def product(first, second, store, a, b, c, shape, dtype, parts=1):
    """c = a b.  first, second:

    Factors of the tuples of arrays a and b; store: what becomes of the sums; shape: (I, J, K).
    """
    I, J, K = shape
    tile = next(
        (
            tile
            for tile in (LARGE, MEDIUM)
            if blocks(I, tile.rows) * blocks(J, tile.columns) * parts >= ENOUGH
        ),
        SMALL,
    )
    grid = blocks(I, tile.rows), blocks(J, tile.columns), parts
    key = (tile, first, second, store, np.dtype(dtype))
    arguments = (a, b, c, I, J, K, blocks(K, parts))
    if (
        key not in _specialized
    ):  # to find out the types in tuples takes as long as a launch: once is enough
        _specialized[key] = _make_product(*key).specialize(*arguments)
    launch(_specialized[key], grid, *arguments)


# the arguments of _make_product -> the kernel for the types of its arguments, which they imply
_specialized = {}


def parts_of(I, J, K):
    """Into how many parts to share out k, so that there are enough blocks, each with enough to do.
    """
    tiles = blocks(I, SMALL.rows) * blocks(J, SMALL.columns)
    return max(1, min(blocks(2 * ENOUGH, tiles), K // TERMS))


def _make_product(tile, first, second, store, dtype):
    """The kernel.  Places are unsigned:

    Numba counts a signed one from the end where it is negative, and asks so for every element.
    """
    ROWS, COLUMNS, DEPTH, R, S, GROUPS = tile
    SLAB = GROUPS * DEPTH
    ACROSS = uint32(COLUMNS // S)  # threads of a group side by side
    GROUP = uint32(COLUMNS // S * (ROWS // R))  # threads of a group
    A_WIDTH = ROWS + 4
    B_WIDTH = COLUMNS + 4  # 4 more, so that columns of a tile don't fall into one bank
    A_EACH = SLAB * ROWS // THREADS
    B_EACH = SLAB * COLUMNS // THREADS
    ROW_STEP = ROWS * 4 // R
    COLUMN_STEP = COLUMNS * 4 // S  # a thread's rows and columns are runs of 4, so far apart
    load_a = first.load
    load_b = second.load
    a_place = _make_place(first.along_k, ROWS, SLAB)
    b_place = _make_place(second.along_k, COLUMNS, SLAB)
    zero = dtype.type(0)
    assert GROUP * GROUPS == THREADS and (GROUPS == 1 or (GROUP <= SLAB and R * S <= A_WIDTH))

    @cuda.jit
    def multiply(a, b, c, I, J, K, chunk):
        a_tile = cuda.shared.array((SLAB, A_WIDTH), dtype)
        b_tile = cuda.shared.array((SLAB, B_WIDTH), dtype)
        a_next = cuda.local.array(A_EACH, dtype)  # local arrays of constant sizes become registers
        b_next = cuda.local.array(B_EACH, dtype)
        a_part = cuda.local.array(R, dtype)
        b_part = cuda.local.array(S, dtype)
        sums = cuda.local.array((R, S), dtype)
        thread = uint32(cuda.threadIdx.x)
        group = thread // GROUP
        lane = thread % GROUP
        top = lane // ACROSS * uint32(4)
        left = lane % ACROSS * uint32(4)
        i0 = cuda.blockIdx.x * ROWS
        j0 = cuda.blockIdx.y * COLUMNS
        for r in range(R):
            for s in range(S):
                sums[r, s] = zero
        start = cuda.blockIdx.z * chunk
        stop = min(K, start + chunk)
        for k0 in range(start, stop, SLAB):
            for e in range(A_EACH):  # all loads are asked for before the first is waited for
                i, k = a_place(thread + uint32(e * THREADS))
                i = uint32(i0 + i)
                k = uint32(k0 + k)
                a_next[e] = load_a(a, i, k) if i < I and k < stop else zero
            for e in range(B_EACH):
                j, k = b_place(thread + uint32(e * THREADS))
                j = uint32(j0 + j)
                k = uint32(k0 + k)
                b_next[e] = load_b(b, k, j) if j < J and k < stop else zero
            for e in range(A_EACH):
                i, k = a_place(thread + uint32(e * THREADS))
                a_tile[k, i] = a_next[e]
            for e in range(B_EACH):
                j, k = b_place(thread + uint32(e * THREADS))
                b_tile[k, j] = b_next[e]
            cuda.syncthreads()
            for d in range(DEPTH):
                k = group * uint32(DEPTH) + uint32(d)
                for r in range(R):
                    a_part[r] = a_tile[k, top + uint32(r % 4 + r // 4 * ROW_STEP)]
                for s in range(S):
                    b_part[s] = b_tile[k, left + uint32(s % 4 + s // 4 * COLUMN_STEP)]
                for r in range(R):
                    for s in range(S):
                        sums[r, s] += a_part[r] * b_part[s]
            cuda.syncthreads()
        for other in range(
            1, GROUPS
        ):  # the first group adds what the others have, one after the other
            if group == other:
                for r in range(R):
                    for s in range(S):
                        a_tile[lane, r * S + s] = sums[r, s]
            cuda.syncthreads()
            if group == 0:
                for r in range(R):
                    for s in range(S):
                        sums[r, s] += a_tile[lane, r * S + s]
            cuda.syncthreads()
        if group == 0:
            for r in range(R):
                i = uint32(i0 + top + uint32(r % 4 + r // 4 * ROW_STEP))
                for s in range(S):
                    j = uint32(j0 + left + uint32(s % 4 + s // 4 * COLUMN_STEP))
                    if i < I and j < J:
                        store(c, i, j, cuda.blockIdx.z, sums[r, s])

    return multiply


def _make_place(along_k, width, slab):
    """place(f) -> (row or column, k) in a tile of that width:

    neighbouring threads bring neighbours in memory.
    """
    width = uint32(width)
    slab = uint32(slab)

    @cuda.jit(device=True)
    def place_along_k(f):
        return f // slab, f % slab

    @cuda.jit(device=True)
    def place_across(f):
        return f % width, f // width

    return place_along_k if along_k else place_across


# The common factors and results.


@cuda.jit(device=True)
def _load(arrays, row, column):
    return arrays[0][row, column]


@cuda.jit(device=True)
def _load_transposed(arrays, row, column):
    return arrays[0][column, row]


@cuda.jit(device=True)
def store(arrays, i, j, part, total):
    """c_ij = the sum."""
    arrays[0][i, j] = total


ROWS_OF_A = Factor(_load, True)
COLUMNS_OF_A = Factor(_load_transposed, False)  # a_ik = x[i, k], or x[k, i]
ROWS_OF_B = Factor(_load, False)
COLUMNS_OF_B = Factor(_load_transposed, True)  # b_kj = x[k, j], or x[j, k]
