# %% [markdown]
# # The lab `table`: rows of a table, numbers and categories
#
#     python examples/table.py                  invented weather, a quarter of a minute
#     python examples/table.py --csv FILE       a table of your own, with names in its first line
#
# A row has numbers, categories, and cells that are missing. The model learns how the columns hang
# together, and how much noise each one has. It draws new rows, fills in missing cells, and finds
# rows that do not fit. The model is in `scratchvae/labs/table.py`. From the command line:
# `scratchvae train table --csv FILE`. In a notebook, change the options in the next cell.

# %%
import numpy as np

from scratchvae.analysis import metrics, plots
from scratchvae.data import load_table
from scratchvae.data.tables import demonstration
from scratchvae.data.tables.weather import NOISE
from scratchvae.labs.table import LAB, make_model
from scratchvae.notebook import read_options, show
from scratchvae.optimizers import Adam

options = read_options(csv=None, epochs=100, out="table_figures")

# %% [markdown]
# ## The table
#
# Numbers are standardised: minus the column's mean, divided by its standard deviation. A category
# is one-hot. What was learnt of the columns, `table.columns`, turns rows into numbers and back.
#
# The weather is made by the library: two hidden numbers, warmth and calm, decide all columns but
# for noise, whose standard deviations are known.

# %%
table = load_table(options.csv) if options.csv else demonstration()
columns = table.columns
note = table.description
print(note, *table.notes, sep="\n")
print("as read:      ", [np.asarray(cells, object)[0] for cells in table.raw.values()])
print("for the model:", table.x[0].round(2))

# %% [markdown]
# ## The model, and training
#
# The decoder gives the mean $\mu_d$ of each number. The variance $\sigma_d^2$ of its noise is a
# parameter, one for each column, and learnt as all others are (Rybkin et al. 2021):
#
# $$-\log p(x|z) = \frac12 \sum_d \left( \log 2\pi + \log\sigma_d^2
# + \frac{(x_d - \mu_d)^2}{\sigma_d^2} \right) - \sum_g \log p(\text{category}_g).$$
#
# With it, no weight has to be chosen between columns, nor between the reconstruction and the KL
# divergence. Missing cells are left out of the sums. The forward and backward pass are in
# `kernels/reference/table_losses.py`.

# %%
vae = make_model(LAB.settings | {"numbers": len(columns.numbers), "sizes": columns.sizes})
history = vae.fit(table.x_train, epochs=options.epochs, batch_size=50, optimizer=Adam(0.002),
                  validation_data=table.x_test, seed=0)
show(vae)

# %%
figure = plots.loss_curves(history, title="table", note=note, ylabel=LAB.unit)
show(figure, options.out / "loss_curves.png")

# %% [markdown]
# ## How much noise each column has
#
# The learnt standard deviations in the columns' own units, beside the standard deviation of the
# whole column. Of the weather, the noise that was put in is known. The learnt ones come near it
# from above: they also contain what the code leaves open.

# %%
deviations = vae.decoder.layers["learnt_variance"].standard_deviations
for column, deviation in zip(columns.numbers, deviations):
    true = "" if options.csv else f"   put in {NOISE[column.name]:.2f}"
    print(f"{column.name:<14}column {column.scale:8.2f}   learnt noise "
          f"{deviation * column.scale:6.2f}{true}")

# %% [markdown]
# ## New rows
#
# A point of the prior is decoded, and noise is added. The correlations show whether new rows have
# the dependences of the table.

# %%
rng = np.random.default_rng(0)
names = [column.name for column in columns.numbers]
new = columns.decode(columns.draw(vae.sample(len(table.x_test)), deviations, rng))
for name, values in new.items():
    print(f"{name:<14}", *(f"{v:10.4g}" if name in names else f"{v:>10}" for v in values[:5]))
test = columns.decode(table.x_test)
figure = plots.marginals(test, new, title="Columns of the test rows and of new rows", note=note)
show(figure, options.out / "marginals.png")

# %%
parts = {"test rows": test, "new rows": new}
figure = plots.correlations(
    {title: {name: rows[name] for name in names} for title, rows in parts.items()},
    title="Correlations of the columns", note=note)
show(figure, options.out / "correlations.png")

# %% [markdown]
# ## Missing cells
#
# Known numbers of the test rows are hidden, one in ten, and the model fills them in. The error is
# in standard deviations of the columns; to fill in the mean would give about 1.

# %%
numbers = slice(0, len(names))
hidden = np.zeros(table.x_test.shape, bool)
hidden[:, numbers] = rng.random((len(hidden), len(names))) < 0.1
hidden &= ~np.isnan(table.x_test)
filled = vae.reconstruct(np.where(hidden, np.nan, table.x_test))
for what, values in {"the model": filled, "the mean": np.zeros_like(filled)}.items():
    error = np.sqrt(np.square((values - table.x_test)[hidden]).mean())
    print(f"root mean squared error of {hidden.sum():,} hidden cells, filled in by {what}: "
          f"{error:.2f}")

# %% [markdown]
# ## Rows that do not fit
#
# In a tenth of the test rows, half of the numbers are exchanged with those of other rows. Each cell
# is as usual as before; the row is not. Low log p(x) finds them.

# %%
x = table.x_test.copy()
unusual = rng.random(len(x)) < 0.1
for d in range(0, len(names), 2):
    x[unusual, d] = rng.permutation(x[unusual, d])
scores = vae.score_samples(x, samples=50)
figure = plots.detection(scores, unusual, title="log p(x) of rows, some with exchanged cells",
                         note=note, kinds=("usual rows", "exchanged rows"), xlabel="log p(x), nats")
show(figure, options.out / "detection.png")
print(f"ROC area {metrics.roc_area(-scores, unusual):.3f}")
