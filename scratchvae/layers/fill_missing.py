"""The first layer of an encoder that reads tables with missing numbers."""
from .formulas import Formula
from .layer import Layer


class FillMissing(Layer):
    """y = x, and 0 where x is NaN: a missing number becomes the mean of its standardised column.

    Parameters
    ----------
    dtype : str
    """

    @classmethod
    def examples(cls):
        yield cls(), (5,)

    def forward(self, x, training=False):
        self.check_input(x)
        self._x = x
        self._y = self.workspace.array("y", x.shape)
        self.kernels.fill_missing_forward(x, self._y)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        dx = self.workspace.array("dx", dout.shape)
        self.kernels.fill_missing_backward(dout, self._x, dx)
        return dx

    def formula(self):
        return Formula("y = x where x is known, else 0", "dx = dout where x is known, else 0")
