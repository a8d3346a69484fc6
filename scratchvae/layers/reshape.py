"""From one shape to another."""
import math

import numpy as np

from ..errors import ScratchVAEError
from .layer import Layer, positive_integer


class Reshape(Layer):
    """y = x with the shape (batch, *target_shape): another view of the same memory."""

    def __init__(self, target_shape, dtype="float32"):
        super().__init__(dtype)
        self.target_shape = tuple(positive_integer("Reshape", "target_shape", n) for n in np.atleast_1d(target_shape).tolist())

    def setup(self, input_shape):
        if math.prod(input_shape) != math.prod(self.target_shape):
            raise ScratchVAEError(f"Reshape: {input_shape} has {math.prod(input_shape)} elements, "
                                  f"target_shape {self.target_shape} has {math.prod(self.target_shape)}")
        return self.target_shape

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = x.reshape(len(x), *self.target_shape)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        return dout.reshape(len(dout), *self.input_shape)
