"""Missing numbers, which are NaN: where the encoder reads them, they become 0.

Columns are standardised, so 0 is their mean. The loss leaves missing numbers out of its sum (see
table_losses.py), so nothing is learnt from this 0 but how to encode what is known. Nazábal et al.
2020, "Handling incomplete heterogeneous data using VAEs", section 2.

A constant has no derivative: dx = dout where x is known, else 0.
"""
import numpy as np

from ..operation import operation


@operation("x=* -> y=*")
def fill_missing_forward(x, y):
    """y = x, and 0 where x is NaN."""
    y[...] = np.where(np.isnan(x), 0, x)


@operation("dout=* x=* -> dx=*")
def fill_missing_backward(dout, x, dx):
    """dx = dout, and 0 where x is NaN."""
    dx[...] = np.where(np.isnan(x), 0, dout)
