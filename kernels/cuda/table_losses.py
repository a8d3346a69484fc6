"""The loss of a row of a table on the device, a thread for each row: tables have many rows and few
columns. See reference/table_losses.py for the mathematics, and cpu/table_losses.py for L_g.
"""
import math

from numba import cuda

from ..reference import table_losses as reference
from .device import implements, launch_each

LOG_2_PI = reference.LOG_2_PI
LEAST = reference.LEAST


@implements(reference.table_output_forward)
def table_output_forward(output, group, mu, p, log_total):
    launch_each(_outputs, len(output), output, group, mu, p, log_total)


@cuda.jit
def _outputs(output, group, mu, p, log_total):
    n = cuda.grid(1)
    if n < output.shape[0]:
        D = mu.shape[1]
        for d in range(D):
            mu[n, d] = output[n, d]
        _add_up_exponentials(output, n, D, group, log_total)
        for k in range(group.size):
            p[n, k] = math.exp(output[n, D + k] - log_total[n, group[k]])


@implements(reference.table_loss_forward)
def table_loss_forward(output, target, group, r, log_total, w, loss, scale):
    factor = scale / (r.shape[1] + w.shape[1])
    launch_each(_losses, len(output), output, target, group, r, log_total, w, loss, factor)


@cuda.jit
def _losses(output, target, group, r, log_total, w, loss, factor):
    n = cuda.grid(1)
    if n < output.shape[0]:
        D = r.shape[1]
        K = group.size
        total = 0.0
        for d in range(D):
            r[n, d] = 0
            x = target[n, d]
            if x == x:                                          # not NaN
                v = output[n, D + K + d]
                residual = (x - output[n, d]) * math.exp(-v / 2)
                r[n, d] = residual
                total += (LOG_2_PI + v + residual * residual) / 2
        _add_up_exponentials(output, n, D, group, log_total)
        for g in range(w.shape[1]):
            w[n, g] = 0
        for k in range(K):
            t = target[n, D + k]
            w[n, group[k]] += t
            total += t * (log_total[n, group[k]] - output[n, D + k])
        loss[n] = total * factor


@implements(reference.table_loss_backward)
def table_loss_backward(output, target, group, r, log_total, w, doutput, scale):
    factor = scale / ((r.shape[1] + w.shape[1]) * len(output))
    launch_each(_gradients, len(output), output, target, group, r, log_total, w, doutput, factor)


@cuda.jit
def _gradients(output, target, group, r, log_total, w, doutput, factor):
    n = cuda.grid(1)
    if n < output.shape[0]:
        D = r.shape[1]
        K = group.size
        for d in range(D):
            residual = r[n, d]
            x = target[n, d]
            doutput[n, d] = -factor * residual * math.exp(-output[n, D + K + d] / 2)
            doutput[n, D + K + d] = factor * (1 - residual * residual) / 2 if x == x else 0.0
        for k in range(K):
            p = math.exp(output[n, D + k] - log_total[n, group[k]])
            doutput[n, D + k] = factor * (w[n, group[k]] * p - target[n, D + k])


@cuda.jit(device=True)
def _add_up_exponentials(output, n, D, group, log_total):
    for g in range(log_total.shape[1]):
        log_total[n, g] = LEAST
    for k in range(group.size):
        logit = output[n, D + k]
        total = log_total[n, group[k]]
        low = min(logit, total)
        high = max(logit, total)
        log_total[n, group[k]] = high + math.log1p(math.exp(low - high))
