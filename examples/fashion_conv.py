# %% [markdown]
# # The lab sheet `fashion-conv`: a VAE of garments, beside the plain autoencoder
#
#     python examples/fashion_conv.py             as the sheet has it: 30 epochs, some 25 minutes on
#                                                 two cores for each of the two models
#     python examples/fashion_conv.py --epochs 1  a quick look
#
# The models are in `scratchvae/labs/fashion_autoencoder.py` and `fashion_conv.py`. The same lab
# from the command line: `scratchvae train fashion-autoencoder`, then
# `scratchvae train fashion-conv`. In a notebook, change the options in the next cell.

# %%
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_fashion_mnist
from scratchvae.labs import fashion_autoencoder, fashion_conv
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam

options = read_options(epochs=30, limit=None, data_dir=None, out="fashion_conv_figures")

# %% [markdown]
# ## The data
#
# Images in [0, 1], with a black border that makes them 32 x 32 pixels.

# %%
data = load_fashion_mnist(options.data_dir)
note = data.description
print(note)
x_train = fashion_conv.LAB.prepare(data.x_train[:options.limit])
x_test = fashion_conv.LAB.prepare(data.x_test[:options.limit])
labels = data.y_test[:options.limit]

# %% [markdown]
# ## The plain autoencoder
#
# An image becomes a point of the plane, and the point an image.

# %%
autoencoder = fashion_autoencoder.make_model(fashion_autoencoder.LAB.settings)
history = autoencoder.fit(x_train, epochs=options.epochs, batch_size=10, optimizer=Adam(),
                          validation_data=x_test, seed=0)
show(autoencoder)
figure = plots.loss_curves(history, title="fashion-autoencoder", note=note,
                           ylabel=fashion_autoencoder.LAB.unit)
show(figure, options.out / "loss_curves_autoencoder.png")

# %% [markdown]
# ## The VAE
#
# An image becomes a distribution over the plane. The sheet's validation figures are those of the
# last batch alone; these are means over the whole test set.

# %%
vae = fashion_conv.make_model(fashion_conv.LAB.settings)
history = vae.fit(x_train, epochs=options.epochs, batch_size=10, optimizer=Adam(),
                  validation_data=x_test, seed=0)
show(vae)
figure = plots.loss_curves(history, title="fashion-conv", note=note, ylabel=fashion_conv.LAB.unit)
show(figure, options.out / "loss_curves.png")

# %% [markdown]
# ## Two latent planes
#
# Where the two encoders put garments of the test set: scattered far, and around the origin.

# %%
embeddings = {"autoencoder": autoencoder.encode(x_test), "VAE": vae.encode(x_test)[0]}
figure = plots.latent_scatters(embeddings, labels, data.classes,
                               title="Test garments in two latent spaces", note=note)
show(figure, options.out / "latent_scatters.png")

# %% [markdown]
# The two decoders' images of the plane, from afar and nearer: with holes, and without. First the
# autoencoder's.


# %%
def grid(low, high, step):
    """Return a part of the plane: z_1 from low to high down the rows, z_2 in steps along them."""
    title = f"$z_1$ from {low} to {high}, $z_2$ in steps of {step}"
    return title, np.linspace(low, high, 11), step * np.arange(-5, 6)


grids = [grid(-8, 8, 1.5), grid(-5, 5, 1.0), grid(-3, 3, 0.8)]
figure = plots.decoded_grids(autoencoder.decode, grids, title="The autoencoder's plane", note=note)
show(figure, options.out / "grids_autoencoder.png")

# %% [markdown]
# Then the VAE's.

# %%
grids = [grid(-4, 4, 0.5), grid(-2, 1.5, 0.3), grid(-1.5, 0.7, 0.15)]
figure = plots.decoded_grids(vae.decode, grids, title="The VAE's plane", note=note)
show(figure, options.out / "grids.png")

# %% [markdown]
# The VAE's plane once more, in equal steps of the prior's probability.

# %%
figure = plots.manifold(vae.decode, title="The decoder's manifold", note=note)
show(figure, options.out / "manifold.png")

# %% [markdown]
# ## Reconstructions and samples
#
# Garments, and what two numbers keep of them.

# %%
figure = plots.reconstructions(x_test[:10], vae.reconstruct(x_test[:10]),
                               title="Originals and reconstructions", note=note)
show(figure, options.out / "reconstructions.png")

# %% [markdown]
# New garments: decoded from points drawn from the prior.

# %%
figure = plots.samples(vae.sample(30, seed=1), title="Samples", note=note)
show(figure, options.out / "samples.png")
