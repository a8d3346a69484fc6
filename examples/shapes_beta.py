# %% [markdown]
# # The lab `shapes-beta`: a code of factors that are known
#
#     python examples/shapes_beta.py                  20 epochs, some 12 minutes on two cores
#     python examples/shapes_beta.py --epochs 1       a quick look
#
# The model is in `scratchvae/labs/shapes_beta.py`. The same lab from the command line:
# `scratchvae train shapes-beta`. In a notebook, change the options in the next cell. This lab has
# no printed sheet; it follows Higgins et al. 2017, "beta-VAE".

# %%
from scratchvae.analysis import metrics, plots
from scratchvae.analysis.disentanglement import MEANINGS, evaluate, factor_information
from scratchvae.data import load_shapes
from scratchvae.data.shapes import FACTORS, known_factors
from scratchvae.labs.shapes_beta import LAB, make_model, ordinary
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam

options = read_options(epochs=20, limit=None, out="shapes_beta_figures")

# %% [markdown]
# ## The data
#
# The library draws them: nothing is downloaded. Each image is one combination of five factors, a
# shape, its scale, its orientation, and the place of its centre. Nobody tells the model.

# %%
data = load_shapes()
note = data.description
print(note)
x_train = data.x_train[:options.limit]
x_test = data.x_test[:options.limit]
factors = known_factors(x_test)                         # (N, 5), each counted from 0

titles = [f"{data.classes[shape]}, {FACTORS['scale'][scale]:.1f}" for shape, scale, *_ in factors]
figure = plots.samples(x_test[:20], title="The data", note=note, titles=titles[:20])
show(figure, options.out / "data.png")

# %% [markdown]
# ## The model, and training
#
# Four convolutions halve the image, four transposed ones double it again. The KL divergence counts
# `kl_weight` times, beta in the paper. A large beta makes the code say less, and dimensions that
# say nothing are free: so the model spends few of them.

# %%
vae = make_model(LAB.settings)
history = vae.fit(x_train, epochs=options.epochs, batch_size=LAB.batch_size,
                  optimizer=Adam(LAB.settings["learning_rate"]), validation_data=x_test, seed=0)
show(vae)

# %% [markdown]
# ## The losses by epoch

# %%
show(plots.loss_curves(history, title="shapes-beta", note=note), options.out / "loss_curves.png")

# %% [markdown]
# ## Originals and reconstructions

# %%
figure = plots.reconstructions(x_test[:10], vae.reconstruct(x_test[:10]),
                               title="Test images and their reconstructions", note=note)
show(figure, options.out / "reconstructions.png")

# %% [markdown]
# ## Each dimension moved
#
# An ordinary test image, decoded with one coordinate from -3 to 3 in each row. The dimension that
# carries most is on top; those that carry nothing change nothing.

# %%
z_mean, z_log_var = vae.encode(x_test)
kl = metrics.kl_of_dimensions(z_mean, z_log_var)
figure = plots.traversals(vae.decode, ordinary(z_mean), kl, title="Each latent dimension moved",
                          note=note)
show(figure, options.out / "traversals.png")

# %% [markdown]
# ## Which dimension knows which factor
#
# The mutual information of a dimension and a factor, as a part of all there is to know about the
# factor. In a code that keeps the factors apart, each row has one dark field, and so has each
# column that is in use.

# %%
figure = plots.factor_information(*factor_information(z_mean, factors), tuple(FACTORS), kl,
                                  title="What each dimension knows of each factor", note=note)
show(figure, options.out / "information.png")

# %% [markdown]
# ## The measures
#
# Five papers measure this in five ways. `scratchvae evaluate RUN` prints the same for a run.

# %%
for name, value in evaluate(vae, x_test).items():
    print(f"{value:.3f}  {MEANINGS[name]}")
