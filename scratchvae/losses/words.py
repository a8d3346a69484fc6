"""Losses whose target is a word, its index."""
from ..errors import ScratchVAEError
from ..kernels.operation import check_indices
from ..layers.formulas import Formula
from .loss import ReconstructionLoss


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
