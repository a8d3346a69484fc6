"""From any shape to one axis."""
import math

from .layer import Layer
from .reshape import Reshape


class Flatten(Reshape):
    """y = x with all axes but the batch's made one: a Reshape that finds its target shape itself."""

    def __init__(self, dtype="float32"):
        Layer.__init__(self, dtype)

    def setup(self, input_shape):
        self.target_shape = (math.prod(input_shape),)
        return self.target_shape
