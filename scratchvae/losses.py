"""Reconstruction losses: how badly the decoder's output fits an example x.

A loss owns the decoder's output activation and computes from the logits before it (see kernels/reference/losses.py).  It is
`scale` times the mean over the elements of an example; with scale = number of elements, their sum.
"""
from .errors import ScratchVAEError
from .schedules import number
from .workspace import Workspace


class ReconstructionLoss:
    """What the losses share: flat views of the arrays, whatever the shape of an example."""

    def __init__(self, scale, activation):
        self.scale = number("reconstruction_scale", scale, 0)
        self.activation = activation

    def build(self, kernels, dtype):
        """Set the backend and the dtype."""
        self.kernels = kernels
        self.workspace = Workspace(dtype, reuse=True)

    def forward(self, logits, target):
        """The loss of each example (N,), from logits and target (N, ...).  Keeps f(logits) as `output`."""
        self._shape, flat = logits.shape, (len(logits), logits.size // len(logits))
        self._target, self._output = target.reshape(flat), self.workspace.array("output", flat)
        loss = self.workspace.array("loss", flat[:1])
        self._forward(logits.reshape(flat), self._target, self._output, loss)
        return loss

    def backward(self):
        """dlogits, the gradient of the mean loss of the batch, in the shape of the logits."""
        dlogits = self.workspace.array("dlogits", self._target.shape)
        self._backward(self._output, self._target, dlogits)
        return dlogits.reshape(self._shape)

    def activate(self, logits):
        """f(logits): the reconstruction that these logits mean."""
        output = self.workspace.array("activated", logits.shape)
        self.kernels.activation_forward(logits, output, self.activation)
        return output

    @property
    def output(self):
        """The reconstruction of the last forward pass, in the shape of the logits."""
        return self._output.reshape(self._shape)


class BinaryCrossentropy(ReconstructionLoss):
    """-log p(x|z) for independent Bernoulli elements with probabilities sigmoid(logits)."""
    name = "binary_crossentropy"

    def __init__(self, scale, activation):
        if activation != "sigmoid":
            raise ScratchVAEError(f"binary_crossentropy: the decoder's output activation is {activation}; needed: sigmoid")
        super().__init__(scale, activation)

    def check_target(self, x):
        """Refuse what is no probability."""
        low, high = x.min(), x.max()
        if not (low >= 0 and high <= 1):
            raise ScratchVAEError(f"binary_crossentropy: x lies in [{low:g}, {high:g}]; needed: numbers in [0, 1] "
                                  "(divide 8-bit images by 255)")

    def _forward(self, logits, target, output, loss):
        self.kernels.binary_crossentropy_forward(logits, target, output, loss, self.scale)

    def _backward(self, output, target, dlogits):
        self.kernels.binary_crossentropy_backward(output, target, dlogits, self.scale)


class SquaredError(ReconstructionLoss):
    """Squared differences of output and x: -log p(x|z) for independent normal elements, up to constants."""
    name = "squared_error"

    def check_target(self, x):
        """Refuse NaN and infinity."""
        if not abs(x.min()) + abs(x.max()) < float("inf"):
            raise ScratchVAEError("squared_error: x has NaN or infinite elements; needed: finite numbers")

    def _forward(self, logits, target, output, loss):
        self.kernels.squared_error_forward(logits, target, output, loss, self.scale, self.activation)

    def _backward(self, output, target, dlogits):
        self.kernels.squared_error_backward(output, target, dlogits, self.scale, self.activation)


LOSSES = {loss.name: loss for loss in (BinaryCrossentropy, SquaredError)}


def get(name):
    """The loss class of that name."""
    if name not in LOSSES:
        raise ScratchVAEError(f"unknown reconstruction {name!r}; there are: {', '.join(LOSSES)}")
    return LOSSES[name]
