"""The figures that several labs have in common.

Each function draws figures of a run and returns a list of their paths. A figure that does not suit
the run, such as a plane of a latent space with eight dimensions, is left out.
"""
import numpy as np

from ..models import VAE

# Importing matplotlib takes a second, and training need not wait for it: each function imports it.


def title(run):
    """Return the name of a run's lab and how far it is trained."""
    return f"{run.lab.name}, epoch {run.epoch}"


def loss_curves(run):
    """Draw the losses by epoch, with the reference figures if the run is comparable."""
    from ..analysis import plots
    if not len(run.history):            # imported weights
        return []
    reference = [(r.epoch, r.val_loss, "reference, validation") for r in run.references
                 if isinstance(r.val_loss, float) and r.epoch <= len(run.history)]
    return [plots.loss_curves(run.history, run.figures / "loss_curves.png", title(run), run.note,
                              reference, run.lab.unit)]


def embedding(run):
    """Draw the latent codes of the test set, alone and beside those of the lab's partner."""
    from ..analysis import plots
    code = run.codes()
    if code.shape[1] < 2:
        return []
    labels = run.labels
    classes = run.data.classes
    paths = [plots.latent_scatter(code, labels, classes, run.figures / "latent_scatter.png",
                                  f"The test set in latent space ({title(run)})", run.note)]
    other = run.beside
    if other and other.model.latent_dim >= 2:
        both = {run.lab.name: code, other.lab.name: other.codes(run.x_test)}
        paths.append(plots.latent_scatters(
            both, labels, classes, run.figures / "latent_scatters.png",
            f"The test set in two latent spaces ({title(run)}; {title(other)})", run.note))
    return paths


def manifolds(run):
    """Draw the decoded latent plane, alone and beside that of the lab's partner.

    A conditional model has one for each class; its samples show the classes side by side.
    """
    from ..analysis import plots
    if run.model.latent_dim != 2 or run.is_conditional:
        return []
    paths = [plots.manifold(
        run.decode, run.figures / "manifold.png",
        f"The decoder's manifold, 5 % to 95 % of the prior ({title(run)})", run.note)]
    other = run.beside
    # The manifold follows the prior, which a plain autoencoder does not have.
    if other and isinstance(other.model, VAE) and other.model.latent_dim == 2:
        both = {run.lab.name: run.decode, other.lab.name: other.decode}
        paths.append(plots.manifolds(
            both, run.figures / "manifolds.png",
            f"Two decoders' manifolds ({title(run)}; {title(other)})", run.note))
    return paths


def grids(run, ranges):
    """Draw the latent plane, decoded at 11 x 11 points in each of several ranges.

    Parameters
    ----------
    run : ImageRun
    ranges : sequence of (low, high, step)
        Down the rows z_1 goes from low to high; along a row z_2 goes from -5 to 5 times step.

    Returns
    -------
    list of Path
    """
    from ..analysis import plots
    if run.model.latent_dim != 2 or run.is_conditional:
        return []
    parts = [(f"$z_1$ from {low} to {high}, $z_2$ in steps of {step}",
              np.linspace(low, high, 11), step * np.arange(-5, 6)) for low, high, step in ranges]
    return [plots.decoded_grids(run.decode, parts, run.figures / "grids.png",
                                f"The decoded latent plane ({title(run)})", run.note)]


def reconstructions(run, count=10):
    """Draw or write test examples and their reconstructions."""
    return [run.draw_reconstructions(count)]


def samples(run, count=None):
    """Draw or write new examples, decoded from random points of the prior."""
    return [run.draw_samples(count)]
