"""A variational autoencoder of lines of text (Bowman et al. 2016, "Generating sentences from a continuous space").

The encoder reads a line x of T words and says where in the latent space it lies.  The decoder is a language model that is told z: it
writes word after word, each from z and the words before it,

    p(x|z) = prod_t p(x_t | x_1 ... x_t-1, z).

In training it is given the words before as they are (teacher forcing), so it can guess many words without z, and would leave z unused:
the posterior collapses onto the prior.  Against that there are a KL weight that rises slowly, free bits, and word dropout, which
withholds words so that z has to tell them.
"""
import numpy as np

from kernels.contract import check_indices

from .. import schedules
from ..errors import ScratchVAEError
from ..layers import GRU, Bidirectional, Dense, Dropout, Embedding
from ..layers.layer import positive_integer
from ..noise import SAMPLING, WORDS
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
        self.loss.check_target(x)
        return x, x

    # The training step.  N lines, T steps, J latent dimensions, E numbers for a word, U units, V words.  Padding costs nothing: the M
    # words of all lines, without it, are packed together before the costly layer that chooses among V.

    def forward(self, x, training=False, stream=SAMPLING, target=None):
        """The losses of each line: (-log p(x|z) (N,), kl (N,))."""
        kernels, (N, T), J = self.kernels, x.shape, self.latent_dim
        self.eps, self.z = self.workspace.array("eps", (N, J)), self.workspace.array("z", (N, J))
        kl, self.inputs = self.workspace.array("kl", (N,)), self.workspace.array("inputs", (N, T, self.embedding_dim + J))

        h = self.encoder.forward(x, training)                                               # (N, 2U)
        self.mu, self.lv = self.z_mean.forward(h), self.z_log_var.forward(h)                # (N, J)    mu, log sigma^2
        self.noise.normal(self.eps, stream)                                                 # (N, J)    eps ~ N(0, 1)
        kernels.reparameterize_forward(self.mu, self.lv, self.eps, self.z)                  # (N, J)    z = mu + sigma eps
        initial = self.initial.forward(self.z)                                              # (N, U)    z is told to the first state
        word_part, z_part = self.split(self.inputs)
        word_part[...] = self.words.forward(self.words_before(x, training), training)       # (N, T, E) the word before,
        z_part[...] = self.z[:, np.newaxis]                                                 # (N, T, J) and z at every step
        states = self.gru.forward(self.inputs, training, initial)                           # (N, T, U)
        self.present = np.flatnonzero(x != PAD)                                             # (M,)      which of N T are words
        logits = self.decoder.forward(self.rows(states)[self.present], training)            # (M, V)
        self.loss.scale = len(self.present) / N                                             #           lines count alike, not words
        cost = self.loss.forward(logits[:, np.newaxis], x.reshape(-1, 1)[self.present])     # (M,)      -log p of each word, scaled
        reconstruction = np.bincount(self.present // T, cost, N) / self.loss.scale          # (N,)      -log p(x|z)
        kernels.gaussian_kl_forward(self.mu, self.lv, kl)                                   # (N,)      KL(q(z|x) || N(0, 1))
        return reconstruction, kl

    def backward(self, kl_weight, need_dx=False):
        """All gradients of the batch's mean loss: the chain of `forward`, last line first."""
        kernels, (N, J) = self.kernels, self.z.shape
        dmu, dlv = self.workspace.array("dmu", (N, J)), self.workspace.array("dlv", (N, J))

        dlogits = self.loss.backward()[:, 0]                                                # dL/dlogits
        dstates = self.workspace.array("dstates", (N, self.steps, self.units))              # dL/dstates, 0 where there is padding
        dstates[...] = 0
        self.rows(dstates)[self.present] = self.decoder.backward(dlogits)
        dinputs = self.gru.backward(dstates)                                                # dL/dinputs, and of the first state
        dword_part, dz_part = self.split(dinputs)
        self.words.backward(np.ascontiguousarray(dword_part), need_dx=False)
        dz = self.initial.backward(self.gru.dinitial_state)                                 # z had two ways to the words:
        dz += dz_part.sum(axis=1)                                                           # their gradients add
        kernels.reparameterize_backward(dz, self.lv, self.eps, dmu, dlv)                    # dmu = dz, dlv = dz eps sigma/2
        kernels.gaussian_kl_backward(self.mu, self.lv, dmu, dlv, kl_weight, self.free_bits) # dmu += mu, dlv += (sigma^2-1)/2
        dh = self.z_mean.backward(dmu)                                                      # both heads read h:
        dh += self.z_log_var.backward(dlv)                                                  # their gradients add
        return self.encoder.backward(dh, need_dx)

    @staticmethod
    def rows(states):
        """(N, T, U) as (N T, U)."""
        return states.reshape(-1, states.shape[-1])

    def split(self, inputs):
        """The two parts of a step's input: the word before, and z."""
        return inputs[..., :self.embedding_dim], inputs[..., self.embedding_dim:]

    def words_before(self, x, training):
        """x moved by one step: END, x_1, ..., x_T-1; in training some of them are UNKNOWN."""
        before = self.workspace.array("before", x.shape, "int32")
        before[:, 0], before[:, 1:] = END, x[:, :-1]
        if training and self.word_dropout > 0:
            noise = self.workspace.array("word_noise", x.shape)
            self.noise.uniform(noise, WORDS)
            hidden = noise < self.word_dropout
            hidden[:, 0] = False
            before[hidden] = UNKNOWN
        return before

    # Writing.  The state of a line that is being written is the GRU's state and z, side by side (N, U + J).

    def start(self, z):
        """The state before the first word."""
        z = self.as_array("z", z, (self.latent_dim,))
        return np.concatenate([self.initial.forward(z), z], axis=1)

    def step(self, words, state):
        """(logits (N, V) of the next word, state after), from the words (N,) just written, END at first, and the state before."""
        check_indices("TextVAE", np.asarray(words), self.vocabulary_size)
        h, z = state[:, :self.units], state[:, self.units:]
        embeddings, kernel, bias = self.words.params["embedding/embeddings"], *self.decoder.params.values()
        h = self.gru.step(np.concatenate([embeddings[words], z], axis=1), np.ascontiguousarray(h))
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
