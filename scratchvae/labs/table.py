"""table: a VAE of the rows of a table, with a learnt variance for each column of numbers."""
from ..layers import Dense, FillMissing, LearntVariance
from .objective import KL_SETTINGS, make_vae
from .table_figures import codes, correlations, loss_curves, marginals, samples
from .table_lab import TableLab, columns_of


def make_model(settings, backend="cpu"):
    """Return a VAE of dense layers, whose loss is -log p of the row.

    The encoder reads missing numbers as their mean, 0. The decoder gives means of the numbers and
    logits of the categories; the variances of the numbers are parameters.
    """
    numbers, sizes = columns_of(settings)
    units = settings["units"]
    return make_vae(
        settings,
        encoder=[FillMissing(), Dense(units, activation="relu"), Dense(units, activation="relu")],
        latent_dim=settings["latent_dim"],
        decoder=[
            Dense(units, activation="relu"),
            Dense(units, activation="relu"),
            Dense(numbers + sum(sizes)),
            *([LearntVariance(numbers)] if numbers else []),
        ],
        reconstruction=f"table({', '.join(map(str, sizes))})" if sizes else "table",
        backend=backend,
    )


LAB = TableLab(
    number=11,
    name="table",
    title="Rows of a table, numbers and categories",
    data="your own table (--csv), or one of invented weather",
    example_shape=(13,),
    epochs=100,
    batch_size=50,
    settings={"latent_dim": 4, "units": 64, "learning_rate": 0.002, **KL_SETTINGS},
    small_settings={"latent_dim": 2, "units": 4},
    make_model=make_model,
    parameters=10_907,
    unit="nats a row",
    figures=(loss_curves, codes, marginals, correlations, samples),
)
