# %% [markdown]
# # The lab sheet `mnist-conv`: a VAE of handwritten digits made of convolutions
#
#     python examples/mnist_conv.py                   as the sheet has it: 10 epochs, some 4 minutes
#                                                     on two cores
#     python examples/mnist_conv.py --epochs 1        a quick look
#
# The model is in `scratchvae/labs/mnist_conv.py`. The same lab from the command line:
# `scratchvae train mnist-conv`. In a notebook, change the options in the next cell.

# %%
from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs.mnist_conv import LAB, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam

options = read_options(epochs=10, limit=None, data_dir=None, out="mnist_conv_figures")

# %% [markdown]
# ## The data
#
# Images of 28 x 28 pixels and one channel, in [0, 1].

# %%
data = load_mnist(options.data_dir)
note = data.description
print(note)
x_train = data.x_train[:options.limit]
x_test = data.x_test[:options.limit]
labels = data.y_test[:options.limit]

# %% [markdown]
# ## The model, and training
#
# Two convolutions with strides of 2 halve the image twice; two transposed convolutions double it
# again. The weights of a convolution are the same at every place of the image, so the network needs
# fewer of them than a dense one. The test set is the validation set.

# %%
vae = make_model(LAB.settings)
history = vae.fit(x_train, epochs=options.epochs, batch_size=128, optimizer=Adam(),
                  validation_data=x_test, seed=0)
show(vae)

# %% [markdown]
# ## The losses by epoch

# %%
show(plots.loss_curves(history, title="mnist-conv", note=note), options.out / "loss_curves.png")

# %% [markdown]
# ## The latent plane
#
# Where the encoder puts digits of the test set: each is a normal distribution with this mean.

# %%
z_mean, z_log_var = vae.encode(x_test)
figure = plots.latent_scatter(z_mean, labels, data.classes, title="Test digits in latent space",
                              note=note)
show(figure, options.out / "latent_scatter.png")

# %% [markdown]
# The decoder's images of the whole plane, in equal steps of the prior's probability.

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
# New digits: decoded from points drawn from the prior.

# %%
figure = plots.samples(vae.sample(30, seed=1), title="Samples", note=note)
show(figure, options.out / "samples.png")
