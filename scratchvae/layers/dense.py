"""The fully connected layer."""
import math

from kernels.contract import parse_activation

from . import initializers
from .layer import Layer, positive_integer


class Dense(Layer):
    """y = f(x W + b).  x (N, ..., K), kernel W (K, units), bias b (units,), y (N, ..., units): axes between, as of steps, count like N.

    activation: linear (also None), relu, leaky_relu, leaky_relu(SLOPE), sigmoid, tanh or softmax.
    """

    def __init__(self, units, activation=None, kernel_initializer="glorot_uniform", bias_initializer="zeros", dtype="float32"):
        super().__init__(dtype)
        self.units = positive_integer("Dense", "units", units)
        self.activation = activation or "linear"
        parse_activation(self.activation)
        initializers.get(kernel_initializer), initializers.get(bias_initializer)        # known names, or an error now
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer

    def setup(self, input_shape):
        *between, inputs = input_shape
        self.add_parameter("kernel", (inputs, self.units), self.kernel_initializer)
        self.add_parameter("bias", (self.units,), self.bias_initializer)
        return (*between, self.units)

    def compute_mask(self, x):
        return self.mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._x, self._y = x, self.workspace.array("y", (len(x), *self.output_shape))
        rows = self.kernels.rows
        examples = rows(x)
        self._scratch = self.scratch(len(examples), lambda: self.kernels.dense_scratch(*examples.shape, self.units, self.dtype))
        self.kernels.dense_forward(examples, self.params["kernel"], self.params["bias"], rows(self._y), self.activation, self._scratch)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        dz = self.workspace.array("dz", dout.shape)
        dx = self.workspace.array("dx", self._x.shape) if need_dx else None
        rows = self.kernels.rows
        self.kernels.dense_backward(rows(dout), rows(self._x), rows(self._y), self.params["kernel"], rows(dz), dx if dx is None else rows(dx),
                                    self.grads["kernel"], self.grads["bias"], self.activation, self._scratch)
        return dx

    def flops(self):
        product = 2 * math.prod(self.input_shape) * self.units
        return product, product, product
