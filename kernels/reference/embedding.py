"""Embedding: word i becomes row i of a table, and a dense layer on one-hot words, which is the same.

    y_n = table[i_n]        ->  dtable[v] = sum of dout_n over all n with i_n = v

A one-hot row x_n has a 1 at i_n and else zeros, so x_n W is row i_n of W: nobody needs to build x, nor to multiply by its zeros.

    y = f(W[i] + b)         ->  dz = dout * f'(z),   dW[v] = sum of dz_n over all n with i_n = v,   db = sum of dz
"""
import numpy as np

from ..contract import check_indices, operation
from .activations import activation_backward, activation_forward


@operation
def embedding_forward(indices, table, y):
    """y = table[indices].  indices (N,) int32, table (V, E), y (N, E)."""
    check_indices("embedding", indices, len(table))
    np.take(table, indices, axis=0, out=y)


@operation
def embedding_backward(dout, indices, dtable):
    """dtable (V, E) from dout (N, E): rows of equal words add up."""
    check_indices("embedding", indices, len(dtable))
    dtable[...] = 0
    np.add.at(dtable, indices, dout)


@operation
def onehot_dense_forward(indices, kernel, bias, y, activation):
    """y = f(x W + b) for the one-hot rows x that the indices (N,) mean.  kernel (V, M), bias (M,), y (N, M)."""
    embedding_forward(indices, kernel, y)
    y += bias
    activation_forward(y, y, activation)


@operation
def onehot_dense_backward(dout, indices, y, dz, dkernel, dbias, activation):
    """dkernel and dbias from dout (N, M) and the y of the forward pass.  dz (N, M) is work space."""
    activation_backward(dout, y, dz, activation)
    embedding_backward(dz, indices, dkernel)
    np.sum(dz, axis=0, out=dbias)
