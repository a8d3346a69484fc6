"""The checks that catch mistakes.

They are finite differences, numbers that another framework computed, and properties that must hold.
"""
import numpy as np

from ... import kernels
from ...gradcheck.check import TOLERANCE, check_layer, check_model
from ...layers import GRU, Conv2D, Dense
from ...models import VAE
from .plant import BACKEND, Verdict

CLOSE = 1e-7                    # golden numbers have eight digits

# From Keras 3.15.1 in float64: a GRU of one unit on three steps of one number, a convolution with
# one window, and a first step of Adam.
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
    """Return a check of a layer's gradients by finite differences.

    Parameters
    ----------
    make : function
        make() returns the layer, not built.
    input_shape : tuple of int

    Returns
    -------
    function
        check() -> Verdict.
    """
    def check():
        made = make()
        made.backend = BACKEND
        return worst(check_layer(made, input_shape))
    return check


def vae():
    """Return the Verdict on the gradients of a small VAE's whole loss, by finite differences."""
    encoder = [Dense(6, "tanh")]
    decoder = [Dense(5, "tanh"), Dense(12, "sigmoid")]
    model = VAE(encoder, 3, decoder, reconstruction_scale=12.0, kl_weight=0.7, backend=BACKEND)
    model.build((12,))
    return worst(check_model(model))


def worst(report):
    """Return the Verdict of a gradcheck.Report, with its largest error."""
    row = max(report.rows, key=lambda row: row.error)
    return Verdict(report.passed, f"gradient of {row.parameter}: relative error {row.error:.1e}, "
                                  f"allowed {TOLERANCE:g}")


def golden(what, actual, expected):
    """Return the Verdict on numbers that Keras computed, too.

    Parameters
    ----------
    what : str
        What the numbers are.
    actual, expected : arrays of the same shape
    """
    difference = float(np.abs(np.asarray(actual) - expected).max())
    return Verdict(difference < CLOSE, f"{what}: largest difference from Keras {difference:.1e}, "
                                       f"allowed {CLOSE:g}")


def built(made, input_shape, weights):
    """Return a layer, built with these weights on the backend of the mistakes."""
    made.backend = BACKEND
    made.build(input_shape)
    made.set_weights(weights)
    return made


def golden_gru():
    """Return the Verdict on three states of a GRU."""
    weights = [np.array(weight) for weight in GRU_WEIGHTS]
    gru = built(GRU(1, return_sequences=True, dtype="float64"), (3, 1), weights)
    states = gru.forward(np.array(GRU_INPUT).reshape(1, 3, 1))
    return golden("states of a GRU", states.ravel(), GRU_STATES)


def golden_convolution():
    """Return the Verdict on the convolution of an image of 3 x 3 pixels."""
    weights = [np.array(WINDOW, float).reshape(2, 2, 1, 1), np.array([BIAS])]
    convolution = built(Conv2D(1, 2, dtype="float64"), (3, 3, 1), weights)
    y = convolution.forward(np.array(IMAGE, float).reshape(1, 3, 3, 1))
    return golden("a convolution", y.reshape(2, 2), CONVOLVED)


def first_step_of_adam():
    """Return the Verdict on the parameters after one update."""
    parameters = np.array(START)
    gradients = np.array(GRADIENT)
    means = np.zeros(3)
    squares = np.zeros(3)
    learning_rate = 0.01
    beta_1 = 0.9
    beta_2 = 0.999
    epsilon = 1e-7
    step = 1
    kernels.load(BACKEND).adam_update(parameters, gradients, means, squares, learning_rate, beta_1,
                                      beta_2, epsilon, step)
    verdict = golden("parameters after one step", parameters, AFTER_ADAM)
    size = abs(parameters[1] - START[1]) / learning_rate
    return Verdict(verdict.passed, f"{verdict.says}; the step is {size:.3g} times the learning "
                                   "rate, and a first step must be 1 times")


def spread_of_samples():
    """Return the Verdict on the standard deviation of many samples z: it must be sigma."""
    z_log_var = np.tile([-2.0, 0.0, 2.0], (100_000, 1))
    z_mean = np.zeros_like(z_log_var)
    eps = np.empty_like(z_log_var)
    z = np.empty_like(z_log_var)
    backend = kernels.load(BACKEND)
    backend.normal(eps, 0, 0, 0)
    backend.reparameterize_forward(z_mean, z_log_var, eps, z)
    measured = z.std(axis=0)
    sigma = np.exp(z_log_var[0] / 2)
    error = float(np.abs(measured / sigma - 1).max())
    return Verdict(error < 0.02, f"standard deviation of 100,000 samples {in_digits(measured)}; "
                                 f"sigma is {in_digits(sigma)}")


def in_digits(numbers):
    """Return numbers as text with two digits after the point."""
    return ", ".join(f"{number:.2f}" for number in numbers)
