"""The last layer of a decoder whose columns have variances of their own."""
import numpy as np

from .. import checks
from .formulas import Formula
from .layer import Layer


class LearntVariance(Layer):
    """y = (x, v): appends the log-variances v of `units` columns, parameters like all others.

    x (N, K), y (N, K + units). v = lowest + log(1 + exp(a - lowest)) for the parameter a: of at
    least `lowest`, so that a column which is predicted exactly, such as a constant, does not make
    the density infinite. Rybkin et al. 2021, "Simple and effective VAE training with calibrated
    decoders".

    Parameters
    ----------
    units : int
        How many columns have a variance.
    lowest : float
        The default, -12, is their standard deviation exp(-6): a 400th of a standardised column's.
    dtype : str
    """

    def __init__(self, units, lowest=-12.0, dtype="float32"):
        super().__init__(dtype)
        self.units = checks.integer(self.name, "units", units)
        self.lowest = checks.number(self.name, "lowest", lowest, -80, 0)

    @classmethod
    def examples(cls):
        yield cls(2, -1.0), (5,)
        yield cls(3), (3,)

    def setup(self, input_shape):
        self.check_axes(input_shape, "features")
        self.add_parameter("log_variance", (self.units,), "zeros")
        return (input_shape[0] + self.units,)

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        self.kernels.learnt_variance_forward(x, self.params["log_variance"], self._y, self.lowest)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        dx = self.workspace.array("dx", (len(dout), *self.input_shape))
        self.kernels.learnt_variance_backward(dout, self.params["log_variance"], dx,
                                              self.grads["log_variance"], self.lowest)
        return dx

    @property
    def standard_deviations(self):
        """The learnt standard deviations (units,), as a NumPy array."""
        a = self.kernels.to_host(self.params["log_variance"]).astype(np.float64)
        return np.exp((self.lowest + np.logaddexp(0, a - self.lowest)) / 2)

    def formula(self):
        return Formula("y = (x, v),  v = lowest + log(1 + exp(a - lowest))",
                       "dx = the columns of x,  da = sum of dv / (1 + exp(lowest - a))")
