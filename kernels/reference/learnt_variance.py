"""A variance for each column, which is a parameter: the same for all examples (Rybkin et al. 2021,
"Simple and effective VAE training with calibrated decoders", section 3.2).

The parameter a is free; the log-variance v of the loss is bounded from below, softly:

    v = m + log(1 + exp(a - m)),        dv/da = 1 / (1 + exp(m - a)),       m = lowest

Where a is some way above m, v = a. Without the bound, the density of a column that the decoder
predicts exactly, such as a constant, grows without end as v falls to minus infinity, and with it
the gradients of all other parameters. The derivative is never 0, so a column can come back.

One variance serves all examples, so its gradient is a sum over them.
"""
import numpy as np

from ..operation import operation
from .activations import activation_forward


@operation("x=NK a=D -> y=N,K+D", lowest=(-1.0,))
def learnt_variance_forward(x, a, y, lowest):
    """y = (x, v), the same v for each example."""
    K = x.shape[1]
    y[:, :K] = x
    y[:, K:] = lowest + np.logaddexp(0, a - lowest, dtype=a.dtype)


@operation("dout=N,K+D a=D -> dx=NK da=D", lowest=(-1.0,))
def learnt_variance_backward(dout, a, dx, da, lowest):
    """dx = the columns of x; da = dv/da times the sum of dv over the examples."""
    K = dx.shape[1]
    dx[...] = dout[:, :K]
    activation_forward(a - a.dtype.type(lowest), da, "sigmoid")
    da *= dout[:, K:].sum(axis=0)
