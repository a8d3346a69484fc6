# %% [markdown]
# # The lab sheet `fashion-autoencoder`: a plain autoencoder of garments, with a latent plane
#
#     python examples/fashion_autoencoder.py              as the sheet has it: 30 epochs, some 25
#                                                         minutes on two cores
#     python examples/fashion_autoencoder.py --epochs 1   a quick look
#
# The model is in `scratchvae/labs/fashion_autoencoder.py`. The same lab from the command line:
# `scratchvae train fashion-autoencoder`. In a notebook, change the options in the next cell.

# %%
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_fashion_mnist
from scratchvae.labs.fashion_autoencoder import LAB, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam

options = read_options(epochs=30, limit=None, data_dir=None, out="fashion_autoencoder_figures")

# %% [markdown]
# ## The data
#
# Images in [0, 1], with a black border that makes them 32 x 32 pixels.

# %%
data = load_fashion_mnist(options.data_dir)
note = data.description
print(note)
x_train = LAB.prepare(data.x_train[:options.limit])
x_test = LAB.prepare(data.x_test[:options.limit])
labels = data.y_test[:options.limit]

# %% [markdown]
# ## The model, and training
#
# The encoder turns an image into one point of the plane, and the decoder turns the point into an
# image. There is no distribution and no KL divergence. The test set is the validation set, as on
# the sheet.

# %%
autoencoder = make_model(LAB.settings)
history = autoencoder.fit(x_train, epochs=options.epochs, batch_size=10, optimizer=Adam(),
                          validation_data=x_test, seed=0)
show(autoencoder)

# %% [markdown]
# ## The losses by epoch

# %%
figure = plots.loss_curves(history, title="fashion-autoencoder", note=note, ylabel=LAB.unit)
show(figure, options.out / "loss_curves.png")

# %% [markdown]
# ## The latent plane
#
# Where the encoder puts garments of the test set: each is one point. Nothing keeps the points near
# the origin, or near one another.

# %%
z = autoencoder.encode(x_test)
figure = plots.latent_scatter(z, labels, data.classes, title="Test garments in latent space",
                              note=note)
show(figure, options.out / "latent_scatter.png")

# %% [markdown]
# The decoder's images of the plane, from afar and nearer: there are holes between the points, and
# what is decoded there is no garment.


# %%
def grid(low, high, step):
    """Return a part of the plane: z_1 from low to high down the rows, z_2 in steps along them."""
    title = f"$z_1$ from {low} to {high}, $z_2$ in steps of {step}"
    return title, np.linspace(low, high, 11), step * np.arange(-5, 6)


grids = [grid(-8, 8, 1.5), grid(-5, 5, 1.0), grid(-3, 3, 0.8)]
figure = plots.decoded_grids(autoencoder.decode, grids, title="The decoded latent plane", note=note)
show(figure, options.out / "grids.png")

# %% [markdown]
# ## Reconstructions
#
# Garments, and what two numbers keep of them.

# %%
figure = plots.reconstructions(x_test[:10], autoencoder.reconstruct(x_test[:10]),
                               title="Originals and reconstructions", note=note)
show(figure, options.out / "reconstructions.png")
