"""The importance weighted autoencoder (Burda et al. 2016), with the doubly reparameterized gradient
(Tucker et al. 2019).

A VAE whose objective is a tighter bound of log p(x), from T points z_t of each example:

    L(x) = -log 1/T sum_t w_t,    log w_t = log p(x|z_t) + log p(z_t) - log q(z_t|x).

With one point it is the ELBO, with the KL divergence replaced by a sample of it.
"""
import numpy as np

from .. import checks
from ..layers.noise import SAMPLING
from .vae import VAE

GRADIENTS = ("doubly reparameterized", "reparameterized")


class IWAE(VAE):
    """An importance weighted autoencoder.

    The loss contains no kl_weight: the weights are those of probabilities. Without the encoder's
    noise all is as in a VAE.

    Parameters
    ----------
    encoder, latent_dim, decoder, reconstruction, reconstruction_scale, dtype, backend
        See VAE. Weights are true for the default reconstruction_scale.
    samples : int
        T, the points of each example. The decoder computes T times as much.
    gradient : str
        "reparameterized" is the derivative of L for the noise that was drawn. Its part for the
        encoder gets ever noisier with T (Rainforth et al. 2018). "doubly reparameterized" has the
        same mean and does not.
    """

    def __init__(self, encoder, latent_dim, decoder, reconstruction="binary_crossentropy",
                 reconstruction_scale=None, samples=5, gradient=GRADIENTS[0], dtype="float32",
                 backend="cpu"):
        super().__init__(encoder, latent_dim, decoder, reconstruction, reconstruction_scale,
                         dtype=dtype, backend=backend)
        self.samples = checks.integer(self.name, "samples", samples)
        self.gradient = checks.choice(self.name, "gradient", gradient, GRADIENTS)

    # The training step. N examples, T points of each, J latent dimensions.

    def forward(self, x, training=False, stream=SAMPLING, target=None):
        """Return the losses of each example: (mean -log p(x|z_t) (N,), what L adds to it (N,)).

        Parameters
        ----------
        x, training, stream, target
            See VAE.forward.
        """
        kernels = self.kernels
        N = len(x)
        T = self.samples
        array = self.workspace.array
        self.eps = array("eps", (N * T, self.latent_dim))
        self.z = array("z", (N * T, self.latent_dim))
        self.share = array("share", (N, T))
        log_w = array("log_w", (N, T))
        bound = array("bound", (N,))

        h = self.encoder.forward(x, training)                               # (N, ...)
        mu = self.z_mean.forward(h)                                         # (N, J)
        lv = self.z_log_var.forward(h)                                      # (N, J)
        self.objective.forward(mu, lv, None, None)                          # KL, for the record
        self.mu = self.repeated("mu", mu)                                   # (N T, J)  each T times
        self.lv = self.repeated("lv", lv)                                   # (N T, J)
        self.noise.normal(self.eps, stream)                                 # (N T, J)
        kernels.reparameterize_forward(self.mu, self.lv, self.eps, self.z)  # z = mu + sigma eps
        logits = self.decoder.forward(self.z, training)                     # (N T, ...)
        targets = self.repeated("targets", x if target is None else target)
        reconstruction = self.loss.forward(logits, targets)                 # (N T,)  -log p(x|z_t)
        kernels.copy(self.log_ratios(reconstruction).reshape(N, T), log_w)  # (N, T)
        kernels.importance_weights(log_w, self.share, bound)                # (N, T), (N,)
        return self.parts_of_loss(reconstruction, bound)

    def backward(self, kl_weight=1.0, need_dx=False):
        """Fill all gradients of the batch's mean loss: the chain of `forward`, last line first."""
        kernels = self.kernels
        N, T = self.share.shape
        dmu = self.workspace.array("dmu", self.z.shape)
        dlv = self.workspace.array("dlv", self.z.shape)

        dlogits = self.loss.backward(weight=T)                              # of a mean over N:
        flat = dlogits.reshape(N * T, -1)                                   # d -log p(x|z_t), by
        kernels.scale_rows(flat, self.share.reshape(-1), flat)              # the share of z_t
        dz = self.decoder.backward(dlogits)                                 # (N T, J)
        kernels.copy(self.through_z(dz), dz)                                # and log p(z), log q
        kernels.reparameterize_backward(dz, self.lv, self.eps, dmu, dlv)    # (N T, J)
        dh = self.z_mean.backward(self.summed("dmu_of_all", dmu))           # (N, J)  over T
        dlv = self.summed("dlv_of_all", dlv)
        kernels.copy(kernels.to_host(dlv) + self.past_z(), dlv)             # not through z
        kernels.add(self.z_log_var.backward(dlv), dh)
        return self.encoder.backward(dh, need_dx)

    # The weights, N T numbers, on the host. Since z = mu + sigma eps,
    #
    #     log p(z) - log q(z|x) = 1/2 sum_j (eps^2 + lv - z^2).

    def log_ratios(self, reconstruction):
        """Return log w_t (N T,), up to the constants of the reconstruction loss."""
        reconstruction, eps, lv, z = map(self.kernels.to_host,
                                         (reconstruction, self.eps, self.lv, self.z))
        return np.sum(eps ** 2 + lv - z ** 2, axis=1) / 2 - reconstruction

    def parts_of_loss(self, reconstruction, bound):
        """Return the mean of the reconstruction losses (N,), and L minus it."""
        reconstruction, bound = map(self.kernels.to_host, (reconstruction, bound))
        mean = reconstruction.reshape(self.share.shape).mean(axis=1)
        parts = []
        for name, numbers in (("mean", mean), ("rest", -bound - mean)):
            parts.append(self.workspace.array(name, mean.shape))
            self.kernels.copy(numbers, parts[-1])
        return tuple(parts)

    def through_z(self, dz):
        """Return dL/dz_t (N T, J), from the decoder's part of it.

        For the noise that was drawn, log w_t depends on z_t through log p(x|z_t) and log p(z_t):
        log q(z_t|x) is a function of eps and lv alone. Tucker et al. (equation 8) write the
        gradient's mean in another way. They take log q as a function of z_t with mu and lv held
        fixed, leave these out, and pay with a second factor w~_t. Where q(z|x) is the true
        posterior all w_t are equal and this gradient is 0, without noise.
        """
        dz, share, z, eps, lv = map(self.kernels.to_host,
                                    (dz, self.share, self.z, self.eps, self.lv))
        share = share.reshape(-1, 1)
        N = len(self.share)
        if self.gradient == "reparameterized":
            return dz + share / N * z
        return share * (dz + share / N * (z - eps * np.exp(-lv / 2)))

    def past_z(self):
        """Return the part of dL/dlv that does not go through z: that of -log q(z|x), -lv / 2."""
        return -1 / (2 * len(self.share)) if self.gradient == "reparameterized" else 0.0

    def repeated(self, name, x):
        """Return x (N, ...) with each example T times in a row (N T, ...)."""
        count = len(x) * self.samples
        y = self.workspace.array(f"repeated_{name}", (count, *x.shape[1:]), x.dtype)
        order = np.arange(count, dtype=np.int32) // self.samples
        self.kernels.take(x, self.kernels.from_host(order), y)
        return y

    def summed(self, name, dout):
        """Return the sums (N, J) of dout (N T, J) over the T points of each example."""
        N, T = self.share.shape
        dx = self.workspace.array(name, (N, self.latent_dim))
        self.kernels.repeat_backward(dout.reshape(N, T, -1), dx)
        return dx

    def _log_weights(self, x):
        """Return log p(x|z) p(z) / q(z|x) (N,) for one point z of each; see VAE."""
        samples = self.samples
        self.samples = 1
        try:
            return super()._log_weights(x)
        finally:
            self.samples = samples

    def get_config(self):
        """Return the arguments that make this model again, without its parameters."""
        config = super().get_config()
        del config["kl_weight"], config["objective"]
        return config | {"samples": self.samples, "gradient": self.gradient}

    def differentiable_config(self):
        """See Model: the derivative of the loss is the "reparameterized" gradient."""
        return self.get_config() | {"gradient": "reparameterized"}
