"""Embedding, and a dense layer on one-hot words, on the device. See reference/embedding.py.

Indices are not checked here: they are on the device. Model.as_examples checks them before it copies
them there.
"""
import functools

from numba import cuda

from ..reference import embedding as reference
from .activations import activation_backward, activation_forward, make_activation
from .arrays import fill, take
from .device import implements, launch, launch_each
from .reduction import block_sum


@implements(reference.embedding_forward)
def embedding_forward(indices, table, y):
    take(table, indices, y)


@implements(reference.embedding_backward)
def embedding_backward(dout, indices, dtable):
    fill(dtable, 0)
    launch(_add_rows, indices.size, dout, indices, dtable)


@cuda.jit
def _add_rows(dout, indices, dtable):
    """A block for each n. The first of equal words adds up the rows of all of them, in order; the
    blocks of the others do nothing.

    So two blocks never write to the same row, and the sums always have the same order. Atomic
    additions would be simpler, but their order, and so the result, would differ from run to run.
    """
    n = cuda.blockIdx.x
    thread = cuda.threadIdx.x
    width = cuda.blockDim.x
    word = indices[n]
    earlier = 0
    for i in range(thread, n, width):
        if indices[i] == word:
            earlier = 1
    if cuda.syncthreads_or(earlier) == 0:
        for e in range(thread, dout.shape[1], width):
            total = dout[n, e]
            for i in range(n + 1, indices.size):
                if indices[i] == word:
                    total += dout[i, e]
            dtable[word, e] = total


@implements(reference.onehot_dense_forward)
def onehot_dense_forward(indices, kernel, bias, y, activation):
    launch_each(_make_onehot_dense(activation, y.dtype), y.size, indices, kernel, bias, y)
    if activation == "softmax":
        activation_forward(y, y, activation)


@functools.cache
def _make_onehot_dense(activation, dtype):
    activate = make_activation(activation, dtype)

    @cuda.jit
    def onehot_dense(indices, kernel, bias, y):
        i = cuda.grid(1)
        if i < y.size:
            n = i // y.shape[1]
            m = i % y.shape[1]
            y[n, m] = activate(kernel[indices[n], m] + bias[m])
    return onehot_dense


@implements(reference.onehot_dense_backward)
def onehot_dense_backward(dout, indices, y, dz, dkernel, dbias, activation):
    activation_backward(dout, y, dz, activation)
    embedding_backward(dz, indices, dkernel)
    launch(_sum_columns, dbias.size, dz, dbias)


@cuda.jit
def _sum_columns(dz, dbias):
    """A block for each column."""
    m = cuda.blockIdx.x
    total = 0.0
    for n in range(cuda.threadIdx.x, dz.shape[0], cuda.blockDim.x):
        total += dz[n, m]
    total = block_sum(total)
    if cuda.threadIdx.x == 0:
        dbias[m] = total
