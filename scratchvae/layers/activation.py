"""An activation as a layer of its own."""
from ..kernels.activation_names import EXAMPLES, parse_activation
from .formulas import ACTIVATIONS, Formula
from .layer import Layer


class Activation(Layer):
    """y = f(x), element by element; softmax acts on the last axis.

    Parameters
    ----------
    activation : str
        See Dense.
    """

    def __init__(self, activation, dtype="float32"):
        super().__init__(dtype)
        parse_activation(activation)
        self.activation = activation

    @classmethod
    def examples(cls):
        for activation in EXAMPLES:
            yield cls(activation), (3, 5)

    def compute_mask(self, x):
        return self.mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", x.shape)
        self.kernels.activation_forward(x, self._y, self.activation)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if not need_dx:
            return None
        dx = self.workspace.array("dx", dout.shape)
        self.kernels.activation_backward(dout, self._y, dx, self.activation)
        return dx

    def formula(self):
        name, _ = parse_activation(self.activation)
        if name == "linear":
            return Formula("y = x", "dx = dout")
        f = ACTIVATIONS[name]
        return Formula(f"y = f(x),  {f.forward}", f"dx = dout * f'(x),  {f.backward}")
