"""The same vector at every step."""
from ..errors import ScratchVAEError
from .layer import Layer, positive_integer


class RepeatVector(Layer):
    """y[:, t] = x for each of n steps.  x (N, K), y (N, n, K); so dx is the sum of dout over the steps."""

    def __init__(self, n, dtype="float32"):
        super().__init__(dtype)
        self.n = positive_integer("RepeatVector", "n", n)

    def setup(self, input_shape):
        if len(input_shape) != 1:
            raise ScratchVAEError(f"RepeatVector: input shape {input_shape}; needed: one axis")
        return (self.n, *input_shape)

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        self.kernels.repeat_forward(x, self._y)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        dx = self.workspace.array("dx", (len(dout), *self.input_shape))
        self.kernels.repeat_backward(dout, dx)
        return dx
