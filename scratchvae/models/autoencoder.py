"""The plain autoencoder: a code without a distribution."""
import numpy as np

from ..concurrency import in_turn, side_by_side
from ..errors import ScratchVAEError
from ..schedules import Constant
from .encoder_decoder import EncoderDecoder


class Autoencoder(EncoderDecoder):
    """x -> z -> x, trained on the reconstruction loss alone.

    Parameters
    ----------
    encoder : list of Layer
        From an example to z, of one axis.
    decoder : list of Layer
        From z back to an example.
    reconstruction, reconstruction_scale, dtype, backend
        See VAE.
    """

    def __init__(self, encoder, decoder, reconstruction="binary_crossentropy",
                 reconstruction_scale=1.0, dtype="float32", backend="cpu"):
        super().__init__(encoder, decoder, reconstruction, reconstruction_scale, dtype, backend)
        self.kl_weight = Constant(0.0)

    @property
    def parts(self):
        """The networks by name, in the order of the data."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def build_parts(self, input_shape, seed):
        """Build both networks, each from its own part of the seed."""
        self.latent_dim = self.build_encoder(input_shape, [seed, 0])
        self.decoder.build((self.latent_dim,), [seed, 1])

    def forward(self, x, training=False, stream=None, target=None):
        """Return the losses of each example: (reconstruction (N,), zeros (N,)): there is no KL.

        Parameters
        ----------
        x : array (N, *input_shape)
        training : bool
        stream : int
            Not used: there is no noise.
        target : array, optional
            What to reconstruct; defaults to x.
        """
        z = self.encoder.forward(x, training)
        logits = self.decoder.forward(z, training)
        reconstruction = self.loss.forward(logits, x if target is None else target)
        no_kl = self.workspace.array("no_kl", reconstruction.shape)
        self.kernels.fill(no_kl, 0)
        return reconstruction, no_kl

    def backward(self, kl_weight=0.0, need_dx=False):
        """Fill all gradients of the batch's mean loss: the chain of `forward`, last line first."""
        dlogits = self.loss.backward()
        dz = self.decoder.backward(dlogits)
        return self.encoder.backward(dz, need_dx)

    @side_by_side
    def encode(self, x):
        """Return the codes z (N, latent_dim) of the examples x."""
        z, = self.in_batches(lambda x: (self.encoder.forward(x),), self.as_inputs(x))
        return z

    def sample(self, count, seed=0):
        """Refused: the codes of a plain autoencoder follow no known distribution."""
        raise ScratchVAEError("an Autoencoder cannot sample: its codes follow no known "
                              "distribution; decode(z) shows points of your choice")

    @side_by_side
    def reconstruct(self, x):
        """Return the examples x decoded from their codes: decode(encode(x))."""
        return self.decode(self.encode(x))

    @in_turn
    def score_samples(self, x):
        """Return minus the reconstruction loss of each example, (N,): low for unusual ones.

        A plain autoencoder has no likelihood, so this is no log p(x).
        """
        losses, _ = self.in_batches(self.forward, self.as_inputs(x))
        return -losses.astype(np.float64)
