# %% [markdown]
# # The lab sheet `text-gru`: sentences through a bidirectional GRU and back, all words at once
#
#     python examples/text_gru.py                 as the sheet has it: 10 epochs, about five minutes
#     python examples/text_gru.py --epochs 1      a quick look
#     python examples/text_gru.py --text FILE     on your own sentences, one in a line
#
# The model is in `scratchvae/labs/text_gru.py`. The same lab from the command line:
# `scratchvae train text-gru`. In a notebook, change the options in the next cell.

# %%
import numpy as np

from scratchvae.analysis import plots
from scratchvae.analysis.metrics import bleu
from scratchvae.data import load_shakespeare, load_text
from scratchvae.labs.text_gru import LAB, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam
from scratchvae.text import Vocabulary, clean, detokenize, lines, pad_sequences, split, tokenize
from scratchvae.text.modern import modernise

STEPS = 20
MOST_WORDS = 10_000
options = read_options(epochs=10, limit=None, data_dir=None, text=None, out="text_gru_figures")

# %% [markdown]
# ## The data
#
# Lines as indices of words. Lines are padded with 0 or cut off behind 20 words.

# %%
source = load_text(options.text) if options.text else load_shakespeare(options.data_dir)
print(source.description)
sentences = [tokenize(line) for line in lines(clean(source.text))][:options.limit]
train, test = split(sentences, validation=0.2, seed=42)
vocabulary = Vocabulary.build(sentences, max_size=MOST_WORDS)
x_train, x_test = (
    pad_sequences([vocabulary.encode(words) for words in part], STEPS, "post", "post")
    for part in (train, test))
print(f"{len(train):,} sentences to train, {len(test):,} held out, {len(vocabulary):,} words")

# %% [markdown]
# ## The model, and training
#
# Two bidirectional GRUs read the sentence. The decoder repeats z for each word's place, and two
# other GRUs write all words from it, none from the word before.

# %%
vae = make_model(LAB.settings | {"vocabulary_size": len(vocabulary)})
history = vae.fit(x_train, epochs=options.epochs, batch_size=32, optimizer=Adam(),
                  validation_data=x_test, seed=0)
show(vae)

# %% [markdown]
# ## The losses by epoch

# %%
figure = plots.loss_curves(history, title="text-gru", note=source.description,
                           ylabel="nats a sentence")
show(figure, options.out / "loss_curves.png")

# %% [markdown]
# ## Reconstructions
#
# Sentences that were held out, and what comes back. BLEU-2 counts the words and pairs of words that
# both have: 1 is the same sentence. Common words and repetitions are all that such a decoder can
# do.


# %%
def sentences_of(z):
    """Return the most probable words of each step."""
    return [vocabulary.decode(row[row != 0]) for row in vae.decode(z).argmax(axis=2)]


z_mean, z_log_var = vae.encode(x_test[:100])
again = sentences_of(z_mean)
print(f"Reconstructions (BLEU-2 {bleu(test[:100], again, 2):.3f}):")
for words, other in zip(test[:5], again):
    print(f"  {detokenize(words)}\n    -> {detokenize(other)}")

# %% [markdown]
# ## Variations
#
# One sentence, decoded from samples of its posterior.

# %%
eps = np.random.default_rng(0).standard_normal((5, 32), dtype=np.float32)
print(f"Variations of: {detokenize(test[0])}")
for words in sentences_of(z_mean[0] + np.exp(z_log_var[0] / 2) * eps):
    print(f"  {detokenize(words)}")

# %% [markdown]
# ## From one sentence to another
#
# In equal steps; and the same in today's English.

# %%
print(f"From: {detokenize(test[0])}   to: {detokenize(test[1])}")
for words in sentences_of(np.linspace(z_mean[0], z_mean[1], 5)):
    print(f"  {detokenize(words):60} {modernise(detokenize(words))}")
