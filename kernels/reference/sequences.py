"""Operations on sequences between the layers that have parameters.

    repeat        y_t = x for each of T steps                  dx = sum over t of dout_t
    concatenate   y = (a, b), joined along the last axis       da, db = the two parts of dout
    last          y = x_t of one step t                        dx_t = dout, 0 at all other steps
    gather        y_m = x[i_m], some of the rows               dx[i_m] = dout_m, else 0: scatter
    scatter       y[i_m] = x_m, rows put back, 0 elsewhere     dx_m = dout[i_m]: gather
    sum_steps     y = sum over t of x_t
    mask_steps    y_t = x_t where the mask is 1, else 0        its own backward pass
"""
import numpy as np

from ..operation import operation


@operation("x=NK -> y=NTK")
def repeat_forward(x, y):
    """y[:, t] = x."""
    y[...] = x[:, np.newaxis]


@operation("dout=NTK -> dx=NK")
def repeat_backward(dout, dx):
    """dx = sum over the steps of dout."""
    np.sum(dout, axis=1, out=dx)


@operation("a=NK b=NL -> y=N,K+L")
def concatenate_forward(a, b, y):
    """y = (a, b)."""
    y[:, :a.shape[1]] = a
    y[:, a.shape[1]:] = b


@operation("dout=N,K+L -> da=NK db=NL")
def concatenate_backward(dout, da, db):
    """da and db are the parts of dout."""
    da[...] = dout[:, :da.shape[1]]
    db[...] = dout[:, da.shape[1]:]


@operation("x=NTK -> y=NK", t=(0, 1))
def last_forward(x, y, t):
    """y = x[:, t]."""
    y[...] = x[:, t]


@operation("dout=NK -> dx=NTK", t=(0, 1))
def last_backward(dout, dx, t):
    """dx[:, t] = dout, else 0."""
    dx[...] = 0
    dx[:, t] = dout


@operation("x=NE indices=N:place<K -> y=KE")
def scatter(x, indices, y):
    """y[indices] = x, 0 in all other rows. No index may occur twice."""
    y[...] = 0
    y[indices] = x


@operation("x=NTK -> y=NK")
def sum_steps(x, y):
    """y = sum over the steps of x."""
    np.sum(x, axis=1, out=y)


@operation("x=NTK mask=NT:bit -> y=NTK")
def mask_steps(x, mask, y):
    """y = x where the mask is 1, else 0. y may be x itself."""
    y[...] = np.where(mask[..., np.newaxis], x, 0)


@operation("indices=NT:index -> mask=NT:bit")
def padding_mask(indices, mask):
    """mask = 0 where the word is 0, which is padding, else 1."""
    np.not_equal(indices, 0, out=mask, casting="unsafe")


@operation("indices=NT:index noise=NT:unit -> before=NT:index", first=(2,), unknown=(1,),
           rate=(0.5, 0.0))
def words_before(indices, noise, before, first, unknown, rate):
    """Shift the words by one step, as the inputs of a decoder, and hide some of them.

    Step 0 sees `first`, step t the word of step t - 1. Word dropout (Bowman et al. 2016): a word
    whose noise ~ U[0, 1) is below rate is replaced by `unknown`.
    """
    before[:, 0] = first
    before[:, 1:] = np.where(noise[:, 1:] < rate, unknown, indices[:, :-1])
