"""The figures of the labs, for the screen and for print.

Each function draws one figure, writes it to a PNG file and returns the path. All take these
arguments:

    path        where to write the figure; missing folders are made
    title       the title above the figure
    note        a small line at its foot, such as the source of the data
"""
from ..pictures import as_images, tile
from . import backend
from .curves import loss_curves, step_curve
from .images import progress_pairs, reconstructions, samples
from .latent import kl_by_dimension, latent_histogram, latent_scatter, latent_scatters
from .plane import decoded_grids, manifold, manifolds
from .traversal import traversal
