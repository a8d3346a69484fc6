"""Where random numbers come from during training: a function of (seed, step, stream), not a state."""

# Streams that are no layer's own.  Layers count from 0.
VALIDATION, SAMPLING, PRIOR, WORDS, IMPORTANCE = (2 ** 32 - n for n in (1, 2, 3, 4, 5))


class Noise:
    """Noise for one training step at a time: the model sets `step`, each layer draws from its own stream.

    The same seed and step give the same numbers on any backend and number of threads, and after a resumed run.
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
