"""The class-conditional VAE (Sohn et al. 2015, "Learning structured output representation using
deep conditional generative models").

Both networks are told the class of an example, as its one-hot vector c:

    L(x, c) = -log p(x|z, c) + kl_weight * KL(q(z|x, c) || N(0, 1)),  z = mu + sigma * eps.

What the class says need not be in z. So z learns what differs within a class: one z decoded with
each class shows one style in all classes.
"""
import math

import numpy as np

from .. import checks
from ..concurrency import in_turn, side_by_side
from ..errors import ScratchVAEError
from ..kernels.operation import check_indices
from ..labels import Labelled, Rows, integers, one_hot
from ..layers.noise import SAMPLING
from .vae import VAE


class ConditionalVAE(VAE):
    """A VAE whose encoder and decoder are given the label of each example.

    The one-hot vector of the label is appended to the last axis of the encoder's input, for images
    as constant maps, (H, W, C) -> (H, W, C + K), and to z before the decoder, J -> J + K.

    Parameters
    ----------
    encoder, latent_dim, decoder
        See VAE.
    classes : int
        K, the number of classes; labels are 0, ..., K - 1.
    **options
        reconstruction (a loss of numbers, not of words), reconstruction_scale, kl_weight,
        objective, dtype and backend: see VAE.
    """

    def __init__(self, encoder, latent_dim, decoder, classes, **options):
        self.classes = checks.integer(self.name, "classes", classes, 2)
        super().__init__(encoder, latent_dim, decoder, **options)
        if self.encoder.input_dtype or self.loss.target_dtype:
            raise ScratchVAEError(f"{self.name}: its examples are numbers, not words")

    def build_parts(self, input_shape, seed):
        """Build the four networks, each from its own part of the seed."""
        *axes, channels = input_shape
        h_shape = self.build_encoder((*axes, channels + self.classes), [seed, 0])
        self.z_mean.build(h_shape, [seed, 1])
        self.z_log_var.build(h_shape, [seed, 2])
        self.decoder.build((self.latent_dim + self.classes,), [seed, 3])

    # The training step. N examples, J latent dimensions, K classes, C channels; D numbers in an
    # example. A row is an example and its label: (x, c).

    def forward(self, rows, training=False, stream=SAMPLING, target=None):
        """Return the losses of each example: (reconstruction (N,), cost of z (N,)).

        Parameters
        ----------
        rows : array (N, D + K)
            Examples x, and the one-hot vectors c of their labels after them.
        training, stream
            See VAE.
        target : array (N, D + K), optional
            Rows whose examples are to be reconstructed; defaults to `rows`.
        """
        kernels = self.kernels
        shape = (len(rows), self.latent_dim)
        self.eps = self.workspace.array("eps", shape)
        self.z = self.workspace.array("z", shape)
        zc = self.workspace.array("zc", (len(rows), self.latent_dim + self.classes))

        x, c = self.split(rows)                                             # (N, D), (N, K)
        h = self.encoder.forward(self.with_maps(x, c), training)            # (N, ...)
        self.mu = self.z_mean.forward(h)                                    # (N, J)  mu
        self.lv = self.z_log_var.forward(h)                                 # (N, J)  log sigma^2
        self.noise.normal(self.eps, stream)                                 # (N, J)  eps ~ N(0, 1)
        kernels.reparameterize_forward(self.mu, self.lv, self.eps, self.z)  # z = mu + sigma eps
        kernels.concatenate_forward(self.z, c, zc)                          # (N, J + K)  (z, c)
        logits = self.decoder.forward(zc, training)                         # (N, ...)
        if target is not None and target is not rows:
            x, _ = self.split(target)
        reconstruction = self.loss.forward(logits, x)                       # (N,)  -log p(x|z, c)
        cost = self.objective.forward(self.mu, self.lv, self.eps, self.z)   # (N,)  KL(q || N(0, 1))
        return reconstruction, cost

    def backward(self, kl_weight, need_dx=False):
        """Fill all gradients of the batch's mean loss: the chain of `forward`, last line first."""
        kernels = self.kernels
        dz = self.workspace.array("dz", self.z.shape)
        dc = self.workspace.array("dc", (len(dz), self.classes))
        dmu = self.workspace.array("dmu", self.z.shape)
        dlv = self.workspace.array("dlv", self.z.shape)

        dlogits = self.loss.backward()                                      # dL/dlogits
        dzc = self.decoder.backward(dlogits)                                # dL/d(z, c)
        kernels.concatenate_backward(dzc, dz, dc)                           # its first J columns
        kernels.reparameterize_backward(dz, self.lv, self.eps, dmu, dlv)    # dmu = dz
        #                                                                     dlv = dz eps sigma / 2
        self.objective.backward(dmu, dlv, kl_weight)                        # dmu += mu
        #                                                                     dlv += (sigma^2-1) / 2
        dh = self.z_mean.backward(dmu)                                      # both heads read h:
        kernels.add(self.z_log_var.backward(dlv), dh)                       # their gradients add
        dinputs = self.encoder.backward(dh, need_dx)
        return self.drows(dinputs, dc) if need_dx else None

    # Rows and maps.

    def split(self, rows):
        """Return examples and one-hot vectors, arrays (N, D) and (N, K), of rows (N, D + K)."""
        x = self.workspace.array("x", (len(rows), rows.shape[1] - self.classes))
        c = self.workspace.array("c", (len(rows), self.classes))
        self.kernels.concatenate_backward(rows, x, c)
        return x, c

    def with_maps(self, x, c):
        """Return the encoder's input (N, ..., C + K): each pixel of x, and c behind it."""
        kernels = self.kernels
        *axes, channels = self.input_shape
        maps = self.workspace.array("maps", (len(x), math.prod(axes), self.classes))
        inputs = self.workspace.array("inputs", (len(x), *axes, channels + self.classes))
        kernels.repeat_forward(c, maps)
        kernels.concatenate_forward(x.reshape(-1, channels), kernels.rows(maps),
                                    kernels.rows(inputs))
        return inputs

    def drows(self, dinputs, dc):
        """Return dL/d(x, c) (N, D + K) from those of the encoder's input and of the decoder's c."""
        kernels = self.kernels
        *axes, channels = self.input_shape
        N = len(dinputs)
        dx = self.workspace.array("dx", (N, math.prod(self.input_shape)))
        dmaps = self.workspace.array("dmaps", (N, math.prod(axes), self.classes))
        dc_encoder = self.workspace.array("dc_encoder", dc.shape)
        drows = self.workspace.array("drows", (N, dx.shape[1] + self.classes))
        kernels.concatenate_backward(kernels.rows(dinputs), dx.reshape(-1, channels),
                                     kernels.rows(dmaps))
        kernels.repeat_backward(dmaps, dc_encoder)                          # c reached the loss in
        kernels.add(dc_encoder, dc)                                         # two ways: gradients
        kernels.concatenate_forward(dx, dc, drows)                          # add
        return drows

    def heads(self, rows):
        """Return (mu, log sigma^2), (N, J) each, of rows (N, D + K)."""
        h = self.encoder.forward(self.with_maps(*self.split(rows)))
        return self.z_mean.forward(h), self.z_log_var.forward(h)

    # What a trained model is for. Labels are integers (N,); x that is Labelled has its own.

    def fit(self, x, labels=None, epochs=1, batch_size=32, optimizer=None, validation_data=None,
            seed=0, **options):
        """Train on examples and their labels, and return the History.

        Parameters
        ----------
        x : array_like or Images (N, *input_shape), or Labelled
        labels : integer array_like (N,)
        validation_data : pair (x, labels) or Labelled, optional
        epochs, batch_size, optimizer, seed, **options
            See VAE.fit; y is refused.
        """
        if isinstance(validation_data, (tuple, list)):
            if len(validation_data) != 2:
                raise ScratchVAEError("fit: validation_data must be a pair (x, labels)")
            validation_data = Labelled(*validation_data)
        return super().fit(labelled(x, labels), epochs, batch_size, optimizer, validation_data,
                           seed, **options)

    def evaluate(self, x, labels=None, seed=0, **options):
        """Return the mean losses over x with these labels; see VAE.evaluate."""
        return super().evaluate(labelled(x, labels), seed, **options)

    def encode(self, x, labels=None):
        """Return (z_mean, z_log_var) of the examples x with these labels, (N, J) each."""
        return super().encode(labelled(x, labels))

    @side_by_side
    def reconstruct(self, x, labels=None):
        """Return the examples x decoded from the mean of their code, with their labels."""
        x = labelled(x, labels)
        z_mean, _ = self.encode(x)
        return self.decode(z_mean, x.labels)

    @side_by_side
    def decode(self, z, labels=None):
        """Return the decoder's output (N, *input_shape).

        Parameters
        ----------
        z : array (N, latent_dim)
        labels : int or integer array_like (N,)
        """
        z = self.as_codes(z)
        c = one_hot(self.as_labels(labels, len(z)), self.classes)
        zc = np.concatenate([z, c], axis=1, dtype=self.dtype)
        output, = self.in_batches(lambda zc: (self.loss.activate(self.decoder.forward(zc)),), zc)
        return output

    @in_turn
    def sample(self, count, label=None, seed=0):
        """Return `count` new examples of a class: decode(z, label) for z ~ N(0, 1).

        Parameters
        ----------
        count : int
        label : int or integer array_like (count,)
        seed : int
            The same one gives the same z whatever the labels.
        """
        z = self.draw_codes(count, seed)
        return self.decode(z, self.as_labels(label, len(z)))

    def score_samples(self, x, labels=None, samples=100, seed=0):
        """Return an estimate of log p(x|c) in nats of each example; see VAE.score_samples."""
        return super().score_samples(labelled(x, labels), samples, seed)

    def log_weights(self, x, labels=None, *, samples, seed=0):
        """Return log p(x|z, c) p(z) / q(z|x, c) for points z ~ q(z|x, c); see VAE.log_weights."""
        return super().log_weights(labelled(x, labels), samples, seed)

    def get_config(self):
        """Return the arguments that make this model again, without its parameters."""
        return super().get_config() | {"classes": self.classes}

    # Checks of data.

    @property
    def row_shape(self):
        """The shape of an example as `forward` takes it: (D + K,)."""
        return (math.prod(self.input_shape) + self.classes,)

    def as_examples(self, x):
        """Return Labelled examples as Rows."""
        self.check_built()
        if isinstance(x, Rows):
            return x
        if not isinstance(x, Labelled):
            raise ScratchVAEError(self._missing())
        examples = super().as_examples(x.x)
        return Rows(examples, self.as_labels(x.labels, len(examples)), self.classes, self.dtype)

    def as_pair(self, x, y=None):
        """Return Rows as examples and as targets; other targets are refused."""
        if y is not None and y is not x:
            raise ScratchVAEError(f"{self.name}: reconstructs its examples; pass x and labels, "
                                  "without y")
        return super().as_pair(x)

    def as_labels(self, labels, count):
        """Return labels as an integer array (count,); one label stands for all."""
        if labels is None:
            raise ScratchVAEError(self._missing())
        labels = integers(labels)
        if labels.shape not in ((), (count,)):
            raise ScratchVAEError(f"{self.name}: labels must have shape ({count},), one for each "
                                  f"example, got {labels.shape}")
        check_indices(f"{self.name}: labels", labels, self.classes)
        return np.broadcast_to(labels, (count,))

    def _missing(self):
        return (f"{self.name}: labels are missing: it needs the class of each example, an integer "
                f"from 0 to {self.classes - 1}")


def labelled(x, labels):
    """Return x with labels, or x as it is without them."""
    return x if labels is None else Labelled(x, labels)
