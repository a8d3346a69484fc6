# %% [markdown]
# # The lab sheet `mnist-batchnorm`: a small convolutional VAE, batch-normalised throughout
#
#     python examples/mnist_batchnorm.py              as the sheet has it: 50 epochs, some 3 minutes
#                                                     on two cores
#     python examples/mnist_batchnorm.py --epochs 5   a quick look
#
# The model is in `scratchvae/labs/mnist_batchnorm.py`. The same lab from the command line:
# `scratchvae train mnist-batchnorm`. In a notebook, change the options in the next cell.

# %%
from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs.mnist_batchnorm import LAB, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam

options = read_options(epochs=50, limit=None, data_dir=None, out="mnist_batchnorm_figures")

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
x_train = x[:kept]
x_validation = x[kept:]

# %% [markdown]
# ## The model, and training
#
# The model normalises by the mean and variance of each batch in training, and by their moving
# averages afterwards: the table counts these, too, but no gradient trains them.
#
# The loss that the sheet compiles has no KL term: the lab's `kl_weight` is 0, and 1 / 784 would
# make it an ELBO.

# %%
vae = make_model(LAB.settings)
history = vae.fit(x_train, epochs=options.epochs, batch_size=128, optimizer=Adam(),
                  validation_data=x_validation, seed=0)
show(vae)

# %% [markdown]
# ## The losses by epoch
#
# The KL divergence is measured, but it is not part of the loss: nothing stops it from growing.

# %%
figure = plots.loss_curves(history, title="mnist-batchnorm", note=note, ylabel=LAB.unit)
show(figure, options.out / "loss_curves.png")

# %% [markdown]
# ## The latent plane
#
# Where the encoder puts digits of the test set; nothing keeps them near the prior. Compare the axes
# with those of `mnist-dense`.

# %%
z_mean, z_log_var = vae.encode(x_test)
figure = plots.latent_scatter(z_mean, labels, data.classes, title="Test digits in latent space",
                              note=note)
show(figure, options.out / "latent_scatter.png")

# %% [markdown]
# The decoder's images of the plane, in equal steps of the prior's probability. Codes that lie
# outside of this range are not shown.

# %%
figure = plots.manifold(vae.decode, title="The decoder's manifold", note=note)
show(figure, options.out / "manifold.png")

# %% [markdown]
# ## Reconstructions and samples
#
# Above digits of the test set, below what two numbers keep of them.

# %%
figure = plots.reconstructions(x_test[:10], vae.reconstruct(x_test[:10]),
                               title="Originals and reconstructions", note=note)
show(figure, options.out / "reconstructions.png")

# %% [markdown]
# New images: decoded from points drawn from the prior.

# %%
figure = plots.samples(vae.sample(30, seed=1), title="Samples", note=note)
show(figure, options.out / "samples.png")
