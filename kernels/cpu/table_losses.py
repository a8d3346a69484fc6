"""The loss of a row of a table in Numba: a thread takes a row. See reference/table_losses.py for
the mathematics.

L_g is found in one pass over the categories, which may lie in any order: two numbers a and b of
logarithms are added as max(a, b) + log(1 + exp(-|a - b|)).
"""
import math

from numba import prange

from ..operation import implements
from ..reference import table_losses as reference
from .jit import inner, parallel

LOG_2_PI = reference.LOG_2_PI
LEAST = reference.LEAST


@implements(reference.table_output_forward)
def table_output_forward(output, group, mu, p, log_total):
    _outputs(output, group, mu, p, log_total)


@parallel
def _outputs(output, group, mu, p, log_total):
    N, D = mu.shape
    for n in prange(N):
        mu[n] = output[n, :D]
        add_up_exponentials(output[n], D, group, log_total[n])
        for k in range(group.size):
            p[n, k] = math.exp(output[n, D + k] - log_total[n, group[k]])


@implements(reference.table_loss_forward)
def table_loss_forward(output, target, group, r, log_total, w, loss, scale):
    _losses(output, target, group, r, log_total, w, loss, scale / (r.shape[1] + w.shape[1]))


@parallel
def _losses(output, target, group, r, log_total, w, loss, factor):
    N, D = r.shape
    K = group.size
    for n in prange(N):
        total = 0.0
        for d in range(D):
            r[n, d] = 0
            x = target[n, d]
            if x == x:                                          # not NaN
                v = output[n, D + K + d]
                residual = (x - output[n, d]) * math.exp(-v / 2)
                r[n, d] = residual
                total += (LOG_2_PI + v + residual * residual) / 2
        add_up_exponentials(output[n], D, group, log_total[n])
        w[n] = 0
        for k in range(K):
            t = target[n, D + k]
            w[n, group[k]] += t
            total += t * (log_total[n, group[k]] - output[n, D + k])
        loss[n] = total * factor


@implements(reference.table_loss_backward)
def table_loss_backward(output, target, group, r, log_total, w, doutput, scale):
    _gradients(output, target, group, r, log_total, w, doutput,
               scale / ((r.shape[1] + w.shape[1]) * len(r)))


@parallel
def _gradients(output, target, group, r, log_total, w, doutput, factor):
    N, D = r.shape
    K = group.size
    for n in prange(N):
        for d in range(D):
            residual = r[n, d]
            x = target[n, d]
            doutput[n, d] = -factor * residual * math.exp(-output[n, D + K + d] / 2)
            doutput[n, D + K + d] = factor * (1 - residual * residual) / 2 if x == x else 0
        for k in range(K):
            p = math.exp(output[n, D + k] - log_total[n, group[k]])
            doutput[n, D + k] = factor * (w[n, group[k]] * p - target[n, D + k])


@inner
def add_up_exponentials(output, D, group, log_total):
    """log_total_g = log of the sum of exp(l_k) over the categories k of column g."""
    log_total[:] = LEAST
    for k in range(group.size):
        logit = output[D + k]
        total = log_total[group[k]]
        low = min(logit, total)
        high = max(logit, total)
        log_total[group[k]] = high + math.log1p(math.exp(low - high))
