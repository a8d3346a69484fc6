"""Batch normalisation."""
import numpy as np

from ..errors import ScratchVAEError
from .layer import Layer


class BatchNormalization(Layer):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, for each channel, the last axis   (Ioffe & Szegedy 2015).

    In training mean and variance are the batch's, over all other axes; otherwise moving averages of them, which training keeps:
    moving = momentum * moving + (1 - momentum) * batch.  They are state, not parameters: no gradient changes them.
    """

    def __init__(self, momentum=0.99, epsilon=1e-3, dtype="float32"):
        super().__init__(dtype)
        self.momentum = _number("momentum", momentum)
        self.epsilon = _number("epsilon", epsilon)

    def setup(self, input_shape):
        channels = input_shape[-1:]
        self.add_parameter("gamma", channels, "ones")
        self.add_parameter("beta", channels, "zeros")
        self.add_state("moving_mean", channels, "zeros")
        self.add_state("moving_variance", channels, "ones")
        self._scratch = self.kernels.batchnorm_scratch(*channels, self.dtype)
        return input_shape

    def forward(self, x, training=False):
        self.check_input(x)
        self._x, self._y, self._training = x, self.workspace.array("y", x.shape), training
        gamma, beta, moving_mean, moving_variance = self.weights.values()
        rows = self.kernels.rows
        examples, y = rows(x), rows(self._y)
        if training:
            self._mean, self._variance = (self.workspace.array(name, gamma.shape) for name in ("mean", "variance"))
            self.kernels.batchnorm_forward(examples, gamma, beta, moving_mean, moving_variance, y, self._mean, self._variance,
                                           self.momentum, self.epsilon, self._scratch)
        else:
            self._mean, self._variance = moving_mean, moving_variance
            self.kernels.batchnorm_inference(examples, gamma, beta, moving_mean, moving_variance, y, self.epsilon, self._scratch)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        gamma, dx = self.params["gamma"], self.workspace.array("dx", dout.shape)
        rows = self.kernels.rows
        self.kernels.batchnorm_backward(rows(dout), rows(self._x), gamma, self._mean, self._variance, rows(dx), self.grads["gamma"],
                                        self.grads["beta"], self.epsilon, self._training, self._scratch)
        return dx if need_dx else None


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < 1:
        raise ScratchVAEError(f"BatchNormalization: {name} is {value!r}; allowed: 0 <= {name} < 1")
    return float(value)
