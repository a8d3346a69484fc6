# %% [markdown]
# # A tighter bound: the importance weighted autoencoder
#
#     python examples/iwae.py                         a quarter of an hour on two cores
#     python examples/iwae.py --epochs 1 --limit 2000 --draws 50      a quick look
#
# A VAE maximises a lower bound of log p(x), from one point z of each example. With k points the
# bound is tighter, and the posterior may be less simple than the encoder's normal distribution
# (Burda et al. 2016, "Importance weighted autoencoders"). The step is in
# `scratchvae/models/iwae.py`, with the gradient of Tucker et al. 2019.
#
# In a notebook, change the options in the next cell.

# %%
import numpy as np
from tqdm.auto import tqdm

from scratchvae.data import load_mnist
from scratchvae.layers import Dense
from scratchvae.models import IWAE
from scratchvae.notebook import read_options
from scratchvae.optimizers import Adam

options = read_options(epochs=20, limit=None, draws=5000, data_dir=None)
THEIRS = {1: 86.76, 5: 85.54, 50: 84.78}        # -log p(x) in their table 1, in nats
SCORED = 500                                    # test images

# %% [markdown]
# ## Data
#
# As in the paper, grey levels are probabilities, and each epoch draws black and white pixels anew.

# %%
data = load_mnist(options.data_dir)
print(data.description)


def binarised(images, seed):
    """Return images of 0 and 1, drawn with the grey levels as probabilities."""
    grey = images.reshape(-1, 784)
    return (np.random.default_rng(seed).random(grey.shape) < grey).astype(np.float32)


# %% [markdown]
# ## The model
#
# Burda's with one stochastic layer: 784 - 200 - 200 - 50 and back, tanh.


# %%
def make(k):
    """Return the model with k points of each example."""
    return IWAE([Dense(200, activation="tanh"), Dense(200, activation="tanh")], 50,
                [Dense(200, activation="tanh"), Dense(200, activation="tanh"),
                 Dense(784, activation="sigmoid")], samples=k)


# %% [markdown]
# ## Training
#
# `fit` goes on where the last one ended. The paper trains for 3,280 epochs, this script for a few.


# %%
def trained(k):
    """Return the model, trained with k points of each example."""
    model = make(k)
    optimizer = Adam(0.001, epsilon=1e-4)
    for epoch in tqdm(range(options.epochs), desc=f"k = {k}", unit="epoch", leave=False):
        x = binarised(data.x_train[:options.limit], seed=[1, epoch])
        model.fit(x, epochs=1, batch_size=100, optimizer=optimizer, progress=False)
    return model


# %% [markdown]
# ## The likelihood of new images
#
# `score_samples` is the same bound with 5,000 points, close to log p(x) itself. The standard error
# is that of the mean over the images. The last column is what a VAE's bound would say, the loss
# with one point: the smaller the gap, the better the encoder fits the true posterior.

# %%
x_test = binarised(data.x_test[:SCORED], seed=2)
print(f"{'k':>3}{'-log p(x)':>12}{'+-':>6}{'theirs':>9}{'one point':>11}")
for k in THEIRS:
    model = trained(k)
    nll = -model.score_samples(x_test, samples=options.draws)
    model.samples = 1
    one = model.evaluate(x_test)["loss"]
    error = nll.std() / np.sqrt(len(nll))
    print(f"{k:>3}{nll.mean():>12.2f}{error:>6.2f}{THEIRS[k]:>9.2f}{one:>11.2f}")

# %% [markdown]
# ## What to expect
#
# 15 epochs of 60,000 images, seed 0, 500 test images:
#
# | k | -log p(x) | theirs, 3,280 epochs | one point |
# |---|---|---|---|
# | 1 | 96.68 +- 1.27 | 86.76 | 101.91 |
# | 5 | 94.00 +- 1.22 | 85.54 | 102.45 |
# | 50 | 92.01 +- 1.18 | 84.78 | 106.47 |
#
# More points are better, by more than in the paper's long training. The last column goes the other
# way: with many points the encoder need not be good with one.
