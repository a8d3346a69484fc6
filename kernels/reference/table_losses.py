"""The loss of a row of a table: D columns of numbers and G columns of categories.

The decoder's output for a row holds the means of the numbers, the logits of all K categories, and
the log-variances of the numbers: (mu (D), l (K), v (D)). The target holds the numbers and the
one-hot categories: (x (D), t (K)). group[k] is the column, 0 to G - 1, that category k belongs to.

A number has a normal density, and a category the probability that the softmax of its column gives:

    -log p(x_d)  =  1/2 (log 2 pi + v_d + r_d^2),           r_d = (x_d - mu_d) exp(-v_d / 2)
    -log p(t)    =  sum_k t_k (L_g(k) - l_k),               L_g = log sum_(k in g) exp(l_k)

The loss is `scale` times the mean over the D + G columns. The derivatives are

    dmu_d = -r_d exp(-v_d / 2),     dv_d = (1 - r_d^2) / 2,     dl_k = w_g(k) p_k - t_k

with p_k = exp(l_k - L_g(k)) and w_g = sum_(k in g) t_k, which is 1. At the best v, r_d^2 is 1 on
average: exp(v_d) is the mean squared error of column d.

A missing number is NaN, and a missing category a column of zeros. Both add nothing to the loss, and
their derivatives are 0: so r_d = 0, dv_d = 0 and w_g = 0.
"""
import math

import numpy as np

from ..operation import operation

LOG_2_PI = math.log(2 * math.pi)
LEAST = -1e30                   # the logarithm of an empty sum: as good as minus infinity


@operation("output=N,2D+K group=K:index<G -> mu=ND p=NK log_total=NG")
def table_output_forward(output, group, mu, p, log_total):
    """mu = the means, p = the probabilities of the categories, log_total = L."""
    D = mu.shape[1]
    logits = output[:, D:D + p.shape[1]]
    mu[...] = output[:, :D]
    add_up_exponentials(logits, group, log_total)
    p[...] = np.exp(logits - log_total[:, group])


@operation("output=N,2D+K target=N,D+K group=K:index<G -> r=ND log_total=NG w=NG loss=N",
           scale=(7.0,))
def table_loss_forward(output, target, group, r, log_total, w, loss, scale):
    """loss_n = scale * mean over the columns of -log p. r, log_total and w are for backward."""
    D = r.shape[1]
    G = w.shape[1]
    mu, logits, v = np.split(output, [D, D + len(group)], axis=1)
    x, t = np.split(target, [D], axis=1)
    known = ~np.isnan(x)
    r[...] = np.where(known, (x - mu) * np.exp(-v / 2), 0)
    of_numbers = np.where(known, (LOG_2_PI + v + r * r) / 2, 0).sum(axis=1)
    add_up_exponentials(logits, group, log_total)
    w[...] = 0
    np.add.at(w, (slice(None), group), t)
    of_categories = (t * (log_total[:, group] - logits)).sum(axis=1)
    loss[...] = (of_numbers + of_categories) * (scale / (D + G))


@operation("output=N,2D+K target=N,D+K group=K:index<G r=ND log_total=NG w=NG "
           "-> doutput=N,2D+K", scale=(7.0,))
def table_loss_backward(output, target, group, r, log_total, w, doutput, scale):
    """doutput = (dmu, dl, dv) * scale / ((D + G) N): the gradient of the batch's mean loss."""
    N, D = r.shape
    K = len(group)
    logits = output[:, D:D + K]
    v = output[:, D + K:]
    x, t = np.split(target, [D], axis=1)
    doutput[:, :D] = -r * np.exp(-v / 2)
    doutput[:, D:D + K] = w[:, group] * np.exp(logits - log_total[:, group]) - t
    doutput[:, D + K:] = np.where(np.isnan(x), 0, (1 - r * r) / 2)
    doutput *= scale / ((D + w.shape[1]) * N)


def add_up_exponentials(logits, group, log_total):
    """log_total_g = log of the sum of exp(l_k) over the categories k of column g."""
    log_total[...] = LEAST
    for k, g in enumerate(group):
        log_total[:, g] = np.logaddexp(log_total[:, g], logits[:, k])
