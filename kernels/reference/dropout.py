"""Dropout (Srivastava et al. 2014), inverted as in Keras: kept elements are scaled up, so E[y] = x.

    y = x * keep / (1 - rate),   keep = 1 where noise >= rate, else 0,   noise ~ U[0, 1)

The backward pass is the same product, with the same noise: dx = dout * keep / (1 - rate).
"""
import numpy as np

from ..operation import operation


@operation("x=* noise=*:unit -> y=*", rate=(0.4, 0.0))
def dropout_forward(x, noise, y, rate):
    """y = x * keep / (1 - rate), for 0 <= rate < 1."""
    y[...] = np.where(noise >= rate, x * (1 / (1 - rate)), 0)


@operation("dout=* noise=*:unit -> dx=*", rate=(0.4, 0.0))
def dropout_backward(dout, noise, dx, rate):
    """dx = dout * keep / (1 - rate), with the noise of the forward pass."""
    dx[...] = np.where(noise >= rate, dout * (1 / (1 - rate)), 0)
