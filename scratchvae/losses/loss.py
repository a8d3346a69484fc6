"""What every reconstruction loss has in common."""
import math

from .. import checks
from ..errors import ScratchVAEError
from ..layers.workspace import Workspace


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
    takes_missing : bool
        Whether NaN in an example are missing numbers, which the loss leaves out.
    text : str
        What makes the loss again: its name, with sizes if it has any.
    target_dtype : str or None
        "int32" for words; None stands for the model's own dtype.
    output : array or None
        f(logits) of the last forward pass, in the shape of the logits; None if the loss does not
        compute it.
    formula : Formula
    """
    takes_softmax = False
    takes_missing = False
    target_dtype = None

    elements = 1.0              # factor of an element's loss in the likelihood

    def __init__(self, scale, activation):
        self.scale = scale
        if scale is not None:
            self.scale = checks.number(self.name, "reconstruction_scale", scale)
        self.activation = activation

    @property
    def text(self):
        return self.name

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
