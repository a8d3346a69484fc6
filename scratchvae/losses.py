"""Reconstruction losses: how badly the decoder's output fits an example x.

A loss owns the decoder's output activation and computes from the logits before it (see
kernels/reference/losses.py). It is `scale` times the mean over the elements of an example; with
scale = number of elements, it is their sum.
"""
import math

import numpy as np

from . import checks
from .errors import ScratchVAEError
from .kernels.operation import check_indices
from .layers.formulas import Formula
from .layers.workspace import Workspace


class ReconstructionLoss:
    """What the losses share: flat views of the arrays, whatever the shape of an example.

    Parameters
    ----------
    scale : float or None
        Factor of the mean over an example's elements. None: see settle_scale.
    activation : str
        The output activation that the decoder gave up.

    Attributes
    ----------
    takes_softmax : bool
        Whether the loss owns a softmax.
    target_dtype : str or None
        "int32" for words; None stands for the model's own dtype.
    output : array or None
        f(logits) of the last forward pass, in the shape of the logits; None if the loss does not
        compute it.
    formula : Formula
    """
    takes_softmax = False
    target_dtype = None

    elements = 1.0              # factor of an element's loss in the likelihood

    def __init__(self, scale, activation):
        self.scale = scale
        if scale is not None:
            self.scale = checks.number(self.name, "reconstruction_scale", scale)
        self.activation = activation

    def settle_scale(self, output_shape):
        """Set a scale of None so that the loss is -log p(x|z), up to a constant."""
        if self.scale is None:
            self.scale = self.elements * self.count(output_shape)

    def count(self, output_shape):
        """Return how many losses of elements the mean is over, for an output of the decoder."""
        return math.prod(output_shape)

    def log_likelihood(self, loss, output_shape):
        """Return log p(x|z) in nats, from losses of any scale.

        Parameters
        ----------
        loss : array (N,)
            As `forward` returns it.
        output_shape : tuple of int
            The decoder's.

        Raises
        ------
        ScratchVAEError
            If the scale is 0: the losses say nothing then.
        """
        if self.scale == 0:
            raise ScratchVAEError(f"{self.name}: log p(x|z) is unknown with reconstruction_scale "
                                  "0; allowed: numbers above 0, or None")
        return self._log_likelihood(loss, self.count(output_shape))

    def _log_likelihood(self, loss, count):
        return -loss * (count / self.scale)

    def build(self, kernels, dtype):
        """Set the backend and the dtype."""
        self.kernels = kernels
        self.workspace = Workspace(kernels, dtype, reuse=True)

    def target_shape(self, output_shape):
        """Return the shape of a target for an output of the decoder."""
        return output_shape

    def forward(self, logits, target):
        """Return the loss of each example (N,), from logits and target (N, ...)."""
        self._shape = logits.shape
        flat = (len(logits), logits.size // len(logits))
        self._target = target.reshape(flat)
        self._output = self.workspace.array("output", flat)
        loss = self.workspace.array("loss", flat[:1])
        self._forward(logits.reshape(flat), self._target, self._output, loss)
        return loss

    def backward(self, weight=1.0):
        """Return dlogits, the gradient of weight times the batch's mean loss."""
        dlogits = self.workspace.array("dlogits", self._target.shape)
        self._backward(self._output, self._target, dlogits, weight * self.scale)
        return dlogits.reshape(self._shape)

    def activate(self, logits):
        """Return f(logits): the reconstruction that these logits stand for."""
        output = self.workspace.array("activated", logits.shape)
        self.kernels.activation_forward(logits, output, self.activation)
        return output

    @property
    def output(self):
        return self._output.reshape(self._shape)


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


class WordLoss(ReconstructionLoss):
    """What the losses of words share.

    A target is the index of a word, and its one-hot vector is never built. dlogits takes the place
    of the logits, which are not needed any more; `output` is None.
    """
    target_dtype = "int32"
    output = None

    def __init__(self, scale, activation):
        if activation != self.needed_activation:
            raise ScratchVAEError(f"{self.name}: the decoder must end in the activation "
                                  f"{self.needed_activation}, got {activation}")
        super().__init__(scale, activation)

    def check_target(self, x, output_shape):
        """Refuse indices of words that the output does not have."""
        check_indices(self.name, x, output_shape[-1])

    def check_axes(self, output_shape, *axes):
        """Refuse an output of the decoder with other axes than those named."""
        if len(output_shape) != len(axes):
            raise ScratchVAEError(f"{self.name}: the decoder's output must have the axes "
                                  f"{', '.join(axes)}, got shape {output_shape}")


class SparseCategoricalCrossentropy(WordLoss):
    """-log p(x|z) for T words, each with probabilities softmax(logits).

    logits (N, T, V), target (N, T) int32.
    """
    name = "sparse_categorical_crossentropy"
    needed_activation = "softmax"
    takes_softmax = True
    formula = Formula("loss = scale * mean over t of -log softmax(l)[word t]",
                      "dl = (softmax(l) - one-hot) scale / (N T)")

    def target_shape(self, output_shape):
        self.check_axes(output_shape, "steps", "words")
        return output_shape[:1]

    def count(self, output_shape):
        """Return the number of words."""
        return output_shape[0]

    def forward(self, logits, target):
        self._logits = logits
        self._target = target
        loss = self.workspace.array("loss", target.shape[:1])
        self._log_total = self.workspace.array("log_total", target.shape)
        self.kernels.sparse_categorical_crossentropy_forward(logits, target, loss,
                                                             self._log_total, self.scale)
        return loss

    def backward(self, weight=1.0):
        dlogits = self._logits
        self.kernels.sparse_categorical_crossentropy_backward(
            self._logits, self._target, self._log_total, dlogits, weight * self.scale)
        return dlogits


class OneHotBinaryCrossentropy(WordLoss):
    """Binary cross-entropy of V sigmoids with the one-hot vector of a word.

    logits (N, V), target (N, 1) int32.
    """
    name = "onehot_binary_crossentropy"
    needed_activation = "sigmoid"
    formula = Formula("loss = scale * mean of the cross-entropies of sigmoid(l) with the word",
                      "dl = (sigmoid(l) - one-hot) scale / (N V)")

    def target_shape(self, output_shape):
        self.check_axes(output_shape, "words")
        return (1,)

    def forward(self, logits, target):
        self._logits = logits
        self._target = target.reshape(-1)
        loss = self.workspace.array("loss", target.shape[:1])
        self.kernels.onehot_binary_crossentropy_forward(logits, self._target, loss, self.scale)
        return loss

    def backward(self, weight=1.0):
        dlogits = self._logits
        self.kernels.onehot_binary_crossentropy_backward(self._logits, self._target, dlogits,
                                                         weight * self.scale)
        return dlogits


LOSSES = {loss.name: loss for loss in (BinaryCrossentropy, SquaredError,
                                       SparseCategoricalCrossentropy, OneHotBinaryCrossentropy)}


def get(name):
    """Return the loss class of that name."""
    return LOSSES[checks.choice("model", "reconstruction", name, LOSSES)]
