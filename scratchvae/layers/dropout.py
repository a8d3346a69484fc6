"""Dropout."""
from .. import checks
from .formulas import Formula
from .layer import Layer


class Dropout(Layer):
    """In training y is x / (1 - rate) with probability 1 - rate, or else 0. In inference y = x.

    What is dropped is a function of (noise.seed, noise.step, stream). A model counts the steps; a
    layer on its own drops the same elements until `layer.noise.step` changes. Srivastava et al.
    2014.

    Parameters
    ----------
    rate : float
        From 0 and below 1.
    dtype : str
    """
    reads_dout_only = True
    affine = True

    def __init__(self, rate, dtype="float32"):
        super().__init__(dtype)
        self.rate = checks.number(self.name, "rate", rate, 0, 1)

    @classmethod
    def examples(cls):
        yield cls(0.3), (3, 5)

    def compute_mask(self, x):
        return self.mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._dropped = training and self.rate > 0
        if not self._dropped:
            self._y = x
            return x
        self._noise = self.workspace.array("noise", x.shape)
        self._y = self.workspace.array("y", x.shape)
        self.noise.uniform(self._noise, self.stream)
        self.kernels.dropout_forward(x, self._noise, self._y, self.rate)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        if not self._dropped:
            return dout
        dx = self.workspace.array("dx", dout.shape)
        self.kernels.dropout_backward(dout, self._noise, dx, self.rate)
        return dx

    def formula(self):
        return Formula("y = x keep / (1 - rate)", "dx = dout keep / (1 - rate), the same keep")
