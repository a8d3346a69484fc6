"""Dropout."""
from ..errors import ScratchVAEError
from .layer import Layer


class Dropout(Layer):
    """In training, y = x / (1 - rate) with probability 1 - rate, else 0; otherwise y = x   (Srivastava et al. 2014).

    What is dropped is a function of (noise.seed, noise.step, stream): a model counts the steps; a layer on its own drops the
    same elements until `layer.noise.step` is changed.
    """

    def __init__(self, rate, dtype="float32"):
        super().__init__(dtype)
        if not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ScratchVAEError(f"Dropout: rate is {rate!r}; allowed: 0 <= rate < 1")
        self.rate = float(rate)

    def compute_mask(self, x):
        return self.mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._dropped = training and self.rate > 0
        if not self._dropped:
            self._y = x
            return x
        self._noise, self._y = self.workspace.array("noise", x.shape), self.workspace.array("y", x.shape)
        self.noise.uniform(self._noise, self.stream)
        self.kernels.dropout_forward(x, self._noise, self._y, self.rate)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not self._dropped or not need_dx:
            return dout if need_dx else None
        dx = self.workspace.array("dx", dout.shape)
        self.kernels.dropout_backward(dout, self._noise, dx, self.rate)
        return dx
