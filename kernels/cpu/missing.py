"""Missing numbers in Numba. See reference/missing.py for the mathematics."""
from numba import prange

from ..operation import implements
from ..reference import missing as reference
from .jit import CHUNK, chunk_count, parallel


@implements(reference.fill_missing_forward)
def fill_missing_forward(x, y):
    _where_known(x.reshape(-1), x.reshape(-1), y.reshape(-1))


@implements(reference.fill_missing_backward)
def fill_missing_backward(dout, x, dx):
    _where_known(x.reshape(-1), dout.reshape(-1), dx.reshape(-1))


@parallel
def _where_known(x, values, out):
    """out = values, and 0 where x is NaN."""
    zero = out.dtype.type(0)
    for chunk in prange(chunk_count(x.size)):
        here = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        x_ = x[here]
        values_ = values[here]
        out_ = out[here]
        for i in range(out_.size):
            out_[i] = values_[i] if x_[i] == x_[i] else zero
