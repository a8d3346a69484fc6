"""Layer normalisation."""
from .. import checks
from .formulas import Formula
from .layer import Layer


class LayerNormalization(Layer):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance over the last axis.

    Each example, and each step or pixel of it, is normalised on its own, in training and outside.
    gamma and beta (C,) for x (N, ..., C). Ba, Kiros & Hinton 2016.

    Parameters
    ----------
    epsilon : float
        From 0 and below 1; added to the variance.
    dtype : str
    """

    def __init__(self, epsilon=1e-3, dtype="float32"):
        super().__init__(dtype)
        self.epsilon = checks.number(self.name, "epsilon", epsilon, 0, 1)

    @classmethod
    def examples(cls):
        yield cls(), (7,)
        yield cls(0.1), (3, 2, 5)

    def setup(self, input_shape):
        channels = input_shape[-1:]
        self.add_parameter("gamma", channels, "ones")
        self.add_parameter("beta", channels, "zeros")
        return input_shape

    def compute_mask(self, x):
        return self.mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._x = x
        self._y = self.workspace.array("y", x.shape)
        rows = self.kernels.rows(x)
        N, C = rows.shape
        self._mean = self.workspace.array("mean", (N,))
        self._variance = self.workspace.array("variance", (N,))
        self.kernels.layernorm_forward(
            rows, self.params["gamma"], self.params["beta"], self.kernels.rows(self._y), self._mean,
            self._variance, self.epsilon, self.scratch("layernorm", N, C=C))
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        rows = self.kernels.rows
        dx = self.workspace.array("dx", dout.shape)
        x = rows(self._x)
        N, C = x.shape
        self.kernels.layernorm_backward(
            rows(dout), x, self.params["gamma"], self._mean, self._variance, rows(dx),
            self.grads["gamma"], self.grads["beta"], self.epsilon,
            self.scratch("layernorm", N, C=C))
        return dx if need_dx else None

    def formula(self):
        return Formula(
            "x^ = s (x - mean),  s = 1 / sqrt(variance + epsilon),  y = gamma x^ + beta",
            "dgamma = sum of dy x^,  dbeta = sum of dy,  dx^ = gamma dy,  "
            "dx = s (dx^ - mean of dx^ - x^ mean of (dx^ x^))")
