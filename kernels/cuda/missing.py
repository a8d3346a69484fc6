"""Missing numbers on the device, a thread for each element. See reference/missing.py."""
from numba import cuda

from ..reference import missing as reference
from .device import flat, implements, launch_each


@implements(reference.fill_missing_forward)
def fill_missing_forward(x, y):
    launch_each(_where_known, x.size, flat(x), flat(x), flat(y))


@implements(reference.fill_missing_backward)
def fill_missing_backward(dout, x, dx):
    launch_each(_where_known, x.size, flat(x), flat(dout), flat(dx))


@cuda.jit
def _where_known(x, values, out):
    """out = values, and 0 where x is NaN."""
    i = cuda.grid(1)
    if i < x.size:
        out[i] = values[i] if x[i] == x[i] else x.dtype.type(0)
