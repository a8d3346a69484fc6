"""The fully connected layer."""
from kernels.contract import parse_activation

from .. import initializers
from ..errors import ScratchVAEError
from .layer import Layer, positive_integer


KEPT = 3                        # work spaces kept, one for each size of batch: of training, its last batch, and evaluation


class Dense(Layer):
    """y = f(x W + b).  x (N, K), kernel W (K, units), bias b (units,), y (N, units).

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
        if len(input_shape) != 1:
            raise ScratchVAEError(f"Dense: input shape {input_shape}; needed: one axis (put a Flatten before it)")
        self.add_parameter("kernel", (input_shape[0], self.units), self.kernel_initializer)
        self.add_parameter("bias", (self.units,), self.bias_initializer)
        self._scratch = {}      # batch size -> work space of the kernels
        return (self.units,)

    def forward(self, x, training=False):
        self.check_input(x)
        N = len(x)
        if N not in self._scratch:
            if len(self._scratch) == KEPT:
                del self._scratch[next(iter(self._scratch))]        # the oldest
            self._scratch[N] = self.kernels.dense_scratch(N, *self.input_shape, self.units, self.dtype)
        self._x, self._y = x, self.workspace.array("y", (N, self.units))
        self.kernels.dense_forward(x, self.params["kernel"], self.params["bias"], self._y, self.activation, self._scratch[N])
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        dz = self.workspace.array("dz", dout.shape)
        dx = self.workspace.array("dx", self._x.shape) if need_dx else None
        self.kernels.dense_backward(dout, self._x, self._y, self.params["kernel"], dz, dx, self.grads["kernel"],
                                    self.grads["bias"], self.activation, self._scratch[len(dout)])
        return dx

    def flops(self):
        product = 2 * self.input_shape[0] * self.units
        return product, product, product
