"""What the variational and the plain autoencoder share: two networks, trained to reconstruct."""
import numpy as np

from .. import checks, losses
from ..concurrency import side_by_side
from ..errors import ScratchVAEError
from .model import Model
from .sequential import Sequential


class EncoderDecoder(Model):
    """An encoder and a decoder, trained to reconstruct.

    Parameters
    ----------
    encoder, decoder : list of Layer
    reconstruction : str
        A name of scratchvae.losses.
    reconstruction_scale : float or None
        Losses are means over the elements of an example, times this. None makes them the negative
        log-likelihood: a sum over the elements.
    dtype, backend : str
        See Model.
    """

    def __init__(self, encoder, decoder, reconstruction, reconstruction_scale, dtype, backend):
        super().__init__(dtype, backend)
        self.encoder = Sequential(encoder)
        self.decoder = Sequential(decoder)
        loss, sizes = losses.parse(reconstruction)
        activation = self.decoder.take_output_activation(loss.takes_softmax)
        self.loss = loss(reconstruction_scale, activation, *sizes)

    def check_parts(self, input_shape):
        """Refuse networks whose shapes do not fit together."""
        target_shape = self.loss.target_shape(self.decoder.output_shape)
        self.loss.settle_scale(self.decoder.output_shape)
        if target_shape != input_shape:
            raise ScratchVAEError(f"{self.name}: the decoder's output has shape "
                                  f"{self.decoder.output_shape}, which does not reconstruct an "
                                  f"example of shape {input_shape}{self._sizes_that_differ()}")

    def _sizes_that_differ(self):
        """Return the heights and widths that images take in both networks, and ways out."""
        encoder = self.encoder.image_sizes()
        decoder = self.decoder.image_sizes()
        if len(encoder) < 2 or len(decoder) < 2 or encoder[0] == decoder[-1]:
            return ""
        chains = "; ".join(" -> ".join(f"{height}x{width}" for height, width in sizes)
                           for sizes in (encoder, decoder))
        return (f". The images' sizes are {chains}. Ways out: output_padding of Conv2DTranspose, "
                "ZeroPadding2D or Cropping2D in the decoder, or images whose sizes the strides "
                "divide")

    def build_encoder(self, input_shape, seed):
        """Build the encoder; return the size of its output."""
        shape = self.encoder.build(input_shape, seed)
        if len(shape) != 1:
            raise ScratchVAEError(f"{self.name}: the encoder's output must have one axis, got "
                                  f"shape {shape}; put a Flatten at its end")
        return shape[0]

    @side_by_side
    def decode(self, z):
        """Return the decoder's output (N, *input_shape) for latent codes z (N, latent_dim)."""
        z = self.as_codes(z)
        output, = self.in_batches(lambda z: (self.loss.activate(self.decoder.forward(z)),), z)
        return output

    def get_config(self):
        """Return the arguments that make this model again, without its parameters."""
        return super().get_config() | {
            "encoder": self.encoder.get_config(), "decoder": self.decoder.get_config(),
            "reconstruction": self.loss.text, "reconstruction_scale": self.loss.scale}

    def as_inputs(self, x):
        """Return x as as_examples does, if it lies where the loss allows examples to lie.

        Inputs of a model that is trained on other targets may lie anywhere.
        """
        x = self.as_examples(x)
        if not self.has_targets:
            self.loss.check_target(x, self.decoder.output_shape)
        return x

    def as_pair(self, x, y=None):
        """Return examples and targets, each an array or Batches; without y they are the same."""
        own = y is None or y is x
        x = self.as_examples(x)
        if own:
            y = x
        else:
            shape = self.loss.target_shape(self.decoder.output_shape)
            y = checks.examples("y", y, shape, self.loss.target_dtype or self.dtype,
                                self.loss.takes_missing)
            if len(x) != len(y):
                raise ScratchVAEError("x and y must have the same length, "
                                      f"got {len(x)} and {len(y)}")
        self.loss.check_target(y, self.decoder.output_shape)
        return x, y

    def as_codes(self, z):
        """Return latent codes as a C-contiguous array (N, latent_dim), N >= 1."""
        self.check_built()
        return np.asarray(checks.examples("z", z, (self.latent_dim,), self.dtype))
