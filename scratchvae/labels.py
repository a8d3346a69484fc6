"""Examples that carry their labels, for models that are told the class of each example.

A user's data are Labelled: x, and a label for each example. A conditional model computes with rows
(x, c): the D numbers of an example and after them the one-hot vector c of its label, K numbers. As
an example is one row, labels need no way of their own through training: batches, their order,
checkpoints and devices treat rows like any other examples.
"""
import math

import numpy as np

from .batches import Batches
from .errors import ScratchVAEError


class Labelled:
    """Examples and their labels, which stay together.

    Any index of examples gives Labelled; np.asarray gives the examples alone.

    Parameters
    ----------
    x : array_like or Images (N, ...)
    labels : integer array_like (N,)
        0, 1, ..., below the number of classes.

    Attributes
    ----------
    x : array or Images
    labels : integer array (N,)
    shape : tuple of int
        Of x.
    """

    def __init__(self, x, labels):
        self.x = x if hasattr(x, "shape") else np.asarray(x)
        self.labels = integers(labels)
        if self.labels.shape != self.x.shape[:1]:
            raise ScratchVAEError("labels must be one for each example: x has "
                                  f"{len(self.x):,} examples, labels have shape "
                                  f"{self.labels.shape}")

    @property
    def shape(self):
        """The shape of x."""
        return self.x.shape

    @property
    def ndim(self):
        """The number of axes of x."""
        return len(self.x.shape)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return Labelled(self.x[index], self.labels[index])

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.x, dtype)

    def __repr__(self):
        return f"Labelled examples of shape {self.shape}"


class Rows(Batches):
    """Labelled examples that become rows (x, c) a batch at a time; see the head of this file.

    Parameters
    ----------
    x : array or Batches (N, ...)
        Checked examples.
    labels : integer array (N,)
        Below `classes`.
    classes : int
    dtype : str
        Of the rows.
    """

    def __init__(self, x, labels, classes, dtype):
        super().__init__(x, dtype)
        self.labels = labels
        self.classes = classes
        self.size = math.prod(x.shape[1:])
        self.shape = (len(x), self.size + classes)

    def __getitem__(self, here):
        x = self.given[here]
        rows = np.empty((len(x), self.shape[1]), self.dtype)
        rows[:, :self.size] = x.reshape(len(x), -1)
        rows[:, self.size:] = one_hot(self.labels[here], self.classes)
        return rows

    def take(self, indices, out):
        """Write the rows of these examples into the array `out`."""
        x = out[:, :self.size].reshape(len(indices), *self.given.shape[1:])     # a view
        if isinstance(self.given, Batches):
            self.given.take(indices, x)
        else:
            x[...] = self.given[indices]
        out[:, self.size:] = one_hot(self.labels[indices], self.classes)


def one_hot(labels, classes):
    """Return c (N, classes): 1 at the place of the label, 0 elsewhere."""
    return np.equal(labels[:, np.newaxis], np.arange(classes))


def integers(labels):
    """Return labels as an array of integers; anything else is refused."""
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise ScratchVAEError(f"labels must be integers, got {array.dtype} dtype")
    return array
