"""What is measured of a model while it is validated."""
import numpy as np

THRESHOLD = 0.01                # of the variance of a latent dimension that is used


class ActiveUnits:
    """Counts the latent dimensions whose z_mean varies over the examples (Burda et al. 2016).

    Parameters
    ----------
    model : Model
        A VAE; of other models nothing is counted.
    """

    def __init__(self, model):
        self.model = model
        self.examples = 0
        self.sums = 0.0                     # (J,) over the examples
        self.squares = 0.0

    def add(self):
        """Add the examples of the model's last forward pass."""
        if not hasattr(self.model, "z_mean"):
            return
        mu = self.model.kernels.to_host(self.model.mu).astype(np.float64)
        self.examples += len(mu)
        self.sums += mu.sum(axis=0)
        self.squares += np.square(mu).sum(axis=0)

    def count(self):
        """Return the number of dimensions in use, or None if the model has no z_mean."""
        if not self.examples:
            return None
        variance = self.squares / self.examples - np.square(self.sums / self.examples)
        return int((variance > THRESHOLD).sum())
