"""From any shape to one axis."""
import math

from .layer import Layer


class Flatten(Layer):
    """y = x with all axes but the batch's made one: another view of the same memory."""

    def setup(self, input_shape):
        return (math.prod(input_shape),)

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = x.reshape(len(x), *self.output_shape)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        return dout.reshape(len(dout), *self.input_shape)
