"""The product of two matrices, c_ij = sum over k of a_ik b_kj, in tiles. Every dense layer,
convolution and gradient is one.

A block computes a tile of c, ROWS x COLUMNS. It walks along k in slabs. First all its threads copy
a slab of a and of b into shared memory, each element once. Then each thread adds up R x S sums in
its registers, from R numbers of a and S of b at a time: R S multiplications for R + S numbers read,
so that arithmetic and not memory limits the speed.

Products differ in where the elements of their factors are, and in what happens to a sum. So a
factor is a function load(arrays, i, k) or load(arrays, k, j), and a result is a function
store(arrays, i, j, part, sum). They stand for the rows of an array, its transpose, the pixels that
the window of a convolution meets, or a gradient times a derivative. A factor may compute what it
loads, which saves writing an array that is read only once.

If c is small, so is its tile. The block's threads are then split into GROUPS, each with its own
part of the slab, and their sums are added in order. If c is small but k is long, as in a gradient
of a convolution, the blocks share out k in `parts`: each stores its own sums, and the caller adds
them in order. No sum depends on which block is first.
"""
from typing import Callable, NamedTuple

import numpy as np
from numba import cuda
from numpy import uint32

from .device import THREADS, blocks, launch

ENOUGH = 100                    # blocks that keep a large device busy
TERMS = 256                     # of a sum that are worth a block


class Tile(NamedTuple):
    """How a block shares out its work: R x S sums for each thread, ROWS x COLUMNS / (R S) threads
    in each group, and GROUPS times DEPTH of k in each slab."""
    rows: int
    columns: int
    depth: int
    r: int
    s: int
    groups: int


LARGE = Tile(128, 128, 16, 8, 8, 1)
MEDIUM = Tile(64, 64, 16, 4, 4, 1)
SMALL = Tile(32, 32, 16, 4, 4, 4)
if THREADS == 8:                                                # in the simulator
    SMALL = Tile(16, 4, 4, 4, 4, 2)


class Factor(NamedTuple):
    """A matrix of a product."""
    load: Callable              # load(arrays, i, k) or load(arrays, k, j)
    along_k: bool               # whether elements of neighbouring k are neighbours in memory


@cuda.jit(device=True)
def _load(arrays, row, column):
    return arrays[0][row, column]


@cuda.jit(device=True)
def _load_transposed(arrays, row, column):
    return arrays[0][column, row]


@cuda.jit(device=True)
def store(arrays, i, j, part, total):
    """Store c_ij = the sum."""
    arrays[0][i, j] = total


ROWS_OF_A = Factor(_load, True)                                 # a_ik = x[i, k]
COLUMNS_OF_A = Factor(_load_transposed, False)                  # a_ik = x[k, i]
ROWS_OF_B = Factor(_load, False)                                # b_kj = x[k, j]
COLUMNS_OF_B = Factor(_load_transposed, True)                   # b_kj = x[j, k]

# The arguments of _make_product -> its kernel, specialized for the types that follow from them.
_specialized = {}


def product(first, second, store, a, b, c, shape, dtype, parts=1):
    """c = a b.

    Parameters
    ----------
    first, second : Factor
    store : device function
        store(c, i, j, part, sum).
    a, b, c : tuples of arrays
        Those that the factors and `store` take.
    shape : (int, int, int)
        The ranges of i, j and k.
    dtype : dtype
    parts : int
        How many blocks share out k, each with its own sums.
    """
    rows, columns, terms = shape
    tile = _choose_tile(rows, columns, parts)
    grid = blocks(rows, tile.rows), blocks(columns, tile.columns), parts
    key = (tile, first, second, store, np.dtype(dtype))
    arguments = (a, b, c, *shape, blocks(terms, parts))
    if key not in _specialized:         # to find the types in tuples takes as long as a launch
        _specialized[key] = _make_product(*key).specialize(*arguments)
    launch(_specialized[key], grid, *arguments)


def _choose_tile(rows, columns, parts):
    """Return the largest tile with enough blocks to keep the device busy."""
    for tile in (LARGE, MEDIUM):
        if blocks(rows, tile.rows) * blocks(columns, tile.columns) * parts >= ENOUGH:
            return tile
    return SMALL


def parts_of(rows, columns, terms):
    """Return how many parts of k give enough blocks, each with enough to do."""
    tiles = blocks(rows, SMALL.rows) * blocks(columns, SMALL.columns)
    return max(1, min(blocks(2 * ENOUGH, tiles), terms // TERMS))


def _make_product(tile, first, second, store, dtype):
    """Return the kernel.

    Positions are unsigned: for each signed one, Numba would check whether it is negative and counts
    from the end.
    """
    ROWS, COLUMNS, DEPTH, R, S, GROUPS = tile
    SLAB = GROUPS * DEPTH
    ACROSS = uint32(COLUMNS // S)                               # threads of a group side by side
    GROUP = uint32(COLUMNS // S * (ROWS // R))                  # threads of a group
    A_WIDTH = ROWS + 4                                          # 4 more: the columns of a tile
    B_WIDTH = COLUMNS + 4                                       # start in different memory banks
    A_EACH = SLAB * ROWS // THREADS                             # elements that a thread copies
    B_EACH = SLAB * COLUMNS // THREADS
    ROW_STEP = ROWS * 4 // R                                    # a thread has runs of 4 rows and
    COLUMN_STEP = COLUMNS * 4 // S                              # columns, at this distance
    load_a = first.load
    load_b = second.load
    a_place = _make_place(first.along_k, ROWS, SLAB)
    b_place = _make_place(second.along_k, COLUMNS, SLAB)
    zero = dtype.type(0)
    assert GROUP * GROUPS == THREADS
    assert GROUPS == 1 or (GROUP <= SLAB and R * S <= A_WIDTH)  # a_tile holds a group's sums

    @cuda.jit
    def multiply(a, b, c, rows, columns, terms, chunk):
        a_tile = cuda.shared.array((SLAB, A_WIDTH), dtype)
        b_tile = cuda.shared.array((SLAB, B_WIDTH), dtype)
        a_next = cuda.local.array(A_EACH, dtype)        # local arrays of constant size become
        b_next = cuda.local.array(B_EACH, dtype)        # registers
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
        stop = min(terms, start + chunk)
        for k0 in range(start, stop, SLAB):
            for e in range(A_EACH):                     # all loads start before the first is used
                i, k = a_place(thread + uint32(e * THREADS))
                i = uint32(i0 + i)
                k = uint32(k0 + k)
                a_next[e] = load_a(a, i, k) if i < rows and k < stop else zero
            for e in range(B_EACH):
                j, k = b_place(thread + uint32(e * THREADS))
                j = uint32(j0 + j)
                k = uint32(k0 + k)
                b_next[e] = load_b(b, k, j) if j < columns and k < stop else zero
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
        for other in range(1, GROUPS):                  # the first group adds the others' sums
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
                    if i < rows and j < columns:
                        store(c, i, j, cuda.blockIdx.z, sums[r, s])
    return multiply


def _make_place(along_k, width, slab):
    """Return a function: place(f) is (row or column, k) of element f in a tile of that width.

    Threads that are neighbours copy elements that are neighbours in memory.
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
