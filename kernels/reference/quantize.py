"""Vector quantisation (van den Oord et al. 2017, "Neural discrete representation learning").

A codebook has V vectors e_v. A vector x becomes the nearest of them,

    y_n = e_v,    v = indices_n = argmin over v of |x_n - e_v|^2.

argmin has no derivative. The straight-through estimator passes the gradient of y on to x as it is,
dx = dy; that is done by the model, and needs no kernel.

The codebook learns without a gradient, too (appendix A.1). Each vector is the mean of those that
came to it, with the past forgotten by and by:

    counts_v = m counts_v + (1 - m) * number of n with indices_n = v
    sums_v   = m sums_v   + (1 - m) * sum of x_n with indices_n = v
    e_v      = sums_v / counts_v.

A vector that nobody came to for long keeps its place: both numbers shrink by the same factor.
"""
import numpy as np

from ..operation import operation


@operation("x=NE table=VE -> indices=N:index<V y=NE")
def quantize_forward(x, table, indices, y):
    """indices_n is the row of the table that is nearest to x_n, and y_n that row."""
    distances = np.square(x[:, np.newaxis] - table).sum(axis=2)
    indices[...] = distances.argmin(axis=1)
    y[...] = table[indices]


@operation("x=NE indices=N:index<V -> counts+=V:positive sums+=VE table=VE", momentum=(0.9,))
def quantize_update(x, indices, counts, sums, table, momentum):
    """Move the codebook towards the vectors x that came to it."""
    counts *= momentum
    sums *= momentum
    np.add.at(counts, indices, 1 - momentum)
    np.add.at(sums, indices, (1 - momentum) * x)
    table[...] = sums / counts[:, np.newaxis]
