"""Importance weights (Burda et al. 2016, "Importance weighted autoencoders").

With T points z_t from q(z|x) for an example x, and w_t = p(x|z_t) p(z_t) / q(z_t|x),

    log p(x) >= E log 1/T sum_t w_t,

a bound that rises with T to log p(x). Its gradient is that of each log w_t, times the share that
this point has in the sum:

    w~_t = w_t / sum_s w_s,    d log(1/T sum_s w_s) = sum_t w~_t d log w_t.

Of many points, most have no share to speak of. Shares below 1e-20 become 0: that changes no sum,
and gradients near the end of float32's range would be computed ten times as slowly.
"""
import numpy as np

from ..operation import operation

NO_SHARE = 1e-20


@operation("log_w=NT -> share=NT bound=N")
def importance_weights(log_w, share, bound):
    """share = w~ and bound = log 1/T sum_t w_t, from logarithms of any size."""
    highest = log_w.max(axis=1, keepdims=True)
    w = np.exp(log_w - highest)
    share[...] = w / w.sum(axis=1, keepdims=True)
    share[share < NO_SHARE] = 0
    bound[...] = highest[:, 0] + np.log(w.mean(axis=1))


@operation("x=NK s=N -> y=NK")
def scale_rows(x, s, y):
    """y_n = s_n x_n, such as gradients by their points' shares. y may be x itself."""
    np.multiply(x, s[:, np.newaxis], out=y)
