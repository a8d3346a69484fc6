"""Checks of codes and factors, and examples that share the value of a factor."""
import numpy as np

from ...errors import ScratchVAEError


def check(codes, factors):
    """Return codes (N, J) as float64 and factors (N, K) as int64; raise an error if they are not.

    Raises
    ------
    ScratchVAEError
        If the shapes do not match, a code is not finite, or a factor is no whole number from 0.
    """
    codes = np.asarray(codes, np.float64)
    factors = np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or not codes.size:
        raise ScratchVAEError("codes and factors must have shapes (N, J) and (N, K), "
                              f"got {codes.shape} and {factors.shape}")
    if not np.isfinite(codes).all():
        raise ScratchVAEError("codes must be finite, but "
                              f"{np.count_nonzero(~np.isfinite(codes)):,} numbers are not")
    if not np.issubdtype(factors.dtype, np.integer) or factors.min() < 0:
        raise ScratchVAEError("factors must be whole numbers from 0, the places of their values, "
                              f"got {factors.dtype} numbers from {factors.min()}")
    if (factors.min(axis=0) == factors.max(axis=0)).any():
        raise ScratchVAEError("each factor must have at least two values in the examples")
    return codes, factors.astype(np.int64)


class Alike:
    """Draws examples that have the same value of a factor as others.

    Parameters
    ----------
    factor : int array (N,)
        Its value in each example.
    """

    def __init__(self, factor):
        self.factor = factor
        self.order = np.argsort(factor, kind="stable")
        self.counts = np.bincount(factor)
        self.starts = np.cumsum(self.counts) - self.counts

    def draw(self, examples, rng):
        """Return an example, drawn at random, for each of an array of examples."""
        value = self.factor[examples]
        return self.order[self.starts[value] + rng.integers(0, self.counts[value])]
