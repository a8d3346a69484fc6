"""The checks that catch mistakes:

finite differences, numbers that another framework computed, and properties that must hold.
"""

import numpy as np

import kernels

from ...gradcheck.check import TOLERANCE, check_layer, check_model
from ...layers import GRU, Conv2D, Dense
from ...models import VAE
from .plant import BACKEND, Verdict

CLOSE = 1e-7  # golden numbers have eight digits

# Keras 3.15.1 in float64: a GRU of one unit on three steps of one number, a convolution of one
# window, a first step of Adam.
GRU_WEIGHTS = ([[0.5, -1.0, 1.5]], [[1.0, 0.5, -0.5]], [[0.25, 0.0, 0.5], [-0.5, 1.0, 0.25]])
GRU_INPUT = [1.0, -0.5, 2.0]
GRU_STATES = [0.42550873, 0.09331304, 0.36558889]
IMAGE = [[0, 1, 2], [3, 5, 8], [13, 21, 34]]
WINDOW = [[1, -2], [3, 0.5]]
BIAS = 0.25
CONVOLVED = [[9.75, 16.25], [42.75, 69.25]]
START = [1.0, -2.0, 0.5]
GRADIENT = [0.3, -4.0, 0.001]
AFTER_ADAM = [0.99000011, -1.99000001, 0.49003152]


def layer(make, input_shape):
    """A check of make()'s gradients by finite differences."""

    def check():
        made = make()
        made.backend = BACKEND
        return worst(check_layer(made, input_shape))

    return check


def vae():
    """The gradients of a small VAE's whole loss by finite differences."""
    model = VAE(
        [Dense(6, "tanh")],
        3,
        [Dense(5, "tanh"), Dense(12, "sigmoid")],
        reconstruction_scale=12.0,
        kl_weight=0.7,
        backend=BACKEND,
    )
    model.build((12,))
    return worst(check_model(model))


def worst(report):
    """The Verdict of a gradcheck.Report: its largest error."""
    row = max(report.rows, key=lambda row: row.error)
    return Verdict(
        report.passed,
        f"gradient of {row.parameter}: relative error {row.error:.1e}, allowed {TOLERANCE:g}",
    )


def golden(what, actual, expected):
    """The Verdict on numbers that Keras computed."""
    difference = float(np.abs(np.asarray(actual) - expected).max())
    return Verdict(
        difference < CLOSE, f"{what}: off from Keras's by {difference:.1e}, allowed {CLOSE:g}"
    )


def built(made, input_shape, weights):
    """A float64 layer with these weights on the backend of the mistakes."""
    made.backend = BACKEND
    made.build(input_shape)
    made.set_weights(weights)
    return made


def golden_gru():
    """Three states of a GRU."""
    gru = built(
        GRU(1, return_sequences=True, dtype="float64"),
        (3, 1),
        [np.array(weight) for weight in GRU_WEIGHTS],
    )
    return golden(
        "states of a GRU", gru.forward(np.array(GRU_INPUT).reshape(1, 3, 1)).ravel(), GRU_STATES
    )


def golden_convolution():
    """A window on an image of 3 x 3."""
    convolution = built(
        Conv2D(1, 2, dtype="float64"),
        (3, 3, 1),
        [np.array(WINDOW, float).reshape(2, 2, 1, 1), np.array([BIAS])],
    )
    return golden(
        "a convolution",
        convolution.forward(np.array(IMAGE, float).reshape(1, 3, 3, 1)).reshape(2, 2),
        CONVOLVED,
    )


def first_step_of_adam():
    """The parameters after one update."""
    w = np.array(START)
    g = np.array(GRADIENT)
    rate = 0.01
    beta_1 = 0.9
    beta_2 = 0.999
    epsilon = 1e-7
    kernels.load(BACKEND).adam_update(
        w, g, np.zeros(3), np.zeros(3), rate, beta_1, beta_2, epsilon, 1
    )
    verdict = golden("parameters after a step", w, AFTER_ADAM)
    return Verdict(
        verdict.passed,
        f"{verdict.says}; the step is {abs(w[1] - START[1]) / rate:.3g} x the learning rate, a "
        "first one is 1 x",
    )


def spread_of_samples():
    """The standard deviation of many samples z of q(z|x), beside the sigma that the log variance
    means.
    """
    lv = np.tile([-2.0, 0.0, 2.0], (100_000, 1))
    eps = np.empty_like(lv)
    z = np.empty_like(lv)
    backend = kernels.load(BACKEND)
    backend.normal(eps, 0, 0, 0)
    backend.reparameterize_forward(np.zeros_like(lv), lv, eps, z)
    spread = z.std(axis=0)
    sigma = np.exp(lv[0] / 2)
    error = float(np.abs(spread / sigma - 1).max())
    measured, meant = (", ".join(f"{s:.2f}" for s in numbers) for numbers in (spread, sigma))
    return Verdict(error < 0.02, f"spread of 100,000 samples {measured}; sigma is {meant}")
