"""Embedding: a word is an index, and index i becomes row i of a table.

Known
-----
    embedding      y_n = table[i_n]             i_n is the word at place n, 0 <= i_n < V
    one-hot dense  y_n = f(W[i_n] + b)

A one-hot vector x_n has V numbers: a 1 at i_n, and zeros elsewhere. The product x_n W of a dense
layer is then row i_n of W. So x is never built, and its zeros are not multiplied.

Sought
------
1. Embedding, backward: take one row v of the table. Which of the y_n contain it? If the word v
   occurs at n = 2 and at n = 5, in how many ways does table[v] reach the loss?
2. So dtable[v] is a sum of which rows of dout? What is dtable[v] for a word that does not occur?
3. NumPy has a trap here. Try it: t = np.zeros(3); t[[0, 0, 1]] += 1; print(t). How often was 1
   added to t[0]? Look up np.add.at.
4. Check by the one-hot way: put the one-hot matrix x into your formula for dW of the dense layer.
   Which rows of dout does it select for row v of dW?
5. One-hot dense, backward: the chain is f, then + b, then the row of the table. You have all three
   parts already. There is no dx: an index is no number that could be moved a little.
"""
import numpy as np

from .activations import activation_backward, activation_forward


def embedding_forward(indices, table, y):
    """Compute y_n = table[i_n].

    Inputs
    ------
    indices : (N,) int32
        Below V. A word may occur several times.
    table : (V, E)

    Outputs
    -------
    y : (N, E)
    """
    raise NotImplementedError


def embedding_backward(dout, indices, dtable):
    """Compute the gradient of the table.

    Inputs
    ------
    dout : (N, E)
        dL/dy.
    indices : (N,) int32

    Outputs
    -------
    dtable : (V, E)
        Write all of its rows, also those of words that do not occur.
    """
    raise NotImplementedError


def onehot_dense_forward(indices, kernel, bias, y, activation):
    """Compute y = f(x W + b), for the one-hot rows x that the indices stand for.

    Inputs
    ------
    indices : (N,) int32
        Below V.
    kernel : (V, M)
        W.
    bias : (M,)
    activation : str

    Outputs
    -------
    y : (N, M)
    """
    raise NotImplementedError


def onehot_dense_backward(dout, indices, y, dz, dkernel, dbias, activation):
    """Compute the gradients of onehot_dense_forward.

    Inputs
    ------
    dout : (N, M)
        dL/dy.
    indices : (N,) int32
    y : (N, M)
        The output of the forward pass.
    activation : str

    Outputs
    -------
    dz : (N, M)
        dL/dz, work space that you are given.
    dkernel : (V, M)
    dbias : (M,)
    """
    raise NotImplementedError
