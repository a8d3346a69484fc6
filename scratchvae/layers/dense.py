"""The fully connected layer."""
import math

from .. import checks
from ..kernels.activation_names import EXAMPLES, parse_activation
from . import initializers
from .formulas import activated
from .layer import Layer


class Dense(Layer):
    """y = f(x W + b).

    x (N, ..., K), kernel W (K, units), bias b (units,), y (N, ..., units). Any middle axes (for
    example time steps) are treated as batch axes.

    Parameters
    ----------
    units : int
    activation : str or None
        None or "linear", "relu", "leaky_relu", "leaky_relu(SLOPE)", "sigmoid", "tanh", "softmax".
    kernel_initializer, bias_initializer : str
        Names of scratchvae.layers.initializers.
    dtype : str
        "float32" or "float64".
    """

    def __init__(self, units, activation=None, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", dtype="float32"):
        super().__init__(dtype)
        self.units = checks.integer(self.name, "units", units)
        self.activation = activation or "linear"
        parse_activation(self.activation)
        self.kernel_initializer = initializers.checked(kernel_initializer)
        self.bias_initializer = initializers.checked(bias_initializer)

    @classmethod
    def examples(cls):
        for activation in EXAMPLES:
            yield cls(17, activation), (7,)
        yield cls(4, "relu"), (3, 2, 5)

    @property
    def affine(self):
        return self.activation == "linear"

    def setup(self, input_shape):
        *middle, inputs = input_shape
        self.add_parameter("kernel", (inputs, self.units), self.kernel_initializer)
        self.add_parameter("bias", (self.units,), self.bias_initializer)
        return (*middle, self.units)

    def compute_mask(self, x):
        return self.mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._x = x
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        rows = self.kernels.rows(x)
        N, K = rows.shape
        scratch = self.scratch("dense", N, K=K, M=self.units)
        self.kernels.dense_forward(rows, self.params["kernel"], self.params["bias"],
                                   self.kernels.rows(self._y), self.activation, scratch)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        rows = self.kernels.rows
        dz = self.workspace.array("dz", dout.shape)
        dx = self.workspace.array("dx", self._x.shape) if need_dx else None
        x = rows(self._x)
        N, K = x.shape
        self.kernels.dense_backward(
            rows(dout), x, rows(self._y), self.params["kernel"], rows(dz),
            rows(dx) if need_dx else None, self.grads["kernel"], self.grads["bias"],
            self.activation, self.scratch("dense", N, K=K, M=self.units))
        return dx

    def formula(self):
        return activated("x W + b", self.activation,
                         "dW = x^T dz,  db = sum of dz,  dx = dz W^T")

    def flops(self):
        product = 2 * math.prod(self.input_shape) * self.units
        return product, product, product
