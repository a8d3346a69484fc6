"""Embedding: word i becomes row i of a table. A dense layer on one-hot words does the same.

    y_n = table[i_n]        ->  dtable[v] = sum of dout_n over all n with i_n = v

A one-hot row x_n has a 1 at i_n and zeros elsewhere, so x_n W is row i_n of W. There is no need to
build x, or to multiply by its zeros:

    y = f(W[i] + b)         ->  dz = dout * f'(z)
                                dW[v] = sum of dz_n over all n with i_n = v
                                db = sum of dz
"""
import numpy as np

from ..operation import operation
from .activations import activation_backward, activation_forward


@operation("indices=N:index<V table=VE -> y=NE")
def embedding_forward(indices, table, y):
    """y = table[indices]."""
    np.take(table, indices, axis=0, out=y)


@operation("dout=NE indices=N:index<V -> dtable=VE")
def embedding_backward(dout, indices, dtable):
    """Write dtable: the rows of dout that belong to one word add up."""
    dtable[...] = 0
    np.add.at(dtable, indices, dout)


@operation("indices=N:index<V kernel=VM bias=M -> y=NM", activation=("tanh", "linear", "softmax"))
def onehot_dense_forward(indices, kernel, bias, y, activation):
    """y = f(x W + b), for the one-hot rows x that the indices stand for."""
    embedding_forward(indices, kernel, y)
    y += bias
    activation_forward(y, y, activation)


@operation("dout=NM indices=N:index<V y=NM -> dz=NM dkernel=VM dbias=M",
           activation=("tanh", "linear", "softmax"))
def onehot_dense_backward(dout, indices, y, dz, dkernel, dbias, activation):
    """Write dkernel and dbias, from dout and the y of the forward pass. dz is work space."""
    activation_backward(dout, y, dz, activation)
    embedding_backward(dz, indices, dkernel)
    np.sum(dz, axis=0, out=dbias)
