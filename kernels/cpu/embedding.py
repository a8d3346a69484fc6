"""Embedding, and a dense layer on one-hot words, in Numba. See reference/embedding.py for the
mathematics.

Equal words add to one row of the gradient. A thread takes some columns of all rows, so these sums
always run in the order of the words, and their bits do not depend on the number of threads.
"""
from numba import prange

from ..operation import implements
from ..reference import embedding as reference
from .activations import activation_backward, activation_forward
from .jit import CHUNK, chunk_count, jit, parallel

LINE = 16                       # columns a thread takes at a time: a cache line of float32


@implements(reference.embedding_forward)
def embedding_forward(indices, table, y):
    _gather(indices, table, y)


@parallel
def _gather(indices, table, y):
    for n in prange(indices.size):
        row = table[indices[n]]
        y_n = y[n]
        for e in range(y_n.size):
            y_n[e] = row[e]


@implements(reference.embedding_backward)
def embedding_backward(dout, indices, dtable):
    _scatter_add(dout, indices, dtable, dtable.reshape(-1))


@parallel
def _scatter_add(dout, indices, dtable, flat):
    """dtable[v] = sum of dout[n] over all n with indices[n] = v. flat is dtable.reshape(-1)."""
    for chunk in prange(chunk_count(flat.size)):
        flat[chunk * CHUNK:(chunk + 1) * CHUNK] = 0
    E = dtable.shape[1]
    for line in prange((E + LINE - 1) // LINE):
        for n in range(indices.size):
            here = slice(line * LINE, (line + 1) * LINE)
            dout_n = dout[n, here]
            row = dtable[indices[n], here]
            for e in range(row.size):
                row[e] += dout_n[e]


@implements(reference.onehot_dense_forward)
def onehot_dense_forward(indices, kernel, bias, y, activation):
    _gather(indices, kernel, y)
    _add_bias(bias, y)
    activation_forward(y, y, activation)


@jit
def _add_bias(bias, y):
    for n in range(y.shape[0]):
        for m in range(bias.size):
            y[n, m] += bias[m]


@implements(reference.onehot_dense_backward)
def onehot_dense_backward(dout, indices, y, dz, dkernel, dbias, activation):
    activation_backward(dout, y, dz, activation)
    _scatter_add(dz, indices, dkernel, dkernel.reshape(-1))
    _sum_columns(dz, dbias)


@jit
def _sum_columns(dz, dbias):
    for n in range(dz.shape[0]):
        for m in range(dbias.size):
            dbias[m] = dz[n, m] if n == 0 else dbias[m] + dz[n, m]
