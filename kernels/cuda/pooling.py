"""Pooling on the device. See reference/pooling.py for the mathematics.

A thread takes an element: of the output in the forward pass, of the image in the backward pass,
where each pixel looks for the windows that see it. So no two threads add to one number.
"""
from numba import cuda

from ..reference import pooling as reference
from ..windows import padding_before
from .device import implements, launch_each


def _corner(fine, coarse, pool_size, window):
    """Return (rows, columns) of padding before the image: the first window starts there."""
    sizes = zip(fine.shape[1:3], coarse.shape[1:3], pool_size, window.strides)
    return tuple(padding_before(*axis) for axis in sizes)


@cuda.jit(device=True)
def pixel_of(images, i):
    """Return (n, h, w, c) of element i."""
    _, H, W, C = images.shape
    return i // (H * W * C), i // (W * C) % H, i // C % W, i % C


@cuda.jit(device=True)
def _inside(p, stride, before, pool, size):
    """Return the first position of window p that lies inside the image, and the one after the last.
    """
    start = p * stride - before
    return max(0, -start), min(pool, size - start)


@cuda.jit(device=True)
def _windows_around(h, stride, before, pool, count):
    """Return the first window that sees row or column h of the image, and the one after the last.
    """
    return max(0, (h + before - pool) // stride + 1), min(count, (h + before) // stride + 1)


@implements(reference.max_pooling_forward)
def max_pooling_forward(x, y, winner, pool_size, window):
    launch_each(_max_forward, y.size, x, y, winner, pool_size, window.strides,
                _corner(x, y, pool_size, window))


@cuda.jit
def _max_forward(x, y, winner, pool_size, strides, before):
    i = cuda.grid(1)
    if i < y.size:
        n, p, q, c = pixel_of(y, i)
        a_start, a_stop = _inside(p, strides[0], before[0], pool_size[0], x.shape[1])
        b_start, b_stop = _inside(q, strides[1], before[1], pool_size[1], x.shape[2])
        top = p * strides[0] - before[0]
        left = q * strides[1] - before[1]
        best = x[n, top + a_start, left + b_start, c]
        best_t = a_start * pool_size[1] + b_start
        for a in range(a_start, a_stop):
            for b in range(b_start, b_stop):
                number = x[n, top + a, left + b, c]
                if number > best or number != number:           # NaN wins
                    best = number
                    best_t = a * pool_size[1] + b
        y[n, p, q, c] = best
        winner[n, p, q, c] = best_t


@implements(reference.max_pooling_backward)
def max_pooling_backward(dout, winner, dx, pool_size, window):
    launch_each(_max_backward, dx.size, dout, winner, dx, pool_size, window.strides,
                _corner(dx, dout, pool_size, window))


@cuda.jit
def _max_backward(dout, winner, dx, pool_size, strides, before):
    i = cuda.grid(1)
    if i < dx.size:
        n, h, w, c = pixel_of(dx, i)
        p_start, p_stop = _windows_around(h, strides[0], before[0], pool_size[0], dout.shape[1])
        q_start, q_stop = _windows_around(w, strides[1], before[1], pool_size[1], dout.shape[2])
        total = dx.dtype.type(0)
        for p in range(p_start, p_stop):
            for q in range(q_start, q_stop):
                a = h + before[0] - p * strides[0]
                b = w + before[1] - q * strides[1]
                if winner[n, p, q, c] == a * pool_size[1] + b:
                    total += dout[n, p, q, c]
        dx[n, h, w, c] = total


@implements(reference.average_pooling_forward)
def average_pooling_forward(x, y, pool_size, window):
    launch_each(_average_forward, y.size, x, y, pool_size, window.strides,
                _corner(x, y, pool_size, window))


@cuda.jit
def _average_forward(x, y, pool_size, strides, before):
    i = cuda.grid(1)
    if i < y.size:
        n, p, q, c = pixel_of(y, i)
        a_start, a_stop = _inside(p, strides[0], before[0], pool_size[0], x.shape[1])
        b_start, b_stop = _inside(q, strides[1], before[1], pool_size[1], x.shape[2])
        top = p * strides[0] - before[0]
        left = q * strides[1] - before[1]
        total = x.dtype.type(0)
        for a in range(a_start, a_stop):
            for b in range(b_start, b_stop):
                total += x[n, top + a, left + b, c]
        y[n, p, q, c] = total / x.dtype.type((a_stop - a_start) * (b_stop - b_start))


@implements(reference.average_pooling_backward)
def average_pooling_backward(dout, dx, pool_size, window):
    launch_each(_average_backward, dx.size, dout, dx, pool_size, window.strides,
                _corner(dx, dout, pool_size, window))


@cuda.jit
def _average_backward(dout, dx, pool_size, strides, before):
    i = cuda.grid(1)
    if i < dx.size:
        n, h, w, c = pixel_of(dx, i)
        p_start, p_stop = _windows_around(h, strides[0], before[0], pool_size[0], dout.shape[1])
        q_start, q_stop = _windows_around(w, strides[1], before[1], pool_size[1], dout.shape[2])
        total = dx.dtype.type(0)
        for p in range(p_start, p_stop):
            a_start, a_stop = _inside(p, strides[0], before[0], pool_size[0], dx.shape[1])
            for q in range(q_start, q_stop):
                b_start, b_stop = _inside(q, strides[1], before[1], pool_size[1], dx.shape[2])
                count = (a_stop - a_start) * (b_stop - b_start)
                total += dout[n, p, q, c] / dx.dtype.type(count)
        dx[n, h, w, c] = total
