"""Batch normalisation."""
from .. import checks
from .formulas import Formula
from .layer import Layer


class BatchNormalization(Layer):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, for each channel, the last axis.

    In training mean and variance are the batch's, over all other axes. Otherwise they are moving
    averages, which training keeps: moving = momentum * moving + (1 - momentum) * batch. These are
    state, not parameters: no gradient changes them. Ioffe & Szegedy 2015.

    Parameters
    ----------
    momentum : float
        From 0 and below 1.
    epsilon : float
        From 0 and below 1; added to the variance.
    dtype : str
    """
    affine = True

    def __init__(self, momentum=0.99, epsilon=1e-3, dtype="float32"):
        super().__init__(dtype)
        self.momentum = checks.number(self.name, "momentum", momentum, 0, 1)
        self.epsilon = checks.number(self.name, "epsilon", epsilon, 0, 1)

    @classmethod
    def examples(cls):
        yield cls(), (3, 2, 4)

    def setup(self, input_shape):
        channels = input_shape[-1:]
        self.add_parameter("gamma", channels, "ones")
        self.add_parameter("beta", channels, "zeros")
        self.add_state("moving_mean", channels, "zeros")
        self.add_state("moving_variance", channels, "ones")
        return input_shape

    def forward(self, x, training=False):
        self.check_input(x)
        self._x = x
        self._y = self.workspace.array("y", x.shape)
        self._training = training
        rows = self.kernels.rows(x)
        y = self.kernels.rows(self._y)
        scratch = self.scratch("batchnorm", len(rows), C=rows.shape[1])
        gamma, beta, moving_mean, moving_variance = self.weights.values()
        if training:
            self._mean = self.workspace.array("mean", gamma.shape)
            self._variance = self.workspace.array("variance", gamma.shape)
            self.kernels.batchnorm_forward(rows, gamma, beta, y, self._mean, self._variance,
                                           self.epsilon, scratch)
            self.kernels.batchnorm_update(self._mean, self._variance, moving_mean,
                                          moving_variance, self.momentum)
        else:
            self._mean = moving_mean
            self._variance = moving_variance
            self.kernels.batchnorm_inference(rows, gamma, beta, moving_mean, moving_variance, y,
                                             self.epsilon, scratch)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        rows = self.kernels.rows
        dx = self.workspace.array("dx", dout.shape)
        x = rows(self._x)
        scratch = self.scratch("batchnorm", len(x), C=x.shape[1])
        kernels = self.kernels
        differentiate = (kernels.batchnorm_backward if self._training
                         else kernels.batchnorm_inference_backward)
        differentiate(rows(dout), x, self.params["gamma"], self._mean, self._variance, rows(dx),
                      self.grads["gamma"], self.grads["beta"], self.epsilon, scratch)
        return dx if need_dx else None

    def formula(self):
        return Formula(
            "x^ = s (x - mean),  s = 1 / sqrt(variance + epsilon),  y = gamma x^ + beta",
            "dgamma = sum of dy x^,  dbeta = sum of dy,  "
            "dx = gamma s (dy - dbeta / N - x^ dgamma / N)")
