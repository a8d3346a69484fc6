"""What is measured of a model while it is validated."""
import numpy as np

from ..shards import ONE

THRESHOLD = 0.01                # of the variance of a latent dimension that is used


class ActiveUnits:
    """Counts the latent dimensions whose z_mean varies over the examples (Burda et al. 2016).

    Parameters
    ----------
    model : Model
        A VAE; of other models nothing is counted.
    processes : optional
        Those that divide the batches among them, see scratchvae.shards.
    """

    def __init__(self, model, processes=ONE):
        self.model = model
        self.processes = processes
        self.parts = []                     # of each batch: the examples, sums (J,) over them of mu
        #                                                    and of mu^2

    def add(self):
        """Add the examples of the model's last forward pass."""
        if not hasattr(self.model, "z_mean"):
            return
        mu = self.model.kernels.to_host(self.model.mu).astype(np.float64)
        self.parts.append((len(mu), mu.sum(axis=0), np.square(mu).sum(axis=0)))

    def count(self):
        """Return the number of dimensions in use, or None if the model has no z_mean."""
        parts = self.processes.collect(self.parts)
        if not parts:
            return None
        examples, sums, squares = map(sum, zip(*parts))
        variance = squares / examples - np.square(sums / examples)
        return int((variance > THRESHOLD).sum())
