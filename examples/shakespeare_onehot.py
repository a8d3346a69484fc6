# %% [markdown]
# # The lab sheet `shakespeare-onehot`: a dense VAE reads a text word by word, and then writes
#
#     python examples/shakespeare_onehot.py               both variants, a few epochs of a part of
#                                                         the text
#     python examples/shakespeare_onehot.py --epochs 50 --limit 300000
#                                                         as the sheet has it, about half an hour
#
# As printed, the model learns to give back the word it is given, and writes by taking its most
# probable answer as the next word: it writes one word again and again. This lab shows that, and
# then what mends it.
#
# The model is in `scratchvae/labs/shakespeare_onehot.py`. The same lab from the command line:
# `scratchvae train shakespeare-onehot`. In a notebook, change the options in the next cell; the
# limit counts words.

# %%
import numpy as np

from scratchvae.analysis.metrics import distinct
from scratchvae.data import load_shakespeare
from scratchvae.labs.shakespeare_onehot import LAB, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam
from scratchvae.text import Vocabulary, clean, detokenize, tokenize

WORDS = 100
options = read_options(epochs=8, limit=60_000, data_dir=None)

# %% [markdown]
# ## The data
#
# Every word of the text in its order, as an index into the vocabulary. Its one-hot vector would be
# as long as the vocabulary, with a single number that is not zero.

# %%
text = load_shakespeare(options.data_dir)
print(text.description)
words = [word for line in clean(text.text).splitlines() for word in tokenize(line)][:options.limit]
vocabulary = Vocabulary.build([words], specials=())
x = vocabulary.encode(words)[:, np.newaxis]
print(f"{len(words):,} words, {len(vocabulary):,} different ones")

# %% [markdown]
# ## Writing
#
# Two ways to choose the next word: the most probable one, as the sheet does, or one drawn from the
# probabilities.

# %%
rng = np.random.default_rng(0)


def drawn(probabilities):
    """Return the index of a word, drawn from the probabilities of all words."""
    p = probabilities.astype(float)
    return int(rng.choice(len(p), p=p / p.sum()))


def write(vae, choose):
    """Return 100 words, each chosen from the probabilities that the model gives the last one."""
    written = [vocabulary.index("the")]
    for _ in range(WORDS):
        probabilities = vae.reconstruct([[written[-1]]])[0]
        written.append(choose(probabilities))
    return vocabulary.decode(written)


def train_and_write(target, inputs, outputs, kl_weight):
    """Train a model and print what it writes in both ways."""
    vae = make_model(LAB.settings | {"vocabulary_size": len(vocabulary), "kl_weight": kl_weight})
    vae.fit(inputs, y=outputs, epochs=options.epochs, batch_size=100, optimizer=Adam(), seed=0,
            shuffle=False)
    show(vae)
    for way, choose in (("argmax", np.argmax), ("drawn", drawn)):
        written = write(vae, choose)
        print(f"\ntarget: {target}; {way}: {distinct([written], 1):.0%} of its words are "
              f"different ones\n  {detokenize(written)}")


# %% [markdown]
# ## As printed: the word itself
#
# The target is the input. With the printed KL weight of 1 the KL divergence of a word costs more
# than its information gains, and the code carries nothing.

# %%
train_and_write("the word itself", x, None, 1.0)

# %% [markdown]
# ## What mends it: the next word
#
# The target is the next word of the text, and the KL divergence costs a hundredth.

# %%
train_and_write("the next word", x[:-1], x[1:], 0.01)

# %% [markdown]
# How many different words does the text itself have among as many?

# %%
print(f"The text itself: {distinct([words[:WORDS]], 1):.0%}")
