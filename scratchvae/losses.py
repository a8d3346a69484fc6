"""Reconstruction losses: how badly the decoder's output fits an example x.

A loss owns the decoder's output activation and computes from the logits before it (see kernels/reference/losses.py).  It is
`scale` times the mean over the elements of an example; with scale = number of elements, their sum.
"""
from kernels.operation import check_indices

from .errors import ScratchVAEError
from .schedules import number
from .layers.workspace import Workspace


class ReconstructionLoss:
    """What the losses share: flat views of the arrays, whatever the shape of an example."""
    softmax = False             # whether it owns a softmax
    target_dtype = None         # "int32" for words, else the model's own

    def __init__(self, scale, activation):
        self.scale = number("reconstruction_scale", scale, 0)
        self.activation = activation

    def build(self, kernels, dtype):
        """Set the backend and the dtype."""
        self.kernels = kernels
        self.workspace = Workspace(kernels, dtype, reuse=True)

    def target_shape(self, output_shape):
        """The shape of a target for such an output of the decoder."""
        return output_shape

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

    def check_target(self, x, output_shape):
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

    def check_target(self, x, output_shape):
        """Refuse NaN and infinity."""
        if not abs(x.min()) + abs(x.max()) < float("inf"):
            raise ScratchVAEError("squared_error: x has NaN or infinite elements; needed: finite numbers")

    def _forward(self, logits, target, output, loss):
        self.kernels.squared_error_forward(logits, target, output, loss, self.scale, self.activation)

    def _backward(self, output, target, dlogits):
        self.kernels.squared_error_backward(output, target, dlogits, self.scale, self.activation)


class WordLoss(ReconstructionLoss):
    """What the losses of words share: a target is the index of a word, and its one-hot vector is never built.

    dlogits takes the place of the logits, which nobody needs any more.
    """
    target_dtype = "int32"

    def __init__(self, scale, activation):
        if activation != self.needed:
            raise ScratchVAEError(f"{self.name}: the decoder's output activation is {activation}; needed: {self.needed}")
        super().__init__(scale, activation)

    def check_target(self, x, output_shape):
        """Refuse indices of words that the output doesn't have."""
        check_indices(self.name, x, output_shape[-1])


class SparseCategoricalCrossentropy(WordLoss):
    """-log p(x|z) for T words, each with probabilities softmax(logits).  logits (N, T, V), target (N, T) int32."""
    name, needed, softmax = "sparse_categorical_crossentropy", "softmax", True

    def target_shape(self, output_shape):
        if len(output_shape) != 2:
            raise ScratchVAEError(f"{self.name}: the decoder's output has shape {output_shape}; needed: two axes (steps, words)")
        return output_shape[:1]

    def forward(self, logits, target):
        """The loss of each example (N,)."""
        self._logits, self._target = logits, target
        loss, self._log_total = self.workspace.array("loss", target.shape[:1]), self.workspace.array("log_total", target.shape)
        self.kernels.sparse_categorical_crossentropy_forward(logits, target, loss, self._log_total, self.scale)
        return loss

    def backward(self):
        """dlogits (N, T, V), the gradient of the mean loss of the batch."""
        self.kernels.sparse_categorical_crossentropy_backward(self._logits, self._target, self._log_total, self._logits, self.scale)
        return self._logits


class OneHotBinaryCrossentropy(WordLoss):
    """Binary cross-entropy of V sigmoids with the one-hot vector of a word.  logits (N, V), target (N, 1) int32."""
    name, needed = "onehot_binary_crossentropy", "sigmoid"

    def target_shape(self, output_shape):
        if len(output_shape) != 1:
            raise ScratchVAEError(f"{self.name}: the decoder's output has shape {output_shape}; needed: one axis, the words")
        return (1,)

    def forward(self, logits, target):
        """The loss of each example (N,)."""
        self._logits, self._target = logits, target.reshape(-1)
        loss = self.workspace.array("loss", target.shape[:1])
        self.kernels.onehot_binary_crossentropy_forward(logits, self._target, loss, self.scale)
        return loss

    def backward(self):
        """dlogits (N, V), the gradient of the mean loss of the batch."""
        self.kernels.onehot_binary_crossentropy_backward(self._logits, self._target, self._logits, self.scale)
        return self._logits


LOSSES = {loss.name: loss for loss in (BinaryCrossentropy, SquaredError, SparseCategoricalCrossentropy, OneHotBinaryCrossentropy)}


def get(name):
    """The loss class of that name."""
    if name not in LOSSES:
        raise ScratchVAEError(f"unknown reconstruction {name!r}; there are: {', '.join(LOSSES)}")
    return LOSSES[name]
