"""An activation as a layer of its own."""
from kernels.contract import parse_activation

from .layer import Layer


class Activation(Layer):
    """y = f(x), element by element (softmax: over the last axis).  The names are those of Dense."""

    def __init__(self, activation, dtype="float32"):
        super().__init__(dtype)
        self.activation = activation
        parse_activation(activation)

    def compute_mask(self, x):
        return self.mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", x.shape)
        self.kernels.activation_forward(x, self._y, self.activation)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        dx = self.workspace.array("dx", dout.shape)
        self.kernels.activation_backward(dout, self._y, dx, self.activation)
        return dx
