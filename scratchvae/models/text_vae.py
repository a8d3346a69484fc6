"""A variational autoencoder of lines of text (Bowman et al. 2016, "Generating sentences from a continuous space").

The encoder reads a line x of T words and says where in the latent space it lies.  The decoder is a language model that is told z: it
writes word after word, each from z and the words before it,

    p(x|z) = prod_t p(x_t | x_1 ... x_t-1, z).

In training it is given the words before as they are (teacher forcing), so it can guess many words without z, and would leave z unused:
the posterior collapses onto the prior.  Against that there are a KL weight that rises slowly, free bits, and word dropout, which
withholds words so that z has to tell them.
"""
import numpy as np

from kernels.operation import check_indices

from .. import schedules
from ..errors import ScratchVAEError
from ..layers import GRU, Bidirectional, Dense, Dropout, Embedding
from ..layers.layer import positive_integer
from ..layers.noise import SAMPLING, WORDS
from ..schedules import number
from ..text import pad_sequences
from ..text.decoding import sample
from .sequential import Sequential
from .vae import VAE

PAD, UNKNOWN, END = range(3)    # text.LINE_SPECIALS: what comes after a line's end, a rare word, and the end


class TextVAE(VAE):
    """A VAE of lines of at most `steps` words, int32 (N, steps), each ended by END and filled up with PAD.

    vocabulary_size: how many words there are.  embedding_dim, units: the size of a word's vector and of the recurrent states.
    dropout: of word vectors and states.  word_dropout: the part of the words that the decoder is not shown in training.
    free_bits: nats of KL that each dimension has for nothing.  kl_weight: as for VAE.
    The reconstruction loss is -log p(x|z) in nats a line, its end included.
    """

    def __init__(self, vocabulary_size, steps, latent_dim, embedding_dim, units, dropout=0.0, word_dropout=0.0, free_bits=0.0,
                 kl_weight=1.0, dtype="float32", backend="cpu"):
        self.vocabulary_size = positive_integer("TextVAE", "vocabulary_size", vocabulary_size)
        self.steps = positive_integer("TextVAE", "steps", steps)
        if self.steps < 2:
            raise ScratchVAEError(f"TextVAE: steps is {steps}; allowed: whole numbers from 2, a word and the line's end")
        self.embedding_dim, self.units = embedding_dim, units
        self.dropout, self.word_dropout = Dropout(dropout).rate, Dropout(word_dropout).rate
        encoder = [Embedding(vocabulary_size, embedding_dim, mask_zero=True), Dropout(dropout), Bidirectional(GRU(units)), Dropout(dropout)]
        readout = [Dropout(dropout), Dense(vocabulary_size, activation="softmax")]
        super().__init__(encoder, latent_dim, readout, "sparse_categorical_crossentropy", 1.0, kl_weight, dtype, backend)
        self.initial = Dense(units, activation="tanh")
        self.words = Sequential([Embedding(vocabulary_size, embedding_dim), Dropout(dropout)])
        self.gru = GRU(units, return_sequences=True)
        self.free_bits = number("free_bits", free_bits, 0)

    @property
    def parts(self):
        """The networks by name, in the order of the data."""
        return {"encoder": self.encoder, "z_mean": self.z_mean, "z_log_var": self.z_log_var, "initial": self.initial,
                "words": self.words, "gru": self.gru, "decoder": self.decoder}

    def build_parts(self, input_shape, seed):
        """Build all networks, each from its own part of the seed."""
        if input_shape != (self.steps,):
            raise ScratchVAEError(f"TextVAE: an example has shape {input_shape}; needed: ({self.steps},), its steps")
        h_size = self.build_encoder(input_shape, [seed, 0])
        self.z_mean.build((h_size,), [seed, 1])
        self.z_log_var.build((h_size,), [seed, 2])
        self.initial.build((self.latent_dim,), [seed, 3])
        self.words.build(input_shape, [seed, 4])
        self.gru.build((self.steps, self.embedding_dim + self.latent_dim), [seed, 5])
        self.decoder.build((self.units,), [seed, 6])

    def check_parts(self, input_shape):
        """Its own networks fit together."""

    def as_examples(self, x):
        """x as lines, int32 (N, steps), of at least one word each: their end."""
        x = super().as_examples(x)
        if (x[:, 0] == PAD).any():
            raise ScratchVAEError(f"TextVAE: line {np.flatnonzero(x[:, 0] == PAD)[0]} begins with padding (PAD, {PAD}); needed: words, "
                                  f"the end (END, {END}), and padding after it")
        return x

    def as_pair(self, x, y=None):
        """x, and x itself to make of it."""
        if y is not None and y is not x:
            raise ScratchVAEError("TextVAE reconstructs its lines; needed: x alone, without y")
        x = self.as_examples(x)
        return x, x

    # The training step.  N lines, T steps, J latent dimensions, E numbers for a word, U units, V words.  Padding costs nothing: the M
    # words of all lines, without it, are packed together before the costly layer that chooses among V.

    def forward(self, x, training=False, stream=SAMPLING, target=None):
        """The losses of each line: (-log p(x|z) (N,), kl (N,))."""
        kernels, rows, (N, T), J = self.kernels, self.kernels.rows, x.shape, self.latent_dim
        self.eps, self.z = self.workspace.array("eps", (N, J)), self.workspace.array("z", (N, J))
        kl, inputs = self.workspace.array("kl", (N,)), self.workspace.array("inputs", (N, T, self.embedding_dim + J))
        told, reconstruction = self.workspace.array("told", (N, T, J)), self.workspace.array("reconstruction", (N, 1))

        h = self.encoder.forward(x, training)                                               # (N, 2U)
        self.mu, self.lv = self.z_mean.forward(h), self.z_log_var.forward(h)                # (N, J)    mu, log sigma^2
        self.noise.normal(self.eps, stream)                                                 # (N, J)    eps ~ N(0, 1)
        kernels.reparameterize_forward(self.mu, self.lv, self.eps, self.z)                  # (N, J)    z = mu + sigma eps
        initial = self.initial.forward(self.z)                                              # (N, U)    z is told to the first state
        words = self.words.forward(self.words_before(x, training), training)                # (N, T, E) the word before,
        kernels.repeat_forward(self.z, told)                                                # (N, T, J) and z at every step
        kernels.concatenate_forward(rows(words), rows(told), rows(inputs))                  # (N, T, E + J)
        states = self.gru.forward(inputs, training, initial)                                # (N, T, U)
        self.present = kernels.flatnonzero(x, PAD)                                          # (M,)      which of N T are words
        M = len(self.present)
        packed, targets = self.workspace.array("packed", (M, self.units)), self.workspace.array("targets", (M, 1), "int32")
        kernels.take(rows(states), self.present, packed)                                    # (M, U)
        kernels.take(x.reshape(-1, 1), self.present, targets)                               # (M, 1)
        logits = self.decoder.forward(packed, training)                                     # (M, V)
        self.loss.scale = 1.0
        cost = self.loss.forward(logits.reshape(M, 1, -1), targets)                         # (M,)      -log p of each word
        costs = self.workspace.array("costs", (N, T, 1))
        kernels.embedding_backward(cost.reshape(M, 1), self.present, rows(costs))           # (N, T)    0 where there is padding,
        kernels.repeat_backward(costs, reconstruction)                                      # (N,)      -log p(x|z)
        kernels.gaussian_kl_forward(self.mu, self.lv, kl)                                   # (N,)      KL(q(z|x) || N(0, 1))
        return reconstruction.reshape(N), kl

    def backward(self, kl_weight, need_dx=False):
        """All gradients of the batch's mean loss: the chain of `forward`, last line first."""
        kernels, rows, (N, J) = self.kernels, self.kernels.rows, self.z.shape
        dmu, dlv = self.workspace.array("dmu", (N, J)), self.workspace.array("dlv", (N, J))

        M, T = len(self.present), self.steps
        dstates, dwords = self.workspace.array("dstates", (N, T, self.units)), self.workspace.array("dwords", (N, T, self.embedding_dim))
        dtold, dz_told = self.workspace.array("dtold", (N, T, J)), self.workspace.array("dz_told", (N, J))

        self.loss.scale = M / N                                                             # lines count alike, not words
        dlogits = self.loss.backward().reshape(M, -1)                                       # dL/dlogits
        kernels.embedding_backward(self.decoder.backward(dlogits), self.present, rows(dstates))     # 0 where there is padding
        dinputs = self.gru.backward(dstates)                                                # dL/dinputs, and of the first state
        kernels.concatenate_backward(rows(dinputs), rows(dwords), rows(dtold))
        self.words.backward(dwords, need_dx=False)
        kernels.repeat_backward(dtold, dz_told)                                             # z had two ways to the words:
        dz = self.initial.backward(self.gru.dinitial_state)                                 # their gradients add
        kernels.add(dz_told, dz)
        kernels.reparameterize_backward(dz, self.lv, self.eps, dmu, dlv)                    # dmu = dz, dlv = dz eps sigma/2
        kernels.gaussian_kl_backward(self.mu, self.lv, dmu, dlv, kl_weight, self.free_bits) # dmu += mu, dlv += (sigma^2-1)/2
        dh = self.z_mean.backward(dmu)                                                      # both heads read h:
        kernels.add(self.z_log_var.backward(dlv), dh)                                       # their gradients add
        return self.encoder.backward(dh, need_dx)

    def words_before(self, x, training):
        """x moved by one step: END, x_1, ..., x_T-1; in training some of them are UNKNOWN."""
        before, noise = self.workspace.array("before", x.shape, "int32"), self.workspace.array("word_noise", x.shape)
        self.noise.uniform(noise, WORDS)
        self.kernels.words_before(x, noise, before, END, UNKNOWN, self.word_dropout if training else 0.0)
        return before

    # Writing.  The state of a line that is being written is the GRU's state and z, side by side (N, U + J), on the host.

    def start(self, z):
        """The state before the first word."""
        z = self.as_array("z", z, (self.latent_dim,))
        return np.concatenate([self.kernels.to_host(self.initial.forward(self.kernels.from_host(z))), z], axis=1)

    def step(self, words, state):
        """(logits (N, V) of the next word, state after), from the words (N,) just written, END at first, and the state before."""
        check_indices("TextVAE", np.asarray(words), self.vocabulary_size)
        h, z = np.ascontiguousarray(state[:, :self.units]), state[:, self.units:]
        embeddings, kernel, bias = map(self.kernels.to_host, (self.words.params["embedding/embeddings"], *self.decoder.params.values()))
        inputs = np.concatenate([embeddings[words], z], axis=1)
        h = self.kernels.to_host(self.gru.step(self.kernels.from_host(inputs), self.kernels.from_host(h)))
        return h @ kernel + bias, np.concatenate([h, z], axis=1)

    def decode(self, z):
        """The most probable word after the other, from latent points (N, latent_dim): int32 (N, steps), ended and filled up like lines."""
        written = sample(self.step, self.start(z), END, END, self.steps, np.random.default_rng(), temperature=0, forbidden=(PAD, UNKNOWN))
        return pad_sequences([[*words, END][:self.steps] for words in written], self.steps, padding="post")

    def flops(self, batch_size):
        """See Model; the costly layer counts once for each word that fits in a line."""
        return super().flops(batch_size) + batch_size * (self.steps - 1) * sum(self.decoder.layers["dense"].flops())

    def get_config(self):
        """What makes this model again, its parameters aside."""
        names = ("vocabulary_size", "steps", "latent_dim", "embedding_dim", "units", "dropout", "word_dropout", "free_bits", "dtype")
        return {"class": type(self).__name__, "input_shape": self.input_shape, **{name: getattr(self, name) for name in names},
                "kl_weight": schedules.get_config(self.kl_weight)}
