"""The variational autoencoder (Kingma & Welling 2014, "Auto-encoding variational Bayes").

An encoder maps x to a normal distribution q(z|x) = N(mu, sigma^2), a decoder maps z to a distribution p(x|z), and training
minimises, over both networks' parameters, the mean over the batch of

    L(x) = -log p(x|z) + kl_weight * KL(q(z|x) || N(0, 1)),    z = mu + sigma * eps,  eps ~ N(0, 1).
"""
import numpy as np
from tqdm import tqdm

from .. import schedules
from ..layers import Dense
from ..layers.layer import check_seed, positive_integer
from ..layers.noise import IMPORTANCE, PRIOR, SAMPLING, Noise
from .model import BATCH_SIZE, Model


class VAE(Model):
    """A variational autoencoder.

    encoder: layers from an example to h; two Dense layers z_mean and z_log_var of latent_dim units are put on top.
    decoder: layers from z back to an example.  reconstruction: "binary_crossentropy" (the decoder must end in sigmoid) or
    "squared_error", times reconstruction_scale (the losses are means over the elements of an example; their number makes
    them sums).  kl_weight: a number, or a schedule of scratchvae.schedules.
    """

    how_measured = ", one sample of z each"
    free_bits = 0.0             # nats of KL that a dimension has for nothing

    def __init__(self, encoder, latent_dim, decoder, reconstruction="binary_crossentropy", reconstruction_scale=1.0,
                 kl_weight=1.0, dtype="float32", backend="cpu"):
        super().__init__(encoder, decoder, reconstruction, reconstruction_scale, dtype, backend)
        self.latent_dim = positive_integer(type(self).__name__, "latent_dim", latent_dim)
        self.z_mean, self.z_log_var = Dense(latent_dim), Dense(latent_dim)
        self.kl_weight = schedules.get(kl_weight)

    @property
    def parts(self):
        """The networks by name, in the order of the data."""
        return {"encoder": self.encoder, "z_mean": self.z_mean, "z_log_var": self.z_log_var, "decoder": self.decoder}

    def build_parts(self, input_shape, seed):
        """Build the four networks, each from its own part of the seed."""
        h_shape = self.build_encoder(input_shape, [seed, 0])
        self.z_mean.build(h_shape, [seed, 1])
        self.z_log_var.build(h_shape, [seed, 2])
        self.decoder.build((self.latent_dim,), [seed, 3])

    # The training step.  N examples, J latent dimensions; a gradient is d + the name of its array.

    def forward(self, x, training=False, stream=SAMPLING, target=None):
        """The losses of each example: (reconstruction (N,), kl (N,)).  target: what to reconstruct, x unless given."""
        kernels, shape = self.kernels, (len(x), self.latent_dim)
        self.eps, self.z = self.workspace.array("eps", shape), self.workspace.array("z", shape)
        kl = self.workspace.array("kl", shape[:1])

        h = self.encoder.forward(x, training)                                               # (N, ...)
        self.mu, self.lv = self.z_mean.forward(h), self.z_log_var.forward(h)                # (N, J)  mu, log sigma^2
        self.noise.normal(self.eps, stream)                                                 # (N, J)  eps ~ N(0, 1)
        kernels.reparameterize_forward(self.mu, self.lv, self.eps, self.z)                  # (N, J)  z = mu + sigma eps
        logits = self.decoder.forward(self.z, training)                                     # (N, ...)
        reconstruction = self.loss.forward(logits, x if target is None else target)         # (N,)    -log p(x|z)
        kernels.gaussian_kl_forward(self.mu, self.lv, kl)                                   # (N,)    KL(q(z|x) || N(0, 1))
        return reconstruction, kl

    def backward(self, kl_weight, need_dx=False):
        """All gradients of the batch's mean loss: the chain of `forward`, last line first."""
        kernels, shape = self.kernels, self.z.shape
        dmu, dlv = self.workspace.array("dmu", shape), self.workspace.array("dlv", shape)

        dlogits = self.loss.backward()                                                      # dL/dlogits
        dz = self.decoder.backward(dlogits)                                                 # dL/dz
        kernels.reparameterize_backward(dz, self.lv, self.eps, dmu, dlv)                    # dmu = dz, dlv = dz eps sigma/2
        kernels.gaussian_kl_backward(self.mu, self.lv, dmu, dlv, kl_weight, self.free_bits) # dmu += mu, dlv += (sigma^2-1)/2
        dh = self.z_mean.backward(dmu)                                                      # both heads read h:
        kernels.add(self.z_log_var.backward(dlv), dh)                                       # their gradients add
        return self.encoder.backward(dh, need_dx)

    def train_step(self, x, optimizer, kl_weight, target=None):
        """One step of gradient descent on the batch x; returns its losses before the step."""
        losses = self.forward(x, training=True, target=target)
        self.backward(kl_weight)
        optimizer.update()
        return losses

    # What a trained model is for.

    def encode(self, x):
        """(z_mean, z_log_var) of the examples x, (N, latent_dim) each."""
        def heads(x):
            h = self.encoder.forward(x)
            return self.z_mean.forward(h), self.z_log_var.forward(h)
        return tuple(self.in_batches(heads, self.as_examples(x)))

    def reconstruct(self, x):
        """The examples x through the mean of their code: decode(z_mean)."""
        return self.decode(self.encode(x)[0])

    def sample(self, count, seed=0):
        """`count` new examples: decode(z) for z ~ N(0, 1)."""
        self.check_built()
        z = self.kernels.empty((positive_integer("sample", "count", count), self.latent_dim), self.dtype)
        Noise(self.kernels, check_seed("sample", seed)).normal(z, PRIOR)
        return self.decode(self.kernels.to_host(z))

    def log_weights(self, x, samples, seed=0):
        """log p(x|z) p(z) / q(z|x) for `samples` points z ~ q(z|x) of each example, (samples, N) (Burda et al. 2016).

        Their mean exponential is p(x), from below: see metrics.importance_weighted.  It takes the reconstruction loss for -log p(x|z).
        """
        x, weights = self.kernels.from_host(self.as_examples(x)), []
        self.noise.seed = check_seed("log_weights", seed)
        for sample in tqdm(range(samples), desc="samples of z", leave=False, disable=None):
            for start in range(0, len(x), BATCH_SIZE):
                self.noise.step = sample * len(x) + start
                reconstruction, _ = self.forward(x[start:start + BATCH_SIZE], stream=IMPORTANCE)
                eps, lv, z, reconstruction = map(self.kernels.to_host, (self.eps, self.lv, self.z, reconstruction))
                weights.append(np.sum(eps ** 2 + lv - z ** 2, axis=1) / 2 - reconstruction)
        return np.concatenate(weights).reshape(samples, len(x))

    def get_config(self):
        """What makes this model again, its parameters aside."""
        return super().get_config() | {"latent_dim": self.latent_dim, "kl_weight": schedules.get_config(self.kl_weight)}
