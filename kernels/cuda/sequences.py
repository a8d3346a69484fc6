"""Operations on sequences on the device, a thread for each element. See reference/sequences.py."""
from numba import cuda

from ..reference import sequences as reference
from .arrays import fill
from .device import implements, launch_each


@cuda.jit(device=True)
def _position(array, i):
    """Return (n, t, k) of element i."""
    T = array.shape[1]
    K = array.shape[2]
    return i // (T * K), i // K % T, i % K


@implements(reference.repeat_forward)
def repeat_forward(x, y):
    launch_each(_repeat, y.size, x, y)


@cuda.jit
def _repeat(x, y):
    i = cuda.grid(1)
    if i < y.size:
        n, t, k = _position(y, i)
        y[n, t, k] = x[n, k]


@implements(reference.repeat_backward)
def repeat_backward(dout, dx):
    sum_steps(dout, dx)


@implements(reference.sum_steps)
def sum_steps(x, y):
    launch_each(_sum_steps, y.size, x, y)


@cuda.jit
def _sum_steps(x, y):
    i = cuda.grid(1)
    if i < y.size:
        n = i // y.shape[1]
        k = i % y.shape[1]
        total = y.dtype.type(0)
        for t in range(x.shape[1]):
            total += x[n, t, k]
        y[n, k] = total


@implements(reference.concatenate_forward)
def concatenate_forward(a, b, y):
    launch_each(_concatenate, y.size, a, b, y)


@cuda.jit
def _concatenate(a, b, y):
    i = cuda.grid(1)
    if i < y.size:
        n = i // y.shape[1]
        k = i % y.shape[1]
        K = a.shape[1]
        y[n, k] = a[n, k] if k < K else b[n, k - K]


@implements(reference.concatenate_backward)
def concatenate_backward(dout, da, db):
    launch_each(_split, dout.size, dout, da, db)


@cuda.jit
def _split(dout, da, db):
    i = cuda.grid(1)
    if i < dout.size:
        n = i // dout.shape[1]
        k = i % dout.shape[1]
        K = da.shape[1]
        if k < K:
            da[n, k] = dout[n, k]
        else:
            db[n, k - K] = dout[n, k]


@implements(reference.last_forward)
def last_forward(x, y, t):
    launch_each(_take_step, y.size, x, y, t)


@cuda.jit
def _take_step(x, y, t):
    i = cuda.grid(1)
    if i < y.size:
        n = i // y.shape[1]
        k = i % y.shape[1]
        y[n, k] = x[n, t, k]


@implements(reference.last_backward)
def last_backward(dout, dx, t):
    launch_each(_put_step, dx.size, dout, dx, t)


@cuda.jit
def _put_step(dout, dx, last):
    i = cuda.grid(1)
    if i < dx.size:
        n, t, k = _position(dx, i)
        dx[n, t, k] = dout[n, k] if t == last else dx.dtype.type(0)


@implements(reference.scatter)
def scatter(x, indices, y):
    fill(y, 0)
    launch_each(_scatter, x.size, x, indices, y)


@cuda.jit
def _scatter(x, indices, y):
    i = cuda.grid(1)
    if i < x.size:
        m = i // x.shape[1]
        e = i % x.shape[1]
        y[indices[m], e] = x[m, e]


@implements(reference.mask_steps)
def mask_steps(x, mask, y):
    launch_each(_mask_steps, x.size, x, mask, y)


@cuda.jit
def _mask_steps(x, mask, y):
    i = cuda.grid(1)
    if i < x.size:
        n, t, k = _position(x, i)
        y[n, t, k] = x[n, t, k] if mask[n, t] != 0 else x.dtype.type(0)


@implements(reference.padding_mask)
def padding_mask(indices, mask):
    launch_each(_padding_mask, mask.size, indices, mask)


@cuda.jit
def _padding_mask(indices, mask):
    i = cuda.grid(1)
    if i < mask.size:
        n = i // mask.shape[1]
        t = i % mask.shape[1]
        mask[n, t] = 1 if indices[n, t] != 0 else 0


@implements(reference.words_before)
def words_before(indices, noise, before, first, unknown, rate):
    launch_each(_words_before, before.size, indices, noise, before, first, unknown, rate)


@cuda.jit
def _words_before(indices, noise, before, first, unknown, rate):
    i = cuda.grid(1)
    if i < before.size:
        n = i // before.shape[1]
        t = i % before.shape[1]
        if t == 0:
            before[n, t] = first
        else:
            before[n, t] = unknown if noise[n, t] < rate else indices[n, t - 1]
