"""From one shape to another."""
import math

import numpy as np

from .. import checks
from ..errors import ScratchVAEError
from .formulas import Formula
from .layer import Layer


class Reshape(Layer):
    """y = x with the shape (N, *target_shape): another view of the same memory.

    Parameters
    ----------
    target_shape : tuple of int
        The shape of an example.
    dtype : str
    """
    reads_dout_only = True
    affine = True
    rearranges = True

    def __init__(self, target_shape, dtype="float32"):
        super().__init__(dtype)
        sizes = np.atleast_1d(target_shape).tolist()
        self.target_shape = tuple(checks.integer(self.name, "target_shape", n) for n in sizes)

    @classmethod
    def examples(cls):
        yield cls((5, 6)), (3, 10)

    def setup(self, input_shape):
        if math.prod(input_shape) != math.prod(self.target_shape):
            raise ScratchVAEError(
                f"{self.name}: target_shape {self.target_shape} has "
                f"{math.prod(self.target_shape)} elements, but the input's shape {input_shape} "
                f"has {math.prod(input_shape)}")
        return self.target_shape

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = x.reshape(len(x), *self.target_shape)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        return dout.reshape(len(dout), *self.input_shape)

    def formula(self):
        return Formula("y = x, in another shape", "dx = dout, in the shape of x")
