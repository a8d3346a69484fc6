"""Convolution in tiles (see product.py): the three sums that both convolutions consist of.  The
mathematics stands in reference/conv2d.py.

Both relate a fine image and a coarse one, in which position (p, q) sees positions (p sh + a - top,
q sw + b - left) of the fine one, for
(a, b) in the window.  With a kernel W (A, B, C, M) between C channels of the fine and M of the
coarse image:

    correlate   coarse[p, q, m] = sum over a, b, c of fine[p sh + a - top, q sw + b - left, c] W[a, b, c, m]
    spread      fine[h, w, c]   = sum over a, b, m of coarse[(h + top - a) / sh, (w + left - b) / sw, m] W[a, b, c, m], where these are whole
    gradient    dW[a, b, c, m]  = sum over n, p, q of fine[p sh + a - top, q sw + b - left, c] coarse[p, q, m]

Each is a product of matrices whose elements are found by arithmetic on their places; the sizes are
constants of the compiled kernel, and all
is unsigned 32-bit numbers, so that divisions by them cost little, and what is below 0 is above
every size.  conv2d is correlate forward,
spread back; conv2d_transpose is spread forward, correlate back.  An image may be dz = dout f'(z),
which is computed where it is loaded.
"""

import functools
from typing import NamedTuple

import numpy as np
from numba import cuda
from numpy import uint32

from ..errors import ScratchVAEError
from ..windows import padding_before
from .activations import activation_backward, make_activation, make_derivative
from .device import launch_each
from .product import Factor, parts_of, product


class Geometry(NamedTuple):
    """The sizes that a kernel is compiled for."""

    H: int
    W: int
    C: int  # of the fine image
    P: int
    Q: int
    M: int  # of the coarse one
    A: int
    B: int  # of the window
    sh: int
    sw: int
    top: int
    left: int  # zeros before the fine image


class ConvolutionScratch(NamedTuple):
    """Work space for batches of at most `batch`."""

    batch: int
    geometry: Geometry
    parts: object  # (parts, A B C, M): sums of dW, each over a part of the batch
    bias_parts: object  # (parts, 1, filters): likewise of db
    dz: object  # as y: for softmax, whose derivative is no function of one number


def convolution_scratch(
    empty, batch, fine_shape, coarse_shape, window, strides, output_shape, dtype
):
    """Work space for a convolution between images of these shapes (height, width, channels)."""
    (H, W, C) = fine_shape
    (P, Q, M) = coarse_shape
    (A, B) = window
    top, left = (padding_before(*sizes) for sizes in zip((H, W), (P, Q), window, strides))
    geometry = Geometry(H, W, C, P, Q, M, A, B, *strides, top, left)
    parts = parts_of(A * B * C, M, batch * P * Q)
    bias_parts = parts_of(1, output_shape[2], batch * output_shape[0] * output_shape[1])
    return ConvolutionScratch(
        batch,
        geometry,
        empty((parts, A * B * C, M), dtype),
        empty((bias_parts, 1, output_shape[2]), dtype),
        empty((batch, *output_shape), dtype),
    )


def check_scratch(scratch, fine, coarse, strides, window):
    """Refuse work space made for other sizes."""
    g = scratch.geometry
    if (fine.shape[1:], coarse.shape[1:], (*window,), (*strides,)) != (
        (g.H, g.W, g.C),
        (g.P, g.Q, g.M),
        (g.A, g.B),
        (g.sh, g.sw),
    ) or len(fine) > scratch.batch:
        raise ScratchVAEError(
            f"convolution: the scratch was made for batches of at most {scratch.batch} images and "
            f"{g}; "
            "needed: a scratch of these settings"
        )


def correlate(fine, kernel, store, coarse, g, activation, dtype):
    """coarse = fine * W.  fine: (image,), or (dout, y) for dz; coarse: the arrays of `store`."""
    product(
        *_make_correlation(g, _of(fine, activation, dtype), dtype),
        store,
        fine,
        (kernel,),
        coarse,
        (len(fine[0]) * g.P * g.Q, g.M, g.A * g.B * g.C),
        dtype,
    )


def spread(coarse, kernel, store, fine, g, activation, dtype):
    """fine = the strokes of all coarse pixels.  Arguments as above."""
    product(
        *_make_spreading(g, _of(coarse, activation, dtype), dtype),
        store,
        coarse,
        (kernel,),
        fine,
        (len(coarse[0]) * g.H * g.W, g.C, g.A * g.B * g.M),
        dtype,
    )


def gradient(fine, coarse, dkernel, scratch, activation, dtype):
    """dW.  One of fine and coarse is (image,), the other (dout, y) for dz."""
    g = scratch.geometry
    parts = scratch.parts
    factors = _make_gradient(g, _of(fine, activation, dtype), _of(coarse, activation, dtype), dtype)
    _add_up(
        dkernel.reshape(1, *parts.shape[1:]),
        parts,
        lambda sums: product(
            *factors,
            store_part,
            fine,
            coarse,
            (sums,),
            (g.A * g.B * g.C, g.M, len(fine[0]) * g.P * g.Q),
            dtype,
            len(parts),
        ),
    )


def bias_gradient(dz, dbias, scratch, activation, dtype):
    """db: the sums of dz = (dout, y) over images and positions, a product with a row of ones."""
    parts = scratch.bias_parts
    (N, P, Q, M) = dz[0].shape
    factors = _make_ones(dtype), _make_positions((P, Q), _of(dz, activation, dtype))
    _add_up(
        dbias.reshape(1, 1, M),
        parts,
        lambda sums: product(
            *factors, store_part, dz, dz, (sums,), (1, M, N * P * Q), dtype, len(parts)
        ),
    )


def _add_up(total, parts, multiply):
    """Let `multiply` fill the parts (parts, I, J) of a sum, and add them up in `total` (1, I, J);

    a single part is the sum.
    """
    if len(parts) == 1:
        multiply(total)
    else:
        multiply(parts)
        launch_each(
            _add_parts, total.size, parts.reshape(len(parts), total.size), total.reshape(total.size)
        )


def without_softmax(dout, y, activation, scratch):
    """(dz's arrays, its activation): for softmax dz is computed now, else where it is loaded."""
    if activation != "softmax":
        return (dout, y), activation
    dz = scratch.dz[: len(y)]
    activation_backward(dout, y, dz, activation)
    return (dz,), "linear"


def _of(arrays, activation, dtype):
    """The function that gives a pixel of (image,), or of dz from (dout, y)."""
    return _pixel if len(arrays) == 1 else _make_dz_pixel(activation, dtype)


@cuda.jit(device=True)
def _pixel(arrays, n, h, w, c):
    return arrays[0][n, h, w, c]


@functools.cache
def _make_dz_pixel(activation, dtype):
    derivative = make_derivative(activation, dtype)

    @cuda.jit(device=True)
    def dz_pixel(arrays, n, h, w, c):
        dout, y = arrays
        return dout[n, h, w, c] * derivative(y[n, h, w, c])

    return dz_pixel


@functools.cache
def make_store(height, width, activation, dtype):
    """y = f(sum + b), at the place of an image's pixel that row i of the product means."""
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
    """dx = the sum, likewise."""
    size = uint32(height * width)
    height = uint32(height)
    width = uint32(width)

    @cuda.jit(device=True)
    def store_dx(arrays, i, c, part, total):
        arrays[0][i // size, i // width % height, i % width, c] = total

    return store_dx


@cuda.jit(device=True)
def store_part(arrays, i, j, part, total):
    """A part of a sum, for _add_parts."""
    arrays[0][part, i, j] = total


@cuda.jit
def _add_parts(parts, sums):
    i = cuda.grid(1)
    if i < sums.size:
        total = parts[0, i]
        for part in range(1, parts.shape[0]):
            total += parts[part, i]
        sums[i] = total


@functools.cache
def _make_patch(g, pixel, dtype):
    """patch(arrays, i, t): what tap t = (a, b, c) of the window meets at stop i = (n, p, q)."""
    H, W, C, P, Q, M, A, B, sh, sw, top, left = map(uint32, g)
    BC = uint32(B * C)
    PQ = uint32(P * Q)
    zero = np.dtype(dtype).type(0)

    @cuda.jit(device=True)
    def patch(arrays, i, t):
        h = uint32(i // Q % P * sh + t // BC - top)
        w = uint32(i % Q * sw + t // C % B - left)
        return pixel(arrays, i // PQ, h, w, t % C) if h < H and w < W else zero

    return patch


@functools.cache
def _make_correlation(g, pixel, dtype):
    """Patches of the fine image, times the kernel as a matrix (A B C, M)."""
    B = uint32(g.B)
    C = uint32(g.C)
    BC = uint32(g.B * g.C)

    @cuda.jit(device=True)
    def weight(arrays, t, m):
        return arrays[0][t // BC, t // C % B, t % C, m]

    return Factor(_make_patch(g, pixel, dtype), True), Factor(weight, False)


@functools.cache
def _make_spreading(g, pixel, dtype):
    """The coarse pixels that paint a fine one, times the kernel as a matrix (A B M, C)."""
    H, W, C, P, Q, M, A, B, sh, sw, top, left = map(uint32, g)
    BM = uint32(B * M)
    HW = uint32(H * W)
    height = uint32(P * sh)
    width = uint32(Q * sw)
    zero = np.dtype(dtype).type(0)

    @cuda.jit(device=True)
    def painter(arrays, i, t):
        h = uint32(i // W % H + top - t // BM)
        w = uint32(i % W + left - t // M % B)  # sh p and sw q
        whole = h < height and w < width and h % sh == 0 and w % sw == 0
        return pixel(arrays, i // HW, h // sh, w // sw, t % M) if whole else zero

    @cuda.jit(device=True)
    def weight(arrays, t, c):
        return arrays[0][t // BM, t // M % B, c, t % M]

    return Factor(painter, True), Factor(weight, True)


@functools.cache
def _make_gradient(g, fine_pixel, coarse_pixel, dtype):
    """Patches of the fine image, transposed, times the coarse image as a matrix (N P Q, M)."""
    patch = _make_patch(g, fine_pixel, dtype)

    @cuda.jit(device=True)
    def patch_transposed(arrays, t, i):
        return patch(arrays, i, t)

    return Factor(patch_transposed, False), _make_positions((g.P, g.Q), coarse_pixel)


@functools.cache
def _make_positions(size, pixel):
    """An image as a matrix (N P Q, M), a second factor."""
    P, Q, PQ = *map(uint32, size), uint32(size[0] * size[1])

    @cuda.jit(device=True)
    def position(arrays, i, m):
        return pixel(arrays, i // PQ, i // Q % P, i % Q, m)

    return Factor(position, False)


@functools.cache
def _make_ones(dtype):
    one = np.dtype(dtype).type(1)

    @cuda.jit(device=True)
    def ones(arrays, i, k):
        return one

    return Factor(ones, True)
