"""From any shape to one axis."""
import math

from .layer import Layer
from .reshape import Reshape


class Flatten(Reshape):
    """y = x with all axes except the batch axis joined: a Reshape that finds its target shape."""

    def __init__(self, dtype="float32"):
        Layer.__init__(self, dtype)

    @classmethod
    def examples(cls):
        yield cls(), (3, 5, 2)

    def setup(self, input_shape):
        self.target_shape = (math.prod(input_shape),)
        return self.target_shape
