"""A variational autoencoder of lines of text (Bowman et al. 2016, "Generating sentences from a
continuous space").

The encoder reads a line x of T words and maps it to a distribution over the latent space. The
decoder is a language model that is given z: it writes word after word, each from z and the words
before it,

    p(x|z) = prod_t p(x_t | x_1 ... x_t-1, z).

In training it is given the true words before each word (teacher forcing). It can predict many words
from these without z, and would leave z unused: the posterior collapses onto the prior. Three
remedies are here: a KL weight that rises slowly, free bits, and word dropout, which hides words so
that z has to carry the information.
"""
import numpy as np

from .. import checks, schedules
from ..concurrency import in_turn
from ..errors import ScratchVAEError
from ..kernels.operation import check_indices
from ..layers import GRU, Bidirectional, Dense, Dropout, Embedding
from ..layers.layer import registered_name
from ..layers.noise import SAMPLING, WORDS
from ..text import pad_sequences
from ..text.decoding import sample
from .sequential import Sequential
from .vae import VAE

# Indices of text.LINE_SPECIALS: padding behind a line's end, a rare word, and the end of a line.
PAD = 0
UNKNOWN = 1
END = 2


class TextVAE(VAE):
    """A VAE of lines of at most `steps` words, int32 (N, steps), each ended by END and padded.

    The reconstruction loss is -log p(x|z) in nats a line, its end included.

    Parameters
    ----------
    vocabulary_size : int
        How many words there are.
    steps : int
        At least 2: a word and the end of the line.
    latent_dim : int
    embedding_dim : int
        The length of a word's vector.
    units : int
        The size of the recurrent states.
    dropout : float
        The rate at which word vectors and states are dropped in training.
    word_dropout : float
        The rate at which words are hidden from the decoder in training.
    kl_weight, objective
        See VAE. ELBO(free_bits=0.1) is a remedy.
    **options
        dtype and backend, see Model.
    """

    def __init__(self, vocabulary_size, steps, latent_dim, embedding_dim, units, dropout=0.0,
                 word_dropout=0.0, kl_weight=1.0, objective="elbo", **options):
        self.vocabulary_size = checks.integer(self.name, "vocabulary_size", vocabulary_size)
        self.steps = checks.integer(self.name, "steps", steps, 2)
        self.embedding_dim = embedding_dim
        self.units = units
        self.dropout = checks.number(self.name, "dropout", dropout, 0, 1)
        self.word_dropout = checks.number(self.name, "word_dropout", word_dropout, 0, 1)
        encoder = [Embedding(vocabulary_size, embedding_dim, mask_zero=True), Dropout(dropout),
                   Bidirectional(GRU(units)), Dropout(dropout)]
        readout = [Dropout(dropout), Dense(vocabulary_size, activation="softmax")]
        super().__init__(encoder, latent_dim, readout, "sparse_categorical_crossentropy",
                         reconstruction_scale=1.0, kl_weight=kl_weight, objective=objective,
                         **options)
        self.initial = Dense(units, activation="tanh")
        self.words = Sequential([Embedding(vocabulary_size, embedding_dim), Dropout(dropout)])
        self.gru = GRU(units, return_sequences=True)

    @property
    def parts(self):
        """The networks by name, in the order of the data."""
        return {"encoder": self.encoder, "z_mean": self.z_mean, "z_log_var": self.z_log_var,
                "initial": self.initial, "words": self.words, "gru": self.gru,
                "decoder": self.decoder}

    def build_parts(self, input_shape, seed):
        """Build all networks, each from its own part of the seed."""
        if input_shape != (self.steps,):
            raise ScratchVAEError(f"{self.name}: input_shape must be ({self.steps},), the steps, "
                                  f"got {input_shape}")
        h_size = self.build_encoder(input_shape, [seed, 0])
        self.z_mean.build((h_size,), [seed, 1])
        self.z_log_var.build((h_size,), [seed, 2])
        self.initial.build((self.latent_dim,), [seed, 3])
        self.words.build(input_shape, [seed, 4])
        self.gru.build((self.steps, self.embedding_dim + self.latent_dim), [seed, 5])
        self.decoder.build((self.units,), [seed, 6])

    def check_parts(self, input_shape):
        """Its networks fit together by construction."""

    def as_examples(self, x):
        """Return x as lines, int32 (N, steps), that hold at least their end."""
        x = super().as_examples(x)
        empty = np.flatnonzero(x[:, 0] == PAD)
        if len(empty):
            raise ScratchVAEError(f"{self.name}: a line must hold words and its end (END = {END}) "
                                  f"before the padding (PAD = {PAD}), but line {empty[0]} begins "
                                  "with padding")
        return x

    def as_pair(self, x, y=None):
        """Return lines as examples and as targets; other targets are refused."""
        if y is not None and y is not x:
            raise ScratchVAEError(f"{self.name}: reconstructs its lines; pass x alone, without y")
        x = self.as_examples(x)
        return x, x

    # The training step. N lines, T steps, J latent dimensions, E numbers for a word, U units, V
    # words. Padding costs nothing: the M words of all lines, without it, are packed together before
    # the costly layer that chooses among V.

    def forward(self, x, training=False, stream=SAMPLING, target=None):
        """Return the losses of each line: (-log p(x|z) (N,), cost of z (N,)).

        Parameters
        ----------
        x : int32 array (N, T)
        training : bool
        stream : int
            The stream of the noise eps.
        target : array, optional
            Not used: lines reconstruct themselves.
        """
        kernels = self.kernels
        rows = kernels.rows
        array = self.workspace.array
        N, T = x.shape
        J = self.latent_dim
        self.eps = array("eps", (N, J))
        self.z = array("z", (N, J))
        z_at_steps = array("z_at_steps", (N, T, J))
        inputs = array("inputs", (N, T, self.embedding_dim + J))
        costs = array("costs", (N, T, 1))
        reconstruction = array("reconstruction", (N, 1))

        h = self.encoder.forward(x, training)                               # (N, 2U)
        self.mu = self.z_mean.forward(h)                                    # (N, J)  mu
        self.lv = self.z_log_var.forward(h)                                 # (N, J)  log sigma^2
        self.noise.normal(self.eps, stream)                                 # (N, J)  eps ~ N(0, 1)
        kernels.reparameterize_forward(self.mu, self.lv, self.eps, self.z)  # z = mu + sigma eps
        first_state = self.initial.forward(self.z)                          # (N, U)  z starts the
        before = self.words_before(x, training)                             #         GRU, and goes
        words = self.words.forward(before, training)                        # (N, T, E)  with the
        kernels.repeat_forward(self.z, z_at_steps)                          # (N, T, J)  word before
        kernels.concatenate_forward(rows(words), rows(z_at_steps), rows(inputs))    # into each step
        states = self.gru.forward(inputs, training, first_state)            # (N, T, U)
        self.present = kernels.flatnonzero(x, PAD)                          # (M,)  words of N T
        M = len(self.present)
        packed = array("packed", (M, self.units))
        targets = array("targets", (M, 1), "int32")
        kernels.take(rows(states), self.present, packed)                    # (M, U)
        kernels.take(x.reshape(-1, 1), self.present, targets)               # (M, 1)
        logits = self.decoder.forward(packed, training)                     # (M, V)
        cost = self.loss.forward(logits.reshape(M, 1, -1), targets)         # (M,)  -log p of a word
        kernels.scatter(cost.reshape(M, 1), self.present, rows(costs))      # (N, T)  0 for padding
        kernels.sum_steps(costs, reconstruction)                            # (N,)  -log p(x|z)
        cost = self.objective.forward(self.mu, self.lv, self.eps, self.z)   # (N,)  KL(q || N(0, 1))
        return reconstruction.reshape(N), cost

    def log_likelihood(self, reconstruction):
        """Return log p(x|z): the losses of lines are its negative."""
        return -reconstruction

    def backward(self, kl_weight, need_dx=False):
        """Fill all gradients of the batch's mean loss: the chain of `forward`, last line first."""
        kernels = self.kernels
        rows = kernels.rows
        array = self.workspace.array
        N, J = self.z.shape
        M = len(self.present)
        T = self.steps
        dmu = array("dmu", (N, J))
        dlv = array("dlv", (N, J))
        dstates = array("dstates", (N, T, self.units))
        dwords = array("dwords", (N, T, self.embedding_dim))
        dz_at_steps = array("dz_at_steps", (N, T, J))
        dz_from_steps = array("dz_from_steps", (N, J))

        dlogits = self.loss.backward(weight=M / N)                          # a mean over N, not M
        dpacked = self.decoder.backward(dlogits.reshape(M, -1))             # (M, U)
        kernels.scatter(dpacked, self.present, rows(dstates))               # 0 for padding
        dinputs = self.gru.backward(dstates)                                # and dfirst_state
        kernels.concatenate_backward(rows(dinputs), rows(dwords), rows(dz_at_steps))
        self.words.backward(dwords, need_dx=False)
        kernels.repeat_backward(dz_at_steps, dz_from_steps)                 # z reached the words in
        dz = self.initial.backward(self.gru.dinitial_state)                 # two ways:
        kernels.add(dz_from_steps, dz)                                      # their gradients add
        kernels.reparameterize_backward(dz, self.lv, self.eps, dmu, dlv)    # dmu = dz
        #                                                                     dlv = dz eps sigma / 2
        self.objective.backward(dmu, dlv, kl_weight)                        # dmu += mu
        #                                                                     dlv += (sigma^2-1) / 2
        dh = self.z_mean.backward(dmu)                                      # both heads read h:
        kernels.add(self.z_log_var.backward(dlv), dh)                       # their gradients add
        return self.encoder.backward(dh, need_dx)

    def words_before(self, x, training):
        """Return x moved by one step: END, x_1, ..., x_T-1; in training some are UNKNOWN."""
        before = self.workspace.array("before", x.shape, "int32")
        noise = self.workspace.array("word_noise", x.shape)
        self.noise.uniform(noise, WORDS)
        rate = self.word_dropout if training else 0.0
        self.kernels.words_before(x, noise, before, END, UNKNOWN, rate)
        return before

    # Writing. The state of a line that is being written is the GRU's state and z, side by side
    # (N, U + J), on the host.

    @in_turn
    def start(self, z):
        """Return the state before the first word, for latent codes z (N, latent_dim)."""
        z = self.as_codes(z)
        state = self.initial.forward(self.kernels.from_host(z))
        return np.concatenate([self.kernels.to_host(state), z], axis=1)

    @in_turn
    def step(self, words, state):
        """Read one word of each line, and predict the next.

        Parameters
        ----------
        words : int array (N,)
            The words just written, END at first.
        state : array (N, U + J)
            The state before them.

        Returns
        -------
        (array (N, V), array (N, U + J))
            Logits of the next word, and the state afterwards.
        """
        check_indices(self.name, np.asarray(words), self.vocabulary_size)
        to_host = self.kernels.to_host
        from_host = self.kernels.from_host
        h = np.ascontiguousarray(state[:, :self.units])
        z = state[:, self.units:]
        embeddings = to_host(self.words.params["embedding/embeddings"])
        kernel, bias = map(to_host, self.decoder.params.values())
        inputs = np.concatenate([embeddings[words], z], axis=1)
        h = to_host(self.gru.step(from_host(inputs), from_host(h)))
        return h @ kernel + bias, np.concatenate([h, z], axis=1)

    @in_turn
    def decode(self, z):
        """Return the most probable line, word by word, for latent codes z (N, latent_dim).

        Returns
        -------
        int32 array (N, steps)
            Ended and padded as lines are.
        """
        written = sample(self.step, self.start(z), END, END, self.steps, np.random.default_rng(),
                         temperature=0, forbidden=(PAD, UNKNOWN))
        lines = [[*words, END][:self.steps] for words in written]
        return pad_sequences(lines, self.steps, padding="post")

    def flops(self, batch_size):
        """Return those of one training step; the layer that chooses a word counts for each step."""
        choice = sum(self.decoder.layers["dense"].flops())
        return super().flops(batch_size) + batch_size * (self.steps - 1) * choice

    def get_config(self):
        """Return the arguments that make this model again, without its parameters."""
        names = ("vocabulary_size", "steps", "latent_dim", "embedding_dim", "units", "dropout",
                 "word_dropout", "dtype")
        return {"class": registered_name(type(self)), "input_shape": self.input_shape,
                **{name: getattr(self, name) for name in names},
                "kl_weight": schedules.get_config(self.kl_weight),
                "objective": self.objective.get_config()}
