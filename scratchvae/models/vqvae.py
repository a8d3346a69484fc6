"""The vector-quantised autoencoder (van den Oord et al. 2017, "Neural discrete representation
learning").

The code of an example is not a point, but G entries of a codebook of V vectors e_v: what the
encoder says is rounded to the nearest of them.

    z_e = encoder(x),    z_q = nearest of the codebook to each part of z_e,    x' = decoder(z_q)

    L(x) = -log p(x|z_q) + commitment * |z_e - z_q|^2

The second term keeps the encoder near the codebook, with z_q as a constant. The codebook follows
the encoder without a gradient, see kernels/reference/quantize.py.
"""
import math

import numpy as np

from .. import checks
from ..concurrency import in_turn
from ..errors import ScratchVAEError
from ..layers import Dense
from ..layers.formulas import Formula
from ..schedules import Constant
from .encoder_decoder import EncoderDecoder

MOMENTUM = 0.99                 # of the codebook: the share of the past that each step keeps


class VQVAE(EncoderDecoder):
    """A vector-quantised autoencoder.

    The KL divergence from a uniform prior over the codes is G log V for every example, a constant:
    it is reported, and part of the loss, and has no gradient.

    Parameters
    ----------
    encoder : list of Layer
        From an example to h. A Dense layer of latent_dim units is added.
    latent_dim : int
        The numbers of a code: G parts of code_dim each.
    decoder : list of Layer
        From a code back to an example.
    codes : int
        V, the vectors of the codebook.
    code_dim : int
        The length of each; it must divide latent_dim.
    commitment : float
        In the paper 0.25.
    reconstruction, reconstruction_scale, dtype, backend
        See VAE.
    """
    formulas = {"sampling": Formula("z = e_v,  v = argmin |z_e - e_v|", "dz_e = dz")}

    def __init__(self, encoder, latent_dim, decoder, reconstruction="binary_crossentropy",
                 reconstruction_scale=None, codes=64, code_dim=1, commitment=0.25, dtype="float32",
                 backend="cpu"):
        super().__init__(encoder, decoder, reconstruction, reconstruction_scale, dtype, backend)
        self.latent_dim = checks.integer(self.name, "latent_dim", latent_dim)
        self.codes = checks.integer(self.name, "codes", codes, 2)
        self.code_dim = checks.integer(self.name, "code_dim", code_dim)
        self.commitment = checks.number(self.name, "commitment", commitment)
        if latent_dim % code_dim:
            raise ScratchVAEError(f"{self.name}: code_dim must divide latent_dim, {latent_dim}, "
                                  f"got {code_dim}")
        self.groups = latent_dim // code_dim
        self.z_e = Dense(latent_dim)
        self.kl_weight = Constant(1.0)

    @property
    def parts(self):
        """The networks by name, in the order of the data."""
        return {"encoder": self.encoder, "z_e": self.z_e, "decoder": self.decoder}

    def build_parts(self, input_shape, seed):
        """Build the networks, each from its own part of the seed, and an empty codebook."""
        self.z_e.build((self.build_encoder(input_shape, [seed, 0]),), [seed, 1])
        self.decoder.build((self.latent_dim,), [seed, 3])
        shape = (self.codes, self.code_dim)
        self.table = self.kernels.zeros(shape, self.dtype)
        self.sums = self.kernels.zeros(shape, self.dtype)
        self.counts = self.kernels.zeros(shape[:1], self.dtype)

    @property
    def state(self):
        """Arrays that training changes, but no gradient does, by name."""
        return super().state | {"codebook/table": self.table, "codebook/sums": self.sums,
                                "codebook/counts": self.counts}

    # The training step. N examples, G parts of a code, E numbers in each.

    def forward(self, x, training=False, stream=None, target=None):
        """Return the losses of each example: (-log p(x|z_q) (N,), KL and commitment (N,)).

        Parameters
        ----------
        x : array (N, *input_shape)
        training : bool
            Whether the codebook learns.
        stream : int
            Not used: there is no noise.
        target : array, optional
            What to reconstruct; defaults to x.
        """
        kernels = self.kernels
        h = self.encoder.forward(x, training)                               # (N, ...)
        z_e = self.z_e.forward(h)                                           # (N, G E)
        self.parts_of_z = z_e.reshape(-1, self.code_dim)                    # (N G, E)
        if training:
            self.begin_codebook()
        z_q = self.nearest(self.parts_of_z)                                 # (N G, E)
        logits = self.decoder.forward(z_q.reshape(z_e.shape), training)     # (N, ...)
        reconstruction = self.loss.forward(logits, x if target is None else target)
        cost = self.workspace.array("cost", reconstruction.shape)
        kernels.copy(self.cost_of_code(len(x)), cost)
        if training:
            kernels.quantize_update(self.parts_of_z, self.indices, self.counts, self.sums,
                                    self.table, MOMENTUM)
        return reconstruction, cost

    def backward(self, kl_weight=1.0, need_dx=False):
        """Fill all gradients of the batch's mean loss: the chain of `forward`, last line first."""
        kernels = self.kernels
        dlogits = self.loss.backward()
        dz = self.decoder.backward(dlogits)                                 # straight through:
        commitment = self.workspace.array("dcommitment", dz.shape)          # dz_e = dz_q
        kernels.copy(2 * self.commitment / len(dz) * self.excess.reshape(dz.shape), commitment)
        kernels.add(commitment, dz)                                         # + 2 c (z_e - z_q) / N
        return self.encoder.backward(self.z_e.backward(dz), need_dx)

    def begin(self, x):
        """Begin the codebook with the codes of x: each shard would choose another beginning."""
        averages = {name: self.kernels.to_host(array).copy()
                    for name, array in super().state.items()}
        z_e = self.z_e.forward(self.encoder.forward(x, training=True))
        self.parts_of_z = z_e.reshape(-1, self.code_dim)
        self.begin_codebook()
        for name, array in super().state.items():
            self.kernels.copy(averages[name], array)

    def nearest(self, parts):
        """Return the entries of the codebook (M, E) that are nearest to parts of codes."""
        self.indices = self.workspace.array("indices", parts.shape[:1], "int32")
        self.quantized = self.workspace.array("quantized", parts.shape)
        self.kernels.quantize_forward(parts, self.table, self.indices, self.quantized)
        return self.quantized

    def cost_of_code(self, count):
        """Return KL and commitment (N,) on the host, and keep the excess z_e - z_q (N G, E)."""
        parts, quantized = map(self.kernels.to_host, (self.parts_of_z, self.quantized))
        self.excess = parts - quantized
        squares = np.square(self.excess).reshape(count, -1).sum(axis=1)
        return self.groups * math.log(self.codes) + self.commitment * squares

    def begin_codebook(self):
        """Begin with parts of the first batch's codes: entries far from all would stay unused."""
        if self.kernels.to_host(self.counts).any():
            return
        parts = self.kernels.to_host(self.parts_of_z)
        chosen = parts[np.arange(self.codes) * max(1, len(parts) // self.codes) % len(parts)]
        spread = parts.std(axis=0) / 10 * np.random.default_rng(0).standard_normal(chosen.shape)
        chosen = (chosen + spread).astype(self.dtype)               # no two entries are the same
        self.kernels.copy(chosen, self.table)
        self.kernels.copy(chosen, self.sums)
        self.kernels.fill(self.counts, 1)

    def kl_of(self, cost):
        """Return the KL divergences (N,) from a uniform prior, a constant."""
        kl = self.workspace.array("kl", cost.shape)
        self.kernels.fill(kl, self.groups * math.log(self.codes))
        return kl

    # What a trained model is for.

    @in_turn
    def encode(self, x):
        """Return the codes z_q (N, latent_dim) of the examples x."""
        z, = self.in_batches(self._quantized, self.as_inputs(x))
        return z

    def _quantized(self, x):
        z_e = self.z_e.forward(self.encoder.forward(x))
        return (self.nearest(z_e.reshape(-1, self.code_dim)).reshape(z_e.shape),)

    @in_turn
    def encode_indices(self, x):
        """Return which entries of the codebook the codes consist of, int32 (N, G)."""
        def indices(x):
            self._quantized(x)
            return (self.indices.reshape(len(x), self.groups),)
        found, = self.in_batches(indices, self.as_inputs(x))
        return found

    @in_turn
    def reconstruct(self, x):
        """Return the examples x decoded from their codes."""
        return self.decode(self.encode(x))

    @in_turn
    def sample(self, count, seed=0):
        """Return `count` new examples, from entries drawn as often as training used them.

        Each part of a code is drawn on its own. The paper trains a second network for what goes
        with what.
        """
        self.check_built()
        count = checks.integer("sample", "count", count)
        counts, table = map(self.kernels.to_host, (self.counts, self.table))
        if not counts.any():
            raise ScratchVAEError("sample: the codebook of this VQVAE is empty; call fit first")
        rng = np.random.default_rng(checks.seed("sample", seed))
        share = counts.astype(np.float64) / counts.sum(dtype=np.float64)
        entries = rng.choice(self.codes, (count, self.groups), p=share)
        return self.decode(table[entries].reshape(count, self.latent_dim))

    @in_turn
    def score_samples(self, x):
        """Return minus the loss of each example without the commitment, (N,): low if unusual.

        It is log p(x, code) with a uniform prior over the codes, a lower bound of log p(x).
        """
        losses, _ = self.in_batches(self.forward, self.as_inputs(x))
        return -losses.astype(np.float64) - self.groups * math.log(self.codes)

    def get_config(self):
        """Return the arguments that make this model again, without its parameters."""
        names = ("latent_dim", "codes", "code_dim", "commitment")
        return super().get_config() | {name: getattr(self, name) for name in names}

    def differentiable_config(self):
        """Refused: rounding has no derivative, and the gradient is another on purpose."""
        raise ScratchVAEError(f"{self.name}: its gradient goes straight through the rounding, "
                              "which has no derivative; there is nothing to compare it with")
