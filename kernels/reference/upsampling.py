"""Upsampling: every pixel of an image becomes a block of A x B equal pixels.

    y[n, h A + a, w B + b, c] = x[n, h, w, c]     for a < A, b < B
    dx[n, h, w, c] = sum over a, b of dout[n, h A + a, w B + b, c]

With the axes (n, h, a, w, b, c) of an array of the same contents, the first line is a broadcast
over a and b, and the second is its gradient: a sum over a and b.
"""
import numpy as np

from ..operation import operation

FACTORS = ((2, 2), (3, 1), (1, 2))


def upsampled_positions(sizes, size):
    """Return the height P and width Q of the output."""
    return {"P": sizes["H"] * size[0], "Q": sizes["W"] * size[1]}


@operation("x=NHWC -> y=NPQC", upsampled_positions, size=FACTORS)
def upsampling_forward(x, y, size):
    """y = x with each pixel repeated."""
    blocks(y, x.shape, size)[...] = x[:, :, np.newaxis, :, np.newaxis]


@operation("dout=NPQC -> dx=NHWC", upsampled_positions, size=FACTORS)
def upsampling_backward(dout, dx, size):
    """dx = the sum of dout over each block."""
    np.sum(blocks(dout, dx.shape, size), axis=(2, 4), out=dx)


def blocks(fine, coarse_shape, size):
    """Return fine images with the axes (N, H, A, W, B, C), a view."""
    N, H, W, C = coarse_shape
    return fine.reshape(N, H, size[0], W, size[1], C)
