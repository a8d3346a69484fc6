"""The figures of the labs, for the screen and for print.

Each function draws one figure. With a path it writes a PNG file and returns the path; without one
it returns the figure, which a notebook shows. All take these arguments:

    path        where to write the figure; missing folders are made; default: nowhere
    title       the title above the figure
    note        a small line at its foot, such as the source of the data
"""
from ..pictures import as_images, tile
from . import backend
from .curves import loss_curves, step_curve
from .factors import factor_information, traversals
from .figure import write
from .images import progress_pairs, reconstructions, samples
from .latent import kl_by_dimension, latent_histogram, latent_scatter, latent_scatters
from .plane import decoded_grids, manifold, manifolds
from .scores import detection, extremes
from .tables import correlations, marginals
from .traversal import traversal
