"""The work space of Winograd's convolution, see winograd.py: offsets that a layer keeps, and arrays
at the points that it borrows for a call.
"""
from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable

from .lending import Lender, lender
from .microkernel import COLUMNS, LANES
from .product import panel_count

POINTS = 6                      # along an axis
ALL_POINTS = POINTS ** 2        # here: Numba compiles a power with more care than it needs
CHUNK_BYTES = 8 << 20           # of V and M together: chunks of tiles stay in a cache,
CHUNK_TILES = 384               # but have so many tiles at least, since each reads all of U


class WinogradScratch(NamedTuple):
    """What a layer keeps for batches of at most N images: offsets, and the shapes of arrays."""
    tile_counts: np.ndarray     # down, across, and in a chunk
    start: np.ndarray           # row and column of the first tile's first input
    counting: np.ndarray        # 0, 1, 2, ...
    C_rows: np.ndarray          # 0, C, 2 C, ...
    F_rows: np.ndarray          # 0, F, 2 F, ...
    U_rows: np.ndarray          # 0, COLUMNS, 2 COLUMNS, ...
    shapes: tuple               # of U, V, M and kernel_T
    lender: Lender

    def work(self, dtype):
        """Return the fields of Work for a call, as a plain tuple."""
        return *self[:6], *self.lender.lend(dtype, *self.shapes)


class Work(NamedTuple):
    """The offsets, and arrays at the points that are lent for a call."""
    tile_counts: np.ndarray
    start: np.ndarray
    counting: np.ndarray
    C_rows: np.ndarray
    F_rows: np.ndarray
    U_rows: np.ndarray
    U: np.ndarray               # (36, panels, C, COLUMNS), or (36, panels, F, COLUMNS) of U^T
    V: np.ndarray               # (36, tiles, C)
    M: np.ndarray               # (36, tiles, F)
    kernel_T: np.ndarray        # (taps, F, columns of U^T)


def suits(channels, filters, window, strides):
    """Return whether a convolution can be computed in this way, and is faster so."""
    return (tuple(strides) == (1, 1) and tuple(window) in ((3, 3), (4, 4))
            and channels % LANES == 0 == filters % LANES)


def winograd_scratch(N, coarse_size, start, C, F, taps, dtype):
    """Return the work space for batches of at most N images.

    At the points a kernel is 2 to 4 times as large. If all tiles are one chunk, each column of U is
    used once. So some columns are made at a time, and U is no larger than V and M.

    Parameters
    ----------
    N : int
    coarse_size : (int, int)
        Height and width of the coarse image.
    start : (int, int)
        Where the first tap of the first window lies in the fine image.
    C, F : int
        Channels of the fine and of the coarse image.
    taps : int
        3 or 4: the window's height and width.
    dtype : dtype
    """
    outputs = POINTS + 1 - taps
    down, across = (-(-size // outputs) for size in coarse_size)
    tile_bytes = ALL_POINTS * (C + F) * np.dtype(dtype).itemsize
    total = N * down * across
    tiles = min(total, max(CHUNK_TILES, CHUNK_BYTES // tile_bytes))
    U_size = ALL_POINTS * COLUMNS * max(C * panel_count(F), F * panel_count(C))
    if tiles == total:
        one_panel = ALL_POINTS * COLUMNS * max(C, F)
        U_size = min(U_size, max(one_panel, ALL_POINTS * tiles * (C + F)))
    counting = np.arange(max(tiles, C, F), dtype=np.int32)
    return WinogradScratch(
        tile_counts=np.array((down, across, tiles)),
        start=np.array(start),
        counting=counting,
        C_rows=counting * C,
        F_rows=counting * F,
        U_rows=counting * COLUMNS,
        shapes=((U_size,), (ALL_POINTS, tiles, C), (ALL_POINTS, tiles, F),
                (taps * taps * F * columns_at_once(U_size, F, C),)),
        lender=lender())


@register_jitable               # compiled code and Python both call it
def columns_at_once(U_size, K, columns):
    """Return how many columns of matrices (K, columns) at the points fit into U."""
    return min(columns, U_size // (ALL_POINTS * COLUMNS * K) * COLUMNS)
