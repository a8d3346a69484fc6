"""Formulas of layers, as one line of text forward and one backward; kernels/reference derives them.
"""
from typing import NamedTuple

from ..kernels.activation_names import parse_activation


class Formula(NamedTuple):
    """What a part of a training step computes, and its gradients."""
    forward: str
    backward: str


ACTIVATIONS = {                 # f, and f' in terms of the output y
    "relu": Formula("f(z) = max(z, 0)", "f' = 1 where y > 0, else 0"),
    "leaky_relu": Formula("f(z) = z where z > 0, else a z", "f' = 1 where y > 0, else a"),
    "sigmoid": Formula("f(z) = 1 / (1 + exp(-z))", "f' = y (1 - y)"),
    "tanh": Formula("f(z) = tanh(z)", "f' = 1 - y^2"),
    "softmax": Formula("f(z)_i = exp(z_i) / sum_j exp(z_j)",
                       "dz_j = y_j (dout_j - sum_i dout_i y_i)"),
}


def activated(z, activation, backward):
    """Return the Formula of y = f(z).

    Parameters
    ----------
    z : str
        The formula of z.
    activation : str
    backward : str
        The gradients in terms of dz.
    """
    name, _ = parse_activation(activation)
    if name == "linear":
        return Formula(f"y = {z}", f"dz = dout,  {backward}")
    f = ACTIVATIONS[name]
    return Formula(f"y = f({z}),  {f.forward}",
                   f"dz = dout * f'(z),  {backward},  {f.backward}")
