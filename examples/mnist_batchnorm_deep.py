# %% [markdown]
# # The lab sheet `mnist-batchnorm-deep`: 23 million parameters beside a baseline of 26 thousand
#
#     python examples/mnist_batchnorm_deep.py             as the sheet has it: 5 epochs of the deep
#                                                         network, some 15 minutes each on two cores
#     python examples/mnist_batchnorm_deep.py --epochs 1  a look that takes a quarter of an hour
#
# The models are in `scratchvae/labs/mnist_batchnorm.py` and `mnist_batchnorm_deep.py`. The same lab
# from the command line: `scratchvae train mnist-batchnorm-deep`. In a notebook, change the options
# in the next cell.

# %%
from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs import mnist_batchnorm, mnist_batchnorm_deep
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam

options = read_options(epochs=5, baseline_epochs=5, limit=None, data_dir=None,
                       out="mnist_batchnorm_deep_figures")

# %% [markdown]
# ## The data
#
# The last 20 % of the training images validate.

# %%
data = load_mnist(options.data_dir)
note = data.description
print(note)
x = data.x_train[:options.limit]
x_test = data.x_test[:options.limit]
labels = data.y_test[:options.limit]
kept = len(x) - len(x) // 5

# %% [markdown]
# ## Training
#
# Both networks are trained alike. Their losses have no KL term, as on the sheet.


# %%
def train(name, vae, epochs):
    """Train a network and show its table and its losses."""
    print(f"{name}:")
    history = vae.fit(x[:kept], epochs=epochs, batch_size=128, optimizer=Adam(),
                      validation_data=x[kept:], seed=0)
    show(vae)
    figure = plots.loss_curves(history, title=f"mnist-batchnorm, {name}", note=note,
                               ylabel=mnist_batchnorm.LAB.unit)
    show(figure, options.out / f"loss_curves_{name}.png")


# %% [markdown]
# First the baseline.

# %%
baseline = mnist_batchnorm.make_model(mnist_batchnorm.LAB.settings)
train("baseline", baseline, options.baseline_epochs)

# %% [markdown]
# Then the deep network. What do 900 times as many parameters buy?

# %%
deep = mnist_batchnorm_deep.make_model(mnist_batchnorm_deep.LAB.settings)
train("deep", deep, options.epochs)

# %% [markdown]
# ## Two latent planes
#
# Where the two encoders put digits of the test set; nothing keeps them near the prior.

# %%
vaes = {"baseline": baseline, "deep": deep}
z_means = {name: vae.encode(x_test)[0] for name, vae in vaes.items()}
figure = plots.latent_scatters(z_means, labels, data.classes,
                               title="Test digits in two latent spaces", note=note)
show(figure, options.out / "latent_scatters.png")

# %% [markdown]
# The two decoders' images of the whole plane, in equal steps of the prior's probability.

# %%
decoders = {name: vae.decode for name, vae in vaes.items()}
figure = plots.manifolds(decoders, title="Two decoders' manifolds", note=note)
show(figure, options.out / "manifolds.png")

# %% [markdown]
# ## Reconstructions and samples
#
# What the deep network keeps of digits.

# %%
figure = plots.reconstructions(x_test[:10], deep.reconstruct(x_test[:10]),
                               title="Originals and reconstructions", note=note)
show(figure, options.out / "reconstructions.png")

# %% [markdown]
# Its images of points drawn from the prior.

# %%
figure = plots.samples(deep.sample(30, seed=1), title="Samples", note=note)
show(figure, options.out / "samples.png")
