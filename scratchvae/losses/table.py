"""The loss of a row of a table: numbers with a learnt variance, and categories."""
import numpy as np

from ..errors import ScratchVAEError
from ..layers.formulas import Formula
from .loss import ReconstructionLoss


class TableLoss(ReconstructionLoss):
    """-log p(x|z) of a row: normal densities of numbers, probabilities of categories.

    target (N, D + K): D standardised numbers, NaN where they are missing, and K ones and zeros, the
    one-hot categories of G columns; of a missing category all are 0. Logits (N, 2D + K): the means
    of the numbers, the logits of the categories, and the log-variances of the numbers, which a
    LearntVariance at the decoder's end appends. What is missing is left out of the sum.

    Parameters
    ----------
    scale, activation
        See ReconstructionLoss. The mean is over the D + G columns.
    *sizes : int
        How many categories each of the G columns has. With none, all columns are numbers.

    Source: Rybkin et al. 2021 (the variance), Nazábal et al. 2020 (mixed columns, missing cells).
    """
    name = "table"
    takes_missing = True
    output = None
    formula = Formula("loss = scale * mean over columns of (log 2 pi + v + r^2) / 2, "
                      "r = (x - mu) exp(-v / 2), or -log softmax(l)[category]",
                      "dmu = -r exp(-v / 2),  dv = (1 - r^2) / 2,  dl = softmax(l) - one-hot,  "
                      "each times scale / (columns N)")

    def __init__(self, scale, activation, *sizes):
        if activation != "linear":
            raise ScratchVAEError(f"{self.name}: the decoder must end in a linear layer, got "
                                  f"{activation}")
        if 0 in sizes:
            raise ScratchVAEError(f"{self.name}: sizes must be at least 1, got {sizes}")
        super().__init__(scale, activation)
        self.sizes = sizes

    @property
    def text(self):
        return f"{self.name}({', '.join(map(str, self.sizes))})" if self.sizes else self.name

    def build(self, kernels, dtype):
        super().build(kernels, dtype)
        group = np.repeat(np.arange(len(self.sizes), dtype=np.int32), self.sizes)
        self._group = kernels.from_host(group)

    def numbers(self, width):
        """Return D, how many columns are numbers, of an output of the decoder (N, width)."""
        return (width - sum(self.sizes)) // 2

    def count(self, output_shape):
        """Return the number of columns."""
        return self.numbers(output_shape[0]) + len(self.sizes)

    def target_shape(self, output_shape):
        rest = output_shape[-1] - sum(self.sizes)
        if len(output_shape) != 1 or rest < 0 or rest % 2 or output_shape[-1] == 0:
            raise ScratchVAEError(f"{self.text}: the decoder's output must hold a mean and a "
                                  "log-variance for each number (end it with LearntVariance) and "
                                  f"{sum(self.sizes)} logits, got shape {output_shape}")
        return (self.numbers(output_shape[0]) + sum(self.sizes),)

    def check_target(self, x, output_shape):
        """Refuse categories that are not one-hot."""
        D = self.numbers(output_shape[0])
        x = np.asarray(x)
        ends = D + np.cumsum((0, *self.sizes))
        for g, (start, end) in enumerate(zip(ends, ends[1:])):
            chosen = x[:, start:end]
            wrong = ((chosen != 0) & (chosen != 1)).any(axis=1) | (chosen.sum(axis=1) > 1)
            if wrong.any():
                raise ScratchVAEError(f"{self.text}: x[:, {start}:{end}], the categories of column "
                                      f"{D + g}, must hold a single 1, or only 0 where they are "
                                      f"missing; the first that does not is x[{wrong.argmax()}]")

    def forward(self, logits, target):
        """Return the loss of each example (N,), from logits (N, 2D + K) and target (N, D + K)."""
        array = self.workspace.array
        N = len(logits)
        G = len(self.sizes)
        self._logits = logits
        self._target = target
        self._r = array("r", (N, self.numbers(logits.shape[1])))
        self._log_total = array("log_total", (N, G))
        self._w = array("w", (N, G))
        loss = array("loss", (N,))
        self.kernels.table_loss_forward(logits, target, self._group, self._r, self._log_total,
                                        self._w, loss, self.scale)
        return loss

    def backward(self, weight=1.0):
        """Return dlogits, the gradient of weight times the batch's mean loss."""
        dlogits = self.workspace.array("dlogits", self._logits.shape)
        self.kernels.table_loss_backward(self._logits, self._target, self._group, self._r,
                                         self._log_total, self._w, dlogits, weight * self.scale)
        return dlogits

    def activate(self, logits):
        """Return (N, D + K): the means of the numbers, and the probabilities of the categories."""
        array = self.workspace.array
        N = len(logits)
        D = self.numbers(logits.shape[1])
        K = sum(self.sizes)
        mu = array("mu", (N, D))
        p = array("p", (N, K))
        self.kernels.table_output_forward(logits, self._group, mu, p,
                                          array("log_totals", (N, len(self.sizes))))
        output = array("activated", (N, D + K))
        self.kernels.concatenate_forward(mu, p, output)
        return output
