# %% [markdown]
# # The lab sheet `mnist-latent8`: handwritten digits through eight dimensions, step by step
#
#     python examples/mnist_latent8.py              as the sheet has it: 32 epochs, some 35 minutes
#                                                   on two cores
#     python examples/mnist_latent8.py --epochs 1   a quick look
#
# The model is in `scratchvae/labs/mnist_latent8.py`. The same lab from the command line:
# `scratchvae train mnist-latent8`. In a notebook, change the options in the next cell. An epoch has
# 938 steps, and the sheet 30,000.

# %%
import numpy as np

from scratchvae.analysis import plots
from scratchvae.data import load_mnist
from scratchvae.labs.mnist_latent8 import LAB, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam
from scratchvae.runs.record import Record

options = read_options(epochs=32, every=200, limit=None, data_dir=None,
                       out="mnist_latent8_figures")

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
# The settings are those of the sheet: convolutions without activations, and dropout that keeps
# everything. The callback records the loss of every step, and an image with its output now and
# then.

# %%
vae = make_model(LAB.settings)
record = Record(vae, options.every)
history = vae.fit(x_train, epochs=options.epochs, batch_size=64,
                  optimizer=Adam(0.0005, epsilon=1e-8), validation_data=x_test, seed=0,
                  callbacks=[record])
show(vae)

# %% [markdown]
# ## The losses
#
# By epoch, and by step.

# %%
figure = plots.loss_curves(history, title="mnist-latent8", note=note, ylabel=LAB.unit)
show(figure, options.out / "loss_curves.png")

# %%
figure = plots.step_curve(record.steps, record.losses, title="Loss of each batch", note=note,
                          ylabel=LAB.unit)
show(figure, options.out / "loss_by_step.png")

# %% [markdown]
# ## Learning, image by image
#
# Inputs, and the network's outputs as it learns. Early outputs are blurred, and many alike.

# %%
if record.recorded:
    figure = plots.progress_pairs(record.recorded, np.array(record.inputs),
                                  np.array(record.outputs),
                                  title="Inputs and outputs during training", note=note)
    show(figure, options.out / "progress.png")

# %% [markdown]
# ## Samples
#
# New digits: decoded from points drawn from the prior.

# %%
figure = plots.samples(vae.sample(10), title="Samples", note=note,
                       titles=f"n_latent={vae.latent_dim}")
show(figure, options.out / "samples.png")

# %% [markdown]
# ## One coordinate
#
# How test digits spread over one of the eight coordinates; all together should resemble the prior.

# %%
z_mean, z_log_var = vae.encode(x_test)
figure = plots.latent_histogram(z_mean[:, 0], title="The first coordinate of the test digits",
                                note=note)
show(figure, options.out / "histogram.png")

# %% [markdown]
# What that coordinate means: the first test digit, decoded with it at -2.4, -2.3, ... 2.5, as an
# animation and on one sheet.

# %%
values = -2.4 + 0.1 * np.arange(50)
for path in plots.traversal(vae.decode, z_mean[0], 0, values, options.out,
                            title="One coordinate moved", note=note):
    show(path)

# %% [markdown]
# ## Two coordinates, and eight
#
# Two of the eight coordinates; the other six keep apart what overlaps here.

# %%
figure = plots.latent_scatter(z_mean, labels, data.classes, title="Test digits in latent space",
                              note=note)
show(figure, options.out / "latent_scatter.png")

# %% [markdown]
# Digits, and what eight numbers keep of them.

# %%
figure = plots.reconstructions(x_test[:10], vae.reconstruct(x_test[:10]),
                               title="Originals and reconstructions", note=note)
show(figure, options.out / "reconstructions.png")
