"""Random numbers of training: a function of (seed, step, stream), not a state."""

# Streams that belong to no layer. Layers count from 0.
VALIDATION = 2 ** 32 - 1
SAMPLING = 2 ** 32 - 2
PRIOR = 2 ** 32 - 3
WORDS = 2 ** 32 - 4
IMPORTANCE = 2 ** 32 - 5


class Noise:
    """The noise of one training step at a time.

    The model sets `step`, and each layer draws from its own stream. The same seed and step give the
    same numbers on any backend and number of threads, and in a resumed run.

    Parameters
    ----------
    kernels : module
        The backend that draws.
    seed : int
    """

    def __init__(self, kernels, seed=0):
        self.kernels = kernels
        self.seed = seed
        self.step = 0

    def normal(self, out, stream):
        """Fill out with N(0, 1)."""
        self.kernels.normal(out, self.seed, self.step, stream)

    def uniform(self, out, stream):
        """Fill out with U[0, 1)."""
        self.kernels.uniform(out, self.seed, self.step, stream)


class CommonNoise(Noise):
    """The same noise for each example, so that no result depends on the other examples."""

    def normal(self, out, stream):
        """Fill each row of out (N, J) with the same J numbers of N(0, 1)."""
        row = self.kernels.empty((1, out.shape[1]), out.dtype)
        super().normal(row, stream)
        self.kernels.repeat_forward(row, out.reshape(1, *out.shape))
