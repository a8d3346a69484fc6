"""Convolution in tiles (see product.py): the three sums that both convolutions consist of. See
reference/conv2d.py for the mathematics.

Both relate a fine image and a coarse one: position (p, q) of the coarse image sees the pixels
(h, w) = (p sh + a - top, q sw + b - left) of the fine one, for each (a, b) in the window. With a
kernel W (A, B, C, M) between C channels of the fine and M of the coarse image:

    correlate   coarse[p, q, m] = sum over a, b, c of fine[h, w, c] W[a, b, c, m]
    spread      fine[h, w, c]   = sum over a, b, m of coarse[p, q, m] W[a, b, c, m],
                                  for p = (h + top - a) / sh and q = (w + left - b) / sw if whole
    gradient    dW[a, b, c, m]  = sum over n, p, q of fine[n, h, w, c] coarse[n, p, q, m]

conv2d is correlate forward and spread back; conv2d_transpose is spread forward, correlate back.

Each sum is a product of matrices whose elements are found by arithmetic on their positions. The
sizes are constants of the compiled kernel, so divisions by them cost little. All positions are
unsigned 32-bit numbers: one that would be below 0 is above every size instead, and one comparison
finds both. An image may be dz = dout f'(z), which is computed where it is loaded.
"""
import functools
from typing import NamedTuple

import numpy as np
from numba import cuda
from numpy import uint32

from ..errors import ScratchVAEError
from ..windows import padding_before
from .activations import activation_backward, make_activation, make_derivative
from .arrays import empty
from .device import launch_each
from .product import Factor, parts_of, product


class Geometry(NamedTuple):
    """The sizes that a kernel is compiled for."""
    H: int                      # height, width and channels of the fine image
    W: int
    C: int
    P: int                      # of the coarse image
    Q: int
    M: int
    A: int                      # height and width of the window
    B: int
    sh: int                     # strides
    sw: int
    top: int                    # padding before the fine image
    left: int


class ConvolutionScratch(NamedTuple):
    """Work space for batches of at most N images."""
    N: int
    geometry: Geometry
    parts: object               # (parts, A B C, M): sums of dW, each over a part of the batch
    bias_parts: object          # (parts, 1, filters): likewise of db
    dz: object                  # as y: softmax's dz is computed before the products


def make_geometry(fine_shape, coarse_shape, window_shape, strides):
    """Return the Geometry of two images (height, width, channels) and a window."""
    H, W, _ = fine_shape
    P, Q, _ = coarse_shape
    A, B = window_shape
    sh, sw = strides
    return Geometry(*fine_shape, *coarse_shape, A, B, sh, sw,
                    top=padding_before(H, P, A, sh), left=padding_before(W, Q, B, sw))


def convolution_scratch(N, geometry, output_shape, dtype):
    """Return the work space for batches of at most N images.

    Parameters
    ----------
    N : int
    geometry : Geometry
    output_shape : (int, int, int)
        Height, width and filters of y: the coarse image, or for a transposed convolution the fine.
    dtype : dtype
    """
    g = geometry
    taps = g.A * g.B * g.C
    height, width, filters = output_shape
    parts = parts_of(taps, g.M, N * g.P * g.Q)
    bias_parts = parts_of(1, filters, N * height * width)
    return ConvolutionScratch(N, geometry, empty((parts, taps, g.M), dtype),
                              empty((bias_parts, 1, filters), dtype),
                              empty((N, *output_shape), dtype))


def check_scratch(scratch, fine, coarse, kernel, window):
    """Refuse work space that was made for other sizes."""
    geometry = make_geometry(fine.shape[1:], coarse.shape[1:], kernel.shape[:2], window.strides)
    if geometry != scratch.geometry or len(fine) > scratch.N:
        raise ScratchVAEError(f"convolution: the scratch was made for up to {scratch.N} images "
                              f"and {scratch.geometry}, got {len(fine)} and {geometry}")


def correlate(fine, kernel, store, coarse, geometry, activation, dtype):
    """coarse = fine * W.

    Parameters
    ----------
    fine : (image,) or (dout, y)
        The second stands for dz.
    kernel : array (A, B, C, M)
    store : device function
        See product.py.
    coarse : tuple of arrays
        Those that `store` writes.
    geometry : Geometry
    activation : str
        The one between z and y. Only dz depends on it.
    dtype : dtype
    """
    g = geometry
    first, second = _make_correlation(g, _make_pixel(fine, activation, dtype), dtype)
    shape = (len(fine[0]) * g.P * g.Q, g.M, g.A * g.B * g.C)
    product(first, second, store, fine, (kernel,), coarse, shape, dtype)


@functools.cache
def _make_correlation(geometry, pixel, dtype):
    """Return patches of the fine image, and the kernel as a matrix (A B C, M)."""
    B = uint32(geometry.B)
    C = uint32(geometry.C)
    BC = uint32(geometry.B * geometry.C)

    @cuda.jit(device=True)
    def weight(arrays, t, m):
        return arrays[0][t // BC, t // C % B, t % C, m]
    return Factor(_make_patch(geometry, pixel, dtype), True), Factor(weight, False)


@functools.cache
def _make_patch(geometry, pixel, dtype):
    """Return a function: patch(arrays, i, t) is what tap t = (a, b, c) of the window meets at
    position i = (n, p, q)."""
    H, W, C, P, Q, _, _, B, sh, sw, top, left = map(uint32, geometry)
    BC = uint32(B * C)
    PQ = uint32(P * Q)
    zero = np.dtype(dtype).type(0)

    @cuda.jit(device=True)
    def patch(arrays, i, t):
        h = uint32(i // Q % P * sh + t // BC - top)
        w = uint32(i % Q * sw + t // C % B - left)
        return pixel(arrays, i // PQ, h, w, t % C) if h < H and w < W else zero
    return patch


def spread(coarse, kernel, store, fine, geometry, activation, dtype):
    """fine = the sum of what all coarse pixels paint. The parameters are those of correlate."""
    g = geometry
    first, second = _make_spreading(g, _make_pixel(coarse, activation, dtype), dtype)
    shape = (len(coarse[0]) * g.H * g.W, g.C, g.A * g.B * g.M)
    product(first, second, store, coarse, (kernel,), fine, shape, dtype)


@functools.cache
def _make_spreading(geometry, pixel, dtype):
    """Return the coarse pixels that paint a fine one, and the kernel as a matrix (A B M, C)."""
    H, W, _, P, Q, M, _, B, sh, sw, top, left = map(uint32, geometry)
    BM = uint32(B * M)
    HW = uint32(H * W)
    height = uint32(P * sh)
    width = uint32(Q * sw)
    zero = np.dtype(dtype).type(0)

    @cuda.jit(device=True)
    def painter(arrays, i, t):
        down = uint32(i // W % H + top - t // BM)               # p sh
        across = uint32(i % W + left - t // M % B)              # q sw
        inside = down < height and across < width
        if inside and down % sh == 0 and across % sw == 0:
            return pixel(arrays, i // HW, down // sh, across // sw, t % M)
        return zero

    @cuda.jit(device=True)
    def weight(arrays, t, c):
        return arrays[0][t // BM, t // M % B, c, t % M]
    return Factor(painter, True), Factor(weight, True)


def gradient(fine, coarse, dkernel, scratch, activation, dtype):
    """Write dW. One of fine and coarse is (image,), the other (dout, y), which stands for dz."""
    g = scratch.geometry
    first, second = _make_gradient(g, _make_pixel(fine, activation, dtype),
                                   _make_pixel(coarse, activation, dtype), dtype)
    shape = (g.A * g.B * g.C, g.M, len(fine[0]) * g.P * g.Q)
    _product_in_parts(first, second, fine, coarse, dkernel, scratch.parts, shape, dtype)


@functools.cache
def _make_gradient(geometry, fine_pixel, coarse_pixel, dtype):
    """Return patches of the fine image, transposed, and the coarse image as a matrix (N P Q, M)."""
    patch = _make_patch(geometry, fine_pixel, dtype)

    @cuda.jit(device=True)
    def patch_transposed(arrays, t, i):
        return patch(arrays, i, t)
    positions = _make_positions(geometry.P, geometry.Q, coarse_pixel)
    return Factor(patch_transposed, False), positions


@functools.cache
def _make_positions(height, width, pixel):
    """Return an image (N, height, width, M) as a matrix, a second factor."""
    size = uint32(height * width)
    height = uint32(height)
    width = uint32(width)

    @cuda.jit(device=True)
    def position(arrays, i, m):
        return pixel(arrays, i // size, i // width % height, i % width, m)
    return Factor(position, False)


def bias_gradient(dz, dbias, scratch, activation, dtype):
    """Write db: the sum of dz over images and positions is a product with a row of ones.

    dz : (dout, y) or (dz,)
    """
    N, height, width, filters = dz[0].shape
    positions = _make_positions(height, width, _make_pixel(dz, activation, dtype))
    shape = (1, filters, N * height * width)
    _product_in_parts(_make_ones(dtype), positions, dz, dz, dbias, scratch.bias_parts, shape, dtype)


@functools.cache
def _make_ones(dtype):
    one = np.dtype(dtype).type(1)

    @cuda.jit(device=True)
    def ones(arrays, i, k):
        return one
    return Factor(ones, True)


def _product_in_parts(first, second, a, b, total, parts, shape, dtype):
    """total = a b, computed in parts (parts, I, J) that are then added in order."""
    count, rows, columns = parts.shape
    if count == 1:
        parts = total.reshape(1, rows, columns)
    product(first, second, _store_part, a, b, (parts,), shape, dtype, count)
    if count > 1:
        launch_each(_add_parts, total.size, parts.reshape(count, total.size),
                    total.reshape(total.size))


@cuda.jit(device=True)
def _store_part(arrays, i, j, part, total):
    arrays[0][part, i, j] = total


@cuda.jit
def _add_parts(parts, sums):
    i = cuda.grid(1)
    if i < sums.size:
        total = parts[0, i]
        for part in range(1, parts.shape[0]):
            total += parts[part, i]
        sums[i] = total


def without_softmax(dout, y, activation, scratch):
    """Return the arrays of dz, and its activation.

    Softmax needs whole rows, so its dz is computed here; others are computed where they are loaded.
    """
    if activation != "softmax":
        return (dout, y), activation
    dz = scratch.dz[:len(y)]
    activation_backward(dout, y, dz, activation)
    return (dz,), "linear"


def _make_pixel(arrays, activation, dtype):
    """Return the function that loads a pixel of (image,), or of dz from (dout, y)."""
    return _load_pixel if len(arrays) == 1 else _make_load_dz(activation, dtype)


@cuda.jit(device=True)
def _load_pixel(arrays, n, h, w, c):
    return arrays[0][n, h, w, c]


@functools.cache
def _make_load_dz(activation, dtype):
    derivative = make_derivative(activation, dtype)

    @cuda.jit(device=True)
    def load_dz(arrays, n, h, w, c):
        dout, y = arrays
        return dout[n, h, w, c] * derivative(y[n, h, w, c])
    return load_dz


@functools.cache
def make_store(height, width, activation, dtype):
    """Return a function that stores y = f(sum + b) at the pixel that row i of the product is."""
    activate = make_activation(activation, dtype)
    size = uint32(height * width)
    height = uint32(height)
    width = uint32(width)

    @cuda.jit(device=True)
    def store_activated(arrays, i, m, part, total):
        y, bias = arrays
        y[i // size, i // width % height, i % width, m] = activate(total + bias[m])
    return store_activated


@functools.cache
def make_store_dx(height, width):
    """Return a function that stores dx = the sum, likewise."""
    size = uint32(height * width)
    height = uint32(height)
    width = uint32(width)

    @cuda.jit(device=True)
    def store_dx(arrays, i, c, part, total):
        arrays[0][i // size, i // width % height, i % width, c] = total
    return store_dx
