"""Dense layer in tiles (see product.py): one launch forward, two back. See reference/dense.py.

The forward pass adds the bias and applies f to each sum before it stores it. The backward pass
computes dz = dout f'(z) where it loads it. db is one more row of dW: the gradient of the weight of
an input that is always 1.
"""
import functools

from numba import cuda

from ..reference import dense as reference
from .activations import activation_backward, activation_forward, make_activation, make_derivative
from .device import implements
from .product import COLUMNS_OF_B, ROWS_OF_A, ROWS_OF_B, Factor, product, store


def dense_scratch(N, K, M, dtype):
    """Return the work space of a dense layer: the device needs none."""
    return None


@implements(reference.dense_forward)
def dense_forward(x, kernel, bias, y, activation, scratch):
    N, K = x.shape
    M = len(bias)
    product(ROWS_OF_A, ROWS_OF_B, _make_store(activation, y.dtype), (x,), (kernel,), (y, bias),
            (N, M, K), y.dtype)
    if activation == "softmax":
        activation_forward(y, y, activation)


@functools.cache
def _make_store(activation, dtype):
    """Return a function that stores y_ij = f(sum + b_j)."""
    activate = make_activation(activation, dtype)

    @cuda.jit(device=True)
    def store_activated(arrays, i, j, part, total):
        y, bias = arrays
        y[i, j] = activate(total + bias[j])
    return store_activated


@implements(reference.dense_backward)
def dense_backward(dout, x, y, kernel, dz, dx, dkernel, dbias, activation, scratch):
    N, K = x.shape
    M = len(dbias)
    if activation == "softmax":                         # its dz needs whole rows
        activation_backward(dout, y, dz, activation)
        dout = dz
        activation = "linear"
    dz_rows, dz_columns = _make_dz(activation, y.dtype)
    product(X_TRANSPOSED, dz_columns, store_gradients, (x,), (dout, y), (dkernel, dbias),
            (K + 1, M, N), y.dtype)
    if dx is not None:
        product(dz_rows, COLUMNS_OF_B, store, (dout, y), (kernel,), (dx,), (N, K, M), y.dtype)


@functools.cache
def _make_dz(activation, dtype):
    """Return dz = dout f'(z) from (dout, y), as a first and as a second factor."""
    derivative = make_derivative(activation, dtype)

    @cuda.jit(device=True)
    def load_dz(arrays, row, column):
        dout, y = arrays
        return dout[row, column] * derivative(y[row, column])
    return Factor(load_dz, True), Factor(load_dz, False)


@cuda.jit(device=True)
def _load_x_transposed(arrays, k, n):
    """Return x_nk; the input K is always 1."""
    x, = arrays
    return x[n, k] if k < x.shape[1] else x.dtype.type(1)


X_TRANSPOSED = Factor(_load_x_transposed, False)


@cuda.jit(device=True)
def store_gradients(arrays, k, j, part, total):
    """Store dW_kj = the sum; the row below dW is db."""
    dkernel, dbias = arrays
    if k < dkernel.shape[0]:
        dkernel[k, j] = total
    else:
        dbias[j] = total
