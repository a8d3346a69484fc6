"""The course in order: what to write, and what it trains.

The commands show something within a few minutes in plain NumPy on two cores, from a subset of the
data, some with fewer filters than the labs have.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A file of kernels, and what its operations are good for.

    Attributes
    ----------
    name : str
        The title.
    file : str
        The template and the file of the reference, without .py.
    operations : tuple of str
        In the order in which they should be written.
    lab : str or None
        The lab that uses these operations; None for a free exercise.
    command : str
        Arguments of `scratchvae` that train it, without --backend. Empty for a free exercise.
    reward : str
        What the learner will see, and what of it is his own.
    free : bool
        Whether the course can be finished without it.
    program : str
        For a free exercise: a small Python program that uses its operations. "DIR" in it stands for
        the learner's folder.
    """
    name: str
    file: str
    operations: tuple
    lab: str | None
    command: str
    reward: str
    free: bool = False
    program: str = ""


LSTM_PROGRAM = '''\
"""Keep the first number of a sequence for 20 steps: an LSTM's cell can."""
import numpy as np

from scratchvae.layers import LSTM, Dense, RepeatVector
from scratchvae.models import Autoencoder
from scratchvae.optimizers import Adam

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (2000, 20, 1)).astype(np.float32)
target = np.repeat(x[:, :1], 20, axis=1)
model = Autoencoder([LSTM(16)], [Dense(1), RepeatVector(20)],
                    reconstruction="squared_error", backend="DIR")
model.fit(x, y=target, epochs=20, batch_size=50, optimizer=Adam(0.01))
for first, kept in zip(x[:5, 0, 0], model.reconstruct(x[:5])[:, 0, 0]):
    print(f"first number {first:6.3f}, after 20 steps {kept:6.3f}")
'''

LAYERNORM_PROGRAM = '''\
"""A VAE of noisy waves, whose hidden layers are normalised."""
import numpy as np

from scratchvae.layers import Dense, LayerNormalization
from scratchvae.models import VAE
from scratchvae.optimizers import Adam

rng = np.random.default_rng(0)
phase = rng.uniform(0, 2 * np.pi, (2000, 1))
x = np.sin(phase + np.linspace(0, 2 * np.pi, 32)) + 0.1 * rng.standard_normal((2000, 32))
model = VAE([Dense(32, activation="relu"), LayerNormalization()], 2,
            [Dense(32, activation="relu"), LayerNormalization(), Dense(32)],
            reconstruction="squared_error", reconstruction_scale=320.0, backend="DIR")
history = model.fit(x, epochs=15, batch_size=50, optimizer=Adam(0.003))
print("mean squared error", np.square(model.reconstruct(x) - x).mean().round(4))
'''

STAGES = (
    Stage(
        name="A dense layer",
        file="dense",
        operations=("dense_forward", "dense_backward"),
        lab="mnist-dense",
        command="train mnist-dense --limit 10000 --epochs 5",
        reward="Handwritten digits spread over a plane. All five layers of this network are "
               "dense, so every product in it, forward and backward, is yours.",
    ),
    Stage(
        name="Activations",
        file="activations",
        operations=("activation_forward", "activation_backward"),
        lab="mnist-dense",
        command="train mnist-dense --limit 10000 --epochs 5",
        reward="The same picture, and now whole layers are yours: each point of the plane is "
               "computed by your encoder, and each gradient passes through your code from the "
               "loss to the first weight.",
    ),
    Stage(
        name="Reconstruction losses",
        file="losses",
        operations=("binary_crossentropy_forward", "binary_crossentropy_backward",
                    "squared_error_forward", "squared_error_backward"),
        lab="mnist-dense",
        command="train mnist-dense --limit 10000 --epochs 5",
        reward="The first goal: after binary_crossentropy_forward, your fifth operation, the "
               "latent plane and the reconstructions are drawn by your code alone. With its "
               "backward pass, each gradient begins with you, too; the squared error waits for "
               "mnist-latent8.",
    ),
    Stage(
        name="The latent variable",
        file="reparameterize",
        operations=("reparameterize_forward", "reparameterize_backward",
                    "gaussian_kl_forward", "gaussian_kl_backward"),
        lab="mnist-dense",
        command="train mnist-dense --limit 10000 --epochs 5",
        reward="The mathematics of the variational autoencoder is yours: the sampling, the KL "
               "term, and both terms of the loss in the report. Only the optimizer is still "
               "borrowed.",
    ),
    Stage(
        name="Optimizers",
        file="optimizers",
        operations=("sgd_update", "rmsprop_update", "adam_update", "decay_weights",
                    "clip_by_global_norm"),
        lab="mnist-dense",
        command="train mnist-dense --limit 10000 --epochs 5",
        reward="From the pixels to the step of RMSprop, all operations that train this network "
               "are yours; only the random numbers are drawn by the library. Other labs use Adam, "
               "and shakespeare-vae clips its gradients, too.",
    ),
    Stage(
        name="Dropout",
        file="dropout",
        operations=("dropout_forward", "dropout_backward"),
        lab="mnist-latent8",
        command="train mnist-latent8 --limit 5000 --epochs 5 --batch-size 16 --set filters=8 "
                "--set keep_prob=0.9 --set activations=deepobs --set learning_rate=0.002",
        reward="Digits through eight dimensions, with your dropout, your squared error and your "
               "Adam. The convolutions are still the reference's.",
    ),
    Stage(
        name="Batch normalisation",
        file="batchnorm",
        operations=("batchnorm_forward", "batchnorm_backward", "batchnorm_update",
                    "batchnorm_inference", "batchnorm_inference_backward"),
        lab="mnist-batchnorm",
        command="train mnist-batchnorm --limit 5000 --epochs 5 --batch-size 32",
        reward="A network in which six normalisations stand behind its layers, all yours. Their "
               "moving averages, also yours, compute the validation loss.",
    ),
    Stage(
        name="Convolution",
        file="conv2d",
        operations=("conv2d_forward", "conv2d_backward"),
        lab="mnist-conv",
        command="train mnist-conv --limit 5000 --epochs 5 --batch-size 32 --set filters=8",
        reward="Your windows read the digits: every layer of this encoder is yours. The decoder "
               "still borrows its transposed convolutions.",
    ),
    Stage(
        name="Transposed convolution",
        file="conv2d_transpose",
        operations=("conv2d_transpose_forward", "conv2d_transpose_backward"),
        lab="fashion-conv",
        command="train fashion-conv --limit 2000 --epochs 3",
        reward="Shirts, shoes and bags, painted by your own windows. Nothing of a convolutional "
               "VAE is borrowed any more.",
    ),
    Stage(
        name="Words",
        file="embedding",
        operations=("embedding_forward", "embedding_backward",
                    "onehot_dense_forward", "onehot_dense_backward"),
        lab="shakespeare-onehot",
        command="train shakespeare-onehot --limit 50000 --epochs 2",
        reward="Each word of Shakespeare is one of thousands, and your first layer reads it "
               "without building a single one-hot vector.",
    ),
    Stage(
        name="Losses of words",
        file="word_losses",
        operations=("sparse_categorical_crossentropy_forward",
                    "sparse_categorical_crossentropy_backward",
                    "onehot_binary_crossentropy_forward",
                    "onehot_binary_crossentropy_backward"),
        lab="shakespeare-onehot",
        command="train shakespeare-onehot --limit 50000 --epochs 2",
        reward="The whole lab is yours, from the word that it reads to the word that it is asked "
               "for. The softmax cross-entropy waits for whole lines.",
    ),
    Stage(
        name="Sequences",
        file="sequences",
        operations=("repeat_forward", "repeat_backward", "concatenate_forward",
                    "concatenate_backward", "last_forward", "last_backward", "scatter",
                    "sum_steps", "mask_steps", "padding_mask", "words_before"),
        lab="text-gru",
        command="train text-gru --limit 5000 --epochs 2",
        reward="Whole lines go through a latent code, all words at once, with your embedding and "
               "your cross-entropy. The GRU is the last part that is borrowed.",
    ),
    Stage(
        name="The gated recurrent unit",
        file="gru",
        operations=("gru_forward", "gru_backward"),
        lab="shakespeare-vae",
        command="train shakespeare-vae --limit 2000 --epochs 3",
        reward="Lines written word by word from a point of a latent space, by your own "
               "recurrence, forward and backward through time. This is the end of the course; in "
               "plain NumPy an epoch takes minutes, and more epochs write better lines.",
    ),
    Stage(
        name="Long short-term memory",
        file="lstm",
        operations=("lstm_forward", "lstm_backward"),
        lab=None,
        command="",
        reward="The check passes, and a few lines of Python train your LSTM to keep a number in "
               "its cell for twenty steps.",
        free=True,
        program=LSTM_PROGRAM,
    ),
    Stage(
        name="Layer normalisation",
        file="layernorm",
        operations=("layernorm_forward", "layernorm_backward"),
        lab=None,
        command="",
        reward="The check passes, and a small VAE of waves learns with your normalisation, the "
               "one that transformers are built with.",
        free=True,
        program=LAYERNORM_PROGRAM,
    ),
)

# After so many operations, in the order of the course, both passes of all layers of mnist-dense and
# its loss are the learner's own; its latent plane and its reconstructions need no other operation.
FIRST_GOAL = 5
