# %% [markdown]
# # The lab `shakespeare-vae`: lines written word by word from a latent code (Bowman et al. 2016)
#
#     python examples/shakespeare_vae.py                  15 epochs, about ten minutes
#     python examples/shakespeare_vae.py --epochs 3       a quick look
#
# The model is in `scratchvae/models/text_vae.py`, its settings in
# `scratchvae/labs/shakespeare_vae.py`. The same from the command line:
# `scratchvae train shakespeare-vae`, and then `scratchvae generate runs/shakespeare-vae`. In a
# notebook, change the options in the next cell.

# %%
import numpy as np

from scratchvae.analysis import metrics, plots
from scratchvae.data import load_shakespeare
from scratchvae.labs.shakespeare_vae import LAB, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam
from scratchvae.text import (
    END,
    PADDING,
    UNKNOWN,
    Vocabulary,
    clean,
    detokenize,
    lines,
    pad_sequences,
    tokenize,
)
from scratchvae.text.decoding import beam_search, sample
from scratchvae.text.modern import modernise, slangify

STEPS = 21                      # the longest line's words, and its end
options = read_options(epochs=15, units=256, limit=None, data_dir=None,
                       out="shakespeare_vae_figures")

# %% [markdown]
# ## The data
#
# Lines as words, every tenth held out. Words that occur only once become "unknown".

# %%
text = load_shakespeare(options.data_dir)
print(text.description)
sentences = [tokenize(line) for line in lines(clean(text.text))][:options.limit]
train = [words for i, words in enumerate(sentences) if i % 10]
test = sentences[::10]
vocabulary = Vocabulary.build(train, (PADDING, UNKNOWN, END), min_count=2)
end = vocabulary.end
x_train, x_test = (
    pad_sequences([np.append(vocabulary.encode(words), end) for words in part], STEPS,
                  "post", "post")
    for part in (train, test))

# %% [markdown]
# ## The model, and training
#
# A GRU reads a line in both directions, another one writes it, given z at every step. Four of the
# lab's settings keep the writer from ignoring z: dropout, words that it does not see
# (`word_dropout`), a KL weight that rises slowly, and a tenth of a nat of KL in each dimension that
# is not penalised (`free_bits`).

# %%
vae = make_model(LAB.settings | {"vocabulary_size": len(vocabulary), "units": options.units})
history = vae.fit(x_train, epochs=options.epochs, batch_size=64,
                  optimizer=Adam(global_clipnorm=5.0), validation_data=x_test, seed=0)
show(vae)

# %% [markdown]
# ## The losses by epoch
#
# The KL divergence must not fall to 0: then the writer would not use z.

# %%
figure = plots.loss_curves(history, title="shakespeare-vae", note=text.description,
                           ylabel="nats a line")
show(figure, options.out / "loss_curves.png")

# %% [markdown]
# ## How well it predicts
#
# The cost of held-out words in nats, by ten samples of z a line; the dimensions in use.

# %%
z_mean, _ = vae.encode(x_test)
predictions = np.count_nonzero(x_test)
nll = -metrics.importance_weighted(vae.log_weights(x_test, 10)).sum() / predictions
print(f"{nll:.3f} nats a word, perplexity {np.exp(nll):.0f}; "
      f"{metrics.active_units(z_mean)} of 32 dimensions are active")

# %% [markdown]
# ## New lines
#
# From random points of the prior; in today's English, and in slang.

# %%
rng = np.random.default_rng(1)
z = rng.standard_normal((8, 32), dtype=np.float32)
print("New lines:")
for words in sample(vae.step, vae.start(z), end, end, STEPS, rng, temperature=0.7,
                    forbidden=(0, 1)):
    line = detokenize(vocabulary.decode(words))
    print(f"  {line}\n      today: {modernise(line)}\n      slang: {slangify(line)}")

# %% [markdown]
# ## From one line to another
#
# The most probable lines on the path between two codes.

# %%
print(f"From: {detokenize(test[0])}   to: {detokenize(test[1])}")
for point in np.linspace(z_mean[0], z_mean[1], 7):
    found = beam_search(vae.step, vae.start(point[np.newaxis]), end, end, STEPS,
                        forbidden=(0, 1), length_penalty=1.5)
    words, _ = found[0]
    print(f"  {detokenize(vocabulary.decode(words))}")
