# %% [markdown]
# # The lab sheet `mnist-dense`: a VAE of handwritten digits, with a latent plane to look at
#
#     python examples/mnist_dense.py              as the sheet has it: 50 epochs, a minute or two
#     python examples/mnist_dense.py --epochs 5   a quick look
#
# The model is in `scratchvae/labs/mnist_dense.py`. The same lab from the command line:
# `scratchvae train mnist-dense`. In a notebook, change the options in the next cell.

# %%
from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs.mnist_dense import LAB, PIXELS, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import RMSprop

options = read_options(epochs=50, limit=None, data_dir=None, out="mnist_dense_figures")

# %% [markdown]
# ## The data
#
# Images in [0, 1], one row of 784 numbers each. The labels are for the colours of a figure alone:
# the model never sees them.

# %%
data = load_mnist(options.data_dir)
note = data.description
print(note)
x_train = data.x_train[:options.limit].reshape(-1, PIXELS)
x_test = data.x_test[:options.limit].reshape(-1, PIXELS)
labels = data.y_test[:options.limit]

# %% [markdown]
# ## The model, and training
#
# The encoder turns an image into a normal distribution over the plane: two means, two logarithms
# of variances. The decoder turns a point of the plane into 784 probabilities. The loss is the
# reconstruction loss, a sum over the pixels in nats, plus the KL divergence from the prior
# N(0, 1). The test set is the validation set, as on the sheet.

# %%
vae = make_model(LAB.settings)
history = vae.fit(x_train, epochs=options.epochs, batch_size=100, optimizer=RMSprop(),
                  validation_data=x_test, seed=0)
show(vae)

# %% [markdown]
# ## The losses by epoch
#
# The reconstruction loss falls. After the first epochs the KL divergence rises: a better image
# costs a more precise code. After 50 epochs this model is at about 151 nats on the test set.

# %%
show(plots.loss_curves(history, title="mnist-dense", note=note), options.out / "loss_curves.png")

# %% [markdown]
# ## The latent plane
#
# Where the encoder puts digits of the test set: each is a normal distribution with this mean. Look
# for digits that overlap (4 and 9, 3, 5 and 8): two numbers cannot keep them apart.

# %%
z_mean, z_log_var = vae.encode(x_test)
figure = plots.latent_scatter(z_mean, labels, data.classes, title="Test digits in latent space",
                              note=note)
show(figure, options.out / "latent_scatter.png")

# %% [markdown]
# The decoder's images of the whole plane, in equal steps of the prior's probability. Neighbours
# change into one another without a gap.

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
