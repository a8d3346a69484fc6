"""The variational autoencoder (Kingma & Welling 2014, "Auto-encoding variational Bayes").

An encoder maps x to a normal distribution q(z|x) = N(mu, sigma^2), a decoder maps z to a
distribution p(x|z), and training minimises, over the parameters of both networks, the mean over the
batch of

    L(x) = -log p(x|z) + kl_weight * KL(q(z|x) || N(0, 1)),  z = mu + sigma * eps,  eps ~ N(0, 1).

Other objectives put another cost of z in the place of the KL divergence, see scratchvae.objectives.
"""
import numpy as np
from tqdm.auto import tqdm

from .. import checks, objectives, schedules
from ..batches import BATCH_SIZE
from ..concurrency import in_turn, side_by_side
from ..layers import Dense
from ..layers.formulas import Formula
from ..layers.noise import IMPORTANCE, PRIOR, SAMPLING, CommonNoise, Noise
from .encoder_decoder import EncoderDecoder


class VAE(EncoderDecoder):
    """A variational autoencoder.

    Parameters
    ----------
    encoder : list of Layer
        From an example to h. Two Dense layers z_mean and z_log_var of latent_dim units are added.
    latent_dim : int
    decoder : list of Layer
        From z back to an example.
    reconstruction : str
        "binary_crossentropy" (the decoder must end in sigmoid) or "squared_error"; for words
        "sparse_categorical_crossentropy" or "onehot_binary_crossentropy"; for rows of a table
        "table", or "table(4, 2)" with two columns of 4 and 2 categories (see losses/table.py).
    reconstruction_scale : float, optional
        Multiplies the reconstruction loss, a mean over an example's elements. By default the loss
        is -log p(x|z), which the KL term belongs to: a sum over the elements, and half of it for
        squared errors. With 1.0, a mean, the KL term outweighs it, and the code is often not used.
    kl_weight : float or schedule
        See scratchvae.schedules.
    objective : str, dict or Objective
        What z costs: "elbo", the KL divergence, or another of scratchvae.objectives.
    dtype, backend : str
        See Model.
    """
    how_measured = ", one sample of z for each"
    sampling = Formula("z = mu + sigma eps,  sigma = exp(lv / 2),  eps ~ N(0, 1)",
                       "dmu = dz,  dlv = dz eps sigma / 2")

    def __init__(self, encoder, latent_dim, decoder, reconstruction="binary_crossentropy",
                 reconstruction_scale=None, kl_weight=1.0, objective="elbo", dtype="float32",
                 backend="cpu"):
        super().__init__(encoder, decoder, reconstruction, reconstruction_scale, dtype, backend)
        self.latent_dim = checks.integer(self.name, "latent_dim", latent_dim)
        self.z_mean = Dense(latent_dim)
        self.z_log_var = Dense(latent_dim)
        self.kl_weight = schedules.get(kl_weight)
        self.objective = objectives.get(objective)

    @property
    def formulas(self):
        """What the step computes between the encoder and the decoder: place -> Formula."""
        return {"sampling": self.sampling, **self.objective.formulas}

    @property
    def parts(self):
        """The networks by name, in the order of the data."""
        return {"encoder": self.encoder, "z_mean": self.z_mean, "z_log_var": self.z_log_var,
                "decoder": self.decoder}

    def build(self, input_shape, seed=0):
        """Make the parameters; see Model.build."""
        super().build(input_shape, seed)
        self.objective.build(self.kernels, self.dtype)

    def build_parts(self, input_shape, seed):
        """Build the four networks, each from its own part of the seed."""
        h_shape = self.build_encoder(input_shape, [seed, 0])
        self.z_mean.build(h_shape, [seed, 1])
        self.z_log_var.build(h_shape, [seed, 2])
        self.decoder.build((self.latent_dim,), [seed, 3])

    # The training step. N examples, J latent dimensions; a gradient is d + the name of its array.

    def forward(self, x, training=False, stream=SAMPLING, target=None):
        """Return the losses of each example: (reconstruction (N,), cost of z (N,)).

        Parameters
        ----------
        x : array (N, *input_shape)
        training : bool
            Whether layers such as Dropout behave as in training.
        stream : int
            The stream of the noise eps.
        target : array, optional
            What to reconstruct; defaults to x.
        """
        kernels = self.kernels
        shape = (len(x), self.latent_dim)
        self.eps = self.workspace.array("eps", shape)
        self.z = self.workspace.array("z", shape)

        h = self.encoder.forward(x, training)                               # (N, ...)
        self.mu = self.z_mean.forward(h)                                    # (N, J)  mu
        self.lv = self.z_log_var.forward(h)                                 # (N, J)  log sigma^2
        self.noise.normal(self.eps, stream)                                 # (N, J)  eps ~ N(0, 1)
        kernels.reparameterize_forward(self.mu, self.lv, self.eps, self.z)  # z = mu + sigma eps
        logits = self.decoder.forward(self.z, training)                     # (N, ...)
        reconstruction = self.loss.forward(logits, x if target is None else target)
        cost = self.objective.forward(self.mu, self.lv, self.eps, self.z)   # (N,)  KL(q || N(0, 1))
        return reconstruction, cost                                         # (N,)  -log p(x|z), KL

    def backward(self, kl_weight, need_dx=False):
        """Fill all gradients of the batch's mean loss: the chain of `forward`, last line first."""
        kernels = self.kernels
        dmu = self.workspace.array("dmu", self.z.shape)
        dlv = self.workspace.array("dlv", self.z.shape)

        dlogits = self.loss.backward()                                      # dL/dlogits
        dz = self.decoder.backward(dlogits)                                 # dL/dz
        kernels.reparameterize_backward(dz, self.lv, self.eps, dmu, dlv)    # dmu = dz
        #                                                                     dlv = dz eps sigma / 2
        self.objective.backward(dmu, dlv, kl_weight)                        # dmu += mu
        #                                                                     dlv += (sigma^2-1) / 2
        dh = self.z_mean.backward(dmu)                                      # both heads read h:
        kernels.add(self.z_log_var.backward(dlv), dh)                       # their gradients add
        return self.encoder.backward(dh, need_dx)

    def kl_of(self, cost):
        """Return the KL divergences (N,) of the last forward pass, whatever the objective."""
        return self.objective.kl

    # What a trained model is for.

    @side_by_side
    def encode(self, x):
        """Return (z_mean, z_log_var) of the examples x, (N, latent_dim) each."""
        return tuple(self.in_batches(self.heads, self.as_inputs(x)))

    def heads(self, x):
        """Return (z_mean, z_log_var) of a batch, arrays of the backend."""
        h = self.encoder.forward(x)
        return self.z_mean.forward(h), self.z_log_var.forward(h)

    @side_by_side
    def reconstruct(self, x):
        """Return the examples x decoded from the mean of their code: decode(z_mean)."""
        z_mean, _ = self.encode(x)
        return self.decode(z_mean)

    @in_turn
    def sample(self, count, seed=0):
        """Return `count` new examples: decode(z) for z ~ N(0, 1)."""
        return self.decode(self.draw_codes(count, seed))

    def draw_codes(self, count, seed=0):
        """Return `count` codes z ~ N(0, 1), (count, latent_dim): those that `sample` decodes."""
        self.check_built()
        count = checks.integer("sample", "count", count)
        z = self.kernels.empty((count, self.latent_dim), self.dtype)
        Noise(self.kernels, checks.seed("sample", seed)).normal(z, PRIOR)
        return self.kernels.to_host(z)

    @in_turn
    def score_samples(self, x, samples=100, seed=0):
        """Return an estimate of log p(x) in nats of each example: low for unusual ones.

        It is the importance-weighted bound, log of the mean of `samples` weights (see
        `log_weights`), which rises to log p(x) with their number. All examples are scored with the
        same noise: a score depends neither on the other examples nor on the number of threads.

        The likelihood p(x|z) is that of the reconstruction loss, whatever its scale: Bernoulli for
        binary_crossentropy, and for squared_error normal with variance D / (2
        reconstruction_scale) for D elements, which is 1 by default. For grey pixels the
        cross-entropy is not the logarithm of a density, so such scores can be compared with each
        other, but not with those of another likelihood.

        Parameters
        ----------
        x : array_like or Images (N, *input_shape)
        samples : int
            How many points z for each example.
        seed : int

        Returns
        -------
        float64 array (N,)

        Source: Burda et al. 2016, equation 8.
        """
        x = self.kernels.from_host(self.as_inputs(x))
        samples = checks.integer("score_samples", "samples", samples)
        log_sums = np.full(len(x), -np.inf)
        noise = self.noise
        self.noise = CommonNoise(self.kernels, checks.seed("score_samples", seed))
        try:
            for start in tqdm(range(0, len(x), BATCH_SIZE), desc="scoring", unit="batch",
                              leave=False, disable=None):
                batch = x[start:start + BATCH_SIZE]
                sums = log_sums[start:start + BATCH_SIZE]
                for sample in range(samples):
                    self.noise.step = sample
                    np.logaddexp(sums, self._log_weights(batch), out=sums)
        finally:
            self.noise = noise
        return log_sums - np.log(samples)

    @in_turn
    def log_weights(self, x, samples, seed=0):
        """Return log p(x|z) p(z) / q(z|x) for points z ~ q(z|x) of each example.

        Their mean exponential estimates p(x), see metrics.importance_weighted (Burda et al. 2016).
        Each example has noise of its own, so that errors average out over the examples.

        Parameters
        ----------
        x : array (N, *input_shape)
        samples : int
            How many points for each example.
        seed : int

        Returns
        -------
        array (samples, N)
        """
        x = self.kernels.from_host(self.as_inputs(x))
        self.noise.seed = checks.seed("log_weights", seed)
        weights = []
        for sample in tqdm(range(samples), desc="samples of z", leave=False, disable=None):
            for start in range(0, len(x), BATCH_SIZE):
                self.noise.step = sample * len(x) + start
                weights.append(self._log_weights(x[start:start + BATCH_SIZE]))
        return np.concatenate(weights).reshape(samples, len(x))

    def _log_weights(self, x):
        """Return log p(x|z) p(z) / q(z|x) (N,) for one point z ~ q(z|x) of each of a batch."""
        reconstruction, _ = self.forward(x, stream=IMPORTANCE)
        reconstruction, eps, lv, z = map(self.kernels.to_host,
                                         (reconstruction, self.eps, self.lv, self.z))
        log_ratio = np.sum(eps ** 2 + lv - z ** 2, axis=1) / 2          # log p(z) / q(z|x)
        return log_ratio + self.log_likelihood(reconstruction)

    def log_likelihood(self, reconstruction):
        """Return log p(x|z) in nats from reconstruction losses (N,) of any scale."""
        return self.loss.log_likelihood(reconstruction, self.decoder.output_shape)

    def get_config(self):
        """Return the arguments that make this model again, without its parameters."""
        return super().get_config() | {"latent_dim": self.latent_dim,
                                       "kl_weight": schedules.get_config(self.kl_weight),
                                       "objective": self.objective.get_config()}

    def differentiable_config(self):
        """See Model: free bits change the gradient, but not the loss."""
        return self.get_config() | {"objective": self.objective.differentiable().get_config()}
