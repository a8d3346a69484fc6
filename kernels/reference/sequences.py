"""What happens to sequences between the layers that have parameters.

    repeat          y_t = x for each of T steps                 dx = sum over t of dy_t
    concatenate     y = (a, b), side by side in the last axis   da, db = the two parts of dy
    last            y = x_t of one step t                       dx_t = dy, else 0
    mask_steps      y_t = x_t where the mask is 1, else 0       its own backward pass
"""
import numpy as np

from ..contract import check_concatenation, operation


@operation
def repeat_forward(x, y):
    """y[:, t] = x.  x (N, K), y (N, T, K)."""
    y[...] = x[:, np.newaxis]


@operation
def repeat_backward(dout, dx):
    """dx = sum over the steps of dout.  dout (N, T, K), dx (N, K)."""
    np.sum(dout, axis=1, out=dx)


@operation
def concatenate_forward(a, b, y):
    """y = (a, b).  a (N, K), b (N, L), y (N, M) with M = K + L."""
    check_concatenation(a, b, y)
    y[:, :a.shape[1]], y[:, a.shape[1]:] = a, b


@operation
def concatenate_backward(dout, da, db):
    """da and db are the parts of dout.  Shapes as above."""
    check_concatenation(da, db, dout)
    da[...], db[...] = dout[:, :da.shape[1]], dout[:, da.shape[1]:]


@operation
def last_forward(x, y, t):
    """y = x[:, t].  x (N, T, K), y (N, K)."""
    y[...] = x[:, t]


@operation
def last_backward(dout, dx, t):
    """dx[:, t] = dout, else 0.  dout (N, K), dx (N, T, K)."""
    dx[...] = 0
    dx[:, t] = dout


@operation
def mask_steps(x, mask, y):
    """y = x where the mask is 1, else 0.  x, y (N, T, K), mask (N, T) of 0 and 1; y may be x itself."""
    y[...] = np.where(mask[..., np.newaxis], x, 0)


@operation
def padding_mask(indices, mask):
    """mask = 0 where the word is 0, which is padding, else 1.  indices, mask (N, T) int32."""
    np.not_equal(indices, 0, out=mask, casting="unsafe")


@operation
def words_before(indices, noise, before, first, unknown, rate):
    """What a decoder is told at each step: `first`, then the words but for the last, some of them hidden behind `unknown`.

    Word dropout (Bowman et al. 2016): a word is hidden where its noise ~ U[0, 1) is below rate.  indices, noise, before (N, T).
    """
    before[:, 0] = first
    before[:, 1:] = np.where(noise[:, 1:] < rate, unknown, indices[:, :-1])
