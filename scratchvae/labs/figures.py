"""Figures that several labs have in common.

Each function takes a run, draws, and returns the paths. A lab lists those that it wants.
"""
import numpy as np

from ..models import VAE

# plots is imported inside the functions: matplotlib takes a second to import, and training can
# begin before it.

GRID = 11                       # images along each side of a decoded grid
RECONSTRUCTIONS = 10
SAMPLES = 30


def title(run):
    """Return what is shown: which lab, trained how far."""
    return f"{run.lab.name}, epoch {len(run.history)}"


def loss_curves(run):
    """Losses by epoch, with the reference's where this run can be compared."""
    from ..analysis import plots
    reference = [(r.epoch, r.val_loss, "reference, validation") for r in run.references
                 if isinstance(r.val_loss, float) and r.epoch <= len(run.history)]
    return [plots.loss_curves(run.history, run.figures / "loss_curves.png", title(run), run.note,
                              reference, run.lab.unit)]


def embedding(run):
    """The test set in latent space, alone and beside the partner lab's."""
    from ..analysis import plots
    labels = run.data.y_test[:len(run.x_test)]
    code = run.codes()
    if code.shape[1] < 2:
        return []
    paths = [plots.latent_scatter(code, labels, run.data.classes,
                                  run.figures / "latent_scatter.png",
                                  f"The test set in latent space ({title(run)})", run.note)]
    other = run.beside
    if other and other.model.latent_dim >= 2:
        both = {run.lab.name: code, other.lab.name: other.codes(run.x_test)}
        heading = f"The test set in two latent spaces ({title(run)}; {title(other)})"
        paths.append(plots.latent_scatters(both, labels, run.data.classes,
                                           run.figures / "latent_scatters.png", heading, run.note))
    return paths


def manifolds(run):
    """The decoded latent plane, alone and beside the partner lab's."""
    from ..analysis import plots
    if run.model.latent_dim != 2:
        return []
    heading = f"The decoder's manifold, 5 % to 95 % of the prior ({title(run)})"
    paths = [plots.manifold(run.model.decode, run.figures / "manifold.png", heading, run.note)]
    other = run.beside
    if other and isinstance(other.model, VAE) and other.model.latent_dim == 2:
        both = {run.lab.name: run.model.decode, other.lab.name: other.model.decode}
        heading = f"Two decoders' manifolds ({title(run)}; {title(other)})"
        paths.append(plots.manifolds(both, run.figures / "manifolds.png", heading, run.note))
    return paths


def grids(*ranges):
    """Return a figure of decoded grids over the latent plane.

    Parameters
    ----------
    *ranges : (low, high, step)
        One grid each: z_1 from low to high down the rows, z_2 = step x (-5 ... 5) along them.
    """
    def draw(run):
        from ..analysis import plots
        if run.model.latent_dim != 2:
            return []
        parts = [(f"$z_1$ from {low} to {high}, $z_2$ in steps of {step}",
                  np.linspace(low, high, GRID), step * np.arange(-(GRID // 2), GRID // 2 + 1))
                 for low, high, step in ranges]
        return [plots.decoded_grids(run.model.decode, parts, run.figures / "grids.png",
                                    f"The decoded latent plane ({title(run)})", run.note)]
    return draw


def reconstructions(run):
    """Test examples above their reconstructions."""
    return [run.draw_reconstructions(RECONSTRUCTIONS)]


def samples(run):
    """New examples from random points of the prior."""
    return [run.draw_samples(SAMPLES)]


PLANE = (loss_curves, embedding, manifolds, reconstructions, samples)       # of a latent plane
