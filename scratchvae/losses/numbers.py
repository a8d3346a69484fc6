"""Losses of numbers: probabilities, and normal numbers of one given variance."""
import math

import numpy as np

from ..errors import ScratchVAEError
from ..layers.formulas import Formula
from .loss import ReconstructionLoss


class BinaryCrossentropy(ReconstructionLoss):
    """-log p(x|z) for independent Bernoulli elements with probabilities sigmoid(logits)."""
    name = "binary_crossentropy"
    formula = Formula("p = sigmoid(l),  loss = scale * mean of (-t log p - (1 - t) log(1 - p))",
                      "dl = (p - t) scale / (D N)")

    def __init__(self, scale, activation):
        if activation != "sigmoid":
            raise ScratchVAEError(f"{self.name}: the decoder must end in the activation sigmoid, "
                                  f"got {activation}")
        super().__init__(scale, activation)

    def check_target(self, x, output_shape):
        """Refuse numbers that are not probabilities."""
        low = x.min()
        high = x.max()
        if not (low >= 0 and high <= 1):
            x = np.asarray(x)
            outside = np.argwhere((x < 0) | (x > 1))
            raise ScratchVAEError(
                f"{self.name}: x must lie in [0, 1], got numbers in [{low:g}, {high:g}] (divide "
                "8-bit images by 255, or pass scratchvae.data.Images(x)); "
                f"{len(outside):,} of {x.size:,} lie outside, the first is "
                f"x[{', '.join(map(str, outside[0]))}]")

    def _forward(self, logits, target, output, loss):
        self.kernels.binary_crossentropy_forward(logits, target, output, loss, self.scale)

    def _backward(self, output, target, dlogits, scale):
        self.kernels.binary_crossentropy_backward(output, target, dlogits, scale)


class SquaredError(ReconstructionLoss):
    """Squared differences of output and x: -log p(x|z) for normal elements, up to constants.

    With variance 1 it is half the sum of the squares. With any scale it belongs to a variance: that
    of D elements is D / (2 scale).
    """
    name = "squared_error"
    elements = 0.5

    @property
    def formula(self):
        if self.activation == "linear":
            return Formula("loss = scale * mean of (l - t)^2", "dl = 2 (l - t) scale / (D N)")
        return Formula(f"y = {self.activation}(l),  loss = scale * mean of (y - t)^2",
                       "dl = 2 (y - t) f'(l) scale / (D N)")

    def check_target(self, x, output_shape):
        """Any finite numbers will do."""

    def _log_likelihood(self, loss, count):
        variance = count / (2 * self.scale)
        return -loss - count / 2 * math.log(2 * math.pi * variance)

    def _forward(self, logits, target, output, loss):
        self.kernels.squared_error_forward(logits, target, output, loss, self.scale,
                                           self.activation)

    def _backward(self, output, target, dlogits, scale):
        self.kernels.squared_error_backward(output, target, dlogits, scale, self.activation)
