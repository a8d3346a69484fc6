"""The figures that several labs have in common, from a run.  Each function draws some and returns their paths."""
import numpy as np

from ..models import VAE

# plots is imported inside the functions: matplotlib takes a second to import, and training can begin before it


def title(run):
    """What is shown: which lab, trained how far."""
    return f"{run.lab.name}, epoch {len(run.history)}"


def loss_curves(run):
    """Losses by epoch, with the reference's where this run can be compared."""
    from ..analysis import plots
    reference = [(r.epoch, r.val_loss, "reference, validation") for r in run.references
                 if isinstance(r.val_loss, float) and r.epoch <= len(run.history)]
    return plots.loss_curves(run.history, run.figures / "loss_curves.png", title(run), run.note, reference, run.lab.unit)


def embedding(run):
    """Where the encoder puts the test set, alone and beside the other lab that the sheet compares it with."""
    from ..analysis import plots
    labels = run.data.y_test[:len(run.x_test)]
    code = run.codes()
    if code.shape[1] < 2:
        return []
    paths = [plots.latent_scatter(code, labels, run.data.classes, run.figures / "latent_scatter.png",
                                  f"The test set in latent space ({title(run)})", run.note)]
    if run.beside and run.beside.model.latent_dim >= 2:
        both = {run.lab.name: code, run.beside.lab.name: run.beside.codes(run.x_test)}
        paths.append(plots.latent_scatters(both, labels, run.data.classes, run.figures / "latent_scatters.png",
                                           f"The test set in two latent spaces ({title(run)}; {title(run.beside)})", run.note))
    return paths


def manifolds(run):
    """The decoded latent plane, alone and beside the other lab's."""
    from ..analysis import plots
    if run.model.latent_dim != 2:
        return []
    paths = [plots.manifold(run.model.decode, run.figures / "manifold.png",
                            f"The decoder's manifold, 5 % to 95 % of the prior ({title(run)})", run.note)]
    if run.beside and isinstance(run.beside.model, VAE) and run.beside.model.latent_dim == 2:     # else there is no prior
        both = {run.lab.name: run.model.decode, run.beside.lab.name: run.beside.model.decode}
        paths.append(plots.manifolds(both, run.figures / "manifolds.png",
                                     f"Two decoders' manifolds ({title(run)}; {title(run.beside)})", run.note))
    return paths


def grids(run, ranges):
    """11 x 11 images for each range (low, high, step): z_1 from low to high down the rows, z_2 = step x (-5 ... 5) along them."""
    from ..analysis import plots
    if run.model.latent_dim != 2:
        return []
    parts = [(f"$z_1$ from {low} to {high}, $z_2$ in steps of {step}", np.linspace(low, high, 11), step * np.arange(-5, 6))
             for low, high, step in ranges]
    return [plots.decoded_grids(run.model.decode, parts, run.figures / "grids.png", f"The decoded latent plane ({title(run)})", run.note)]
