"""The same vector at every step."""
from .. import checks
from .formulas import Formula
from .layer import Layer


class RepeatVector(Layer):
    """y[:, t] = x for each of n steps; so dx is the sum of dout over the steps.

    x (N, K), y (N, n, K).

    Parameters
    ----------
    n : int
        The number of steps.
    dtype : str
    """
    reads_dout_only = True

    def __init__(self, n, dtype="float32"):
        super().__init__(dtype)
        self.n = checks.integer(self.name, "n", n)

    @classmethod
    def examples(cls):
        yield cls(3), (5,)

    def setup(self, input_shape):
        self.check_axes(input_shape, "features")
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

    def formula(self):
        return Formula("y_t = x at every step t", "dx = sum over t of dout_t")
