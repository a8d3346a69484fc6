"""Pooling in Numba. See reference/pooling.py for the mathematics.

Threads share out rows: of the output in the forward pass, of the image in the backward pass, where
each pixel looks for the windows that see it. So no sum is divided among threads. Channels are
neighbours in memory: the loops over them become vector instructions.
"""
from numba import prange

from ..operation import implements
from ..reference import pooling as reference
from ..windows import padding_before
from .jit import inner, parallel


def corner(fine, coarse, pool_size, window):
    """Return (rows, columns) of padding before the image: the first window starts there."""
    return tuple(padding_before(*sizes) for sizes in
                 zip(fine.shape[1:3], coarse.shape[1:3], pool_size, window.strides))


@implements(reference.max_pooling_forward)
def max_pooling_forward(x, y, winner, pool_size, window):
    _max_forward(x, y, winner, pool_size, window.strides, corner(x, y, pool_size, window))


@implements(reference.max_pooling_backward)
def max_pooling_backward(dout, winner, dx, pool_size, window):
    _max_backward(dout, winner, dx, pool_size, window.strides, corner(dx, dout, pool_size, window))


@implements(reference.average_pooling_forward)
def average_pooling_forward(x, y, pool_size, window):
    _average_forward(x, y, pool_size, window.strides, corner(x, y, pool_size, window))


@implements(reference.average_pooling_backward)
def average_pooling_backward(dout, dx, pool_size, window):
    _average_backward(dout, dx, pool_size, window.strides, corner(dx, dout, pool_size, window))


@inner
def inside(p, stride, before, pool, size):
    """Return the first position of window p that lies inside the image, and the one after the last.
    """
    start = p * stride - before
    return max(0, -start), min(pool, size - start)


@inner
def windows_around(h, stride, before, pool, count):
    """Return the first window that sees row or column h of the image, and the one after the last.
    """
    return max(0, (h + before - pool) // stride + 1), min(count, (h + before) // stride + 1)


@parallel
def _max_forward(x, y, winner, pool_size, strides, before):
    N, P, Q, _ = y.shape
    for row in prange(N * P):
        n = row // P
        p = row % P
        for q in range(Q):
            find_maximum(x[n], p, q, y[n, p, q], winner[n, p, q], pool_size, strides, before)


@inner
def find_maximum(image, p, q, y, winner, pool_size, strides, before):
    """Write the maximum of a window in each channel, and its position. NaN wins."""
    a_start, a_stop = inside(p, strides[0], before[0], pool_size[0], image.shape[0])
    b_start, b_stop = inside(q, strides[1], before[1], pool_size[1], image.shape[1])
    top = p * strides[0] - before[0]
    left = q * strides[1] - before[1]
    for c in range(y.size):
        y[c] = image[top + a_start, left + b_start, c]
        winner[c] = a_start * pool_size[1] + b_start
    for a in range(a_start, a_stop):
        for b in range(b_start, b_stop):
            pixel = image[top + a, left + b]
            t = a * pool_size[1] + b
            for c in range(y.size):
                wins = pixel[c] > y[c] or pixel[c] != pixel[c]
                y[c] = pixel[c] if wins else y[c]
                winner[c] = t if wins else winner[c]


@parallel
def _max_backward(dout, winner, dx, pool_size, strides, before):
    N, H, W, C = dx.shape
    P, Q = dout.shape[1:3]
    for row in prange(N * H):
        n = row // H
        h = row % H
        p_start, p_stop = windows_around(h, strides[0], before[0], pool_size[0], P)
        for w in range(W):
            q_start, q_stop = windows_around(w, strides[1], before[1], pool_size[1], Q)
            to = dx[n, h, w]
            for c in range(C):
                to[c] = 0
            for p in range(p_start, p_stop):
                for q in range(q_start, q_stop):
                    a = h + before[0] - p * strides[0]
                    b = w + before[1] - q * strides[1]
                    add_won(dout[n, p, q], winner[n, p, q], a * pool_size[1] + b, to)


@inner
def add_won(dout, winner, t, dx):
    """dx += dout where t is the winner."""
    for c in range(dx.size):
        dx[c] += dout[c] if winner[c] == t else dx.dtype.type(0)


@parallel
def _average_forward(x, y, pool_size, strides, before):
    N, P, Q, C = y.shape
    for row in prange(N * P):
        n = row // P
        p = row % P
        a_start, a_stop = inside(p, strides[0], before[0], pool_size[0], x.shape[1])
        top = p * strides[0] - before[0]
        for q in range(Q):
            b_start, b_stop = inside(q, strides[1], before[1], pool_size[1], x.shape[2])
            left = q * strides[1] - before[1]
            to = y[n, p, q]
            for c in range(C):
                to[c] = 0
            for a in range(a_start, a_stop):
                for b in range(b_start, b_stop):
                    add_multiple(x[n, top + a, left + b], 1, to)
            count = (a_stop - a_start) * (b_stop - b_start)
            for c in range(C):
                to[c] /= to.dtype.type(count)


@parallel
def _average_backward(dout, dx, pool_size, strides, before):
    N, H, W, C = dx.shape
    P, Q = dout.shape[1:3]
    for row in prange(N * H):
        n = row // H
        h = row % H
        p_start, p_stop = windows_around(h, strides[0], before[0], pool_size[0], P)
        for w in range(W):
            q_start, q_stop = windows_around(w, strides[1], before[1], pool_size[1], Q)
            to = dx[n, h, w]
            for c in range(C):
                to[c] = 0
            for p in range(p_start, p_stop):
                a_start, a_stop = inside(p, strides[0], before[0], pool_size[0], H)
                for q in range(q_start, q_stop):
                    b_start, b_stop = inside(q, strides[1], before[1], pool_size[1], W)
                    count = (a_stop - a_start) * (b_stop - b_start)
                    add_multiple(dout[n, p, q], 1 / count, to)


@inner
def add_multiple(numbers, factor, to):
    """to += factor numbers."""
    for c in range(to.size):
        to[c] += to.dtype.type(factor) * numbers[c]
