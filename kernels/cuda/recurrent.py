"""What the recurrent operations gru.py and lstm.py share."""
from numba import cuda

from ..errors import ScratchVAEError
from .device import launch_each


def check_scratch(family, kept, states):
    """Refuse work space that was made for other sizes.

    Parameters
    ----------
    family : str
        Whose work space it is, for the message.
    kept : array (N, T, U)
        The states in the work space.
    states : array (at most N, T, U)
        Those of the call.
    """
    N, T, U = kept.shape
    if states.shape[1:] != (T, U) or len(states) > N:
        raise ScratchVAEError(f"{family}: the scratch was made for up to {N} sequences of T, U = "
                              f"{T, U}, got states of shape {tuple(states.shape)}")


def transpose(x, y):
    """y = x^T."""
    launch_each(_transpose, x.size, x, y)


@cuda.jit
def _transpose(x, y):
    i = cuda.grid(1)
    if i < x.size:
        row = i // x.shape[1]
        column = i % x.shape[1]
        y[column, row] = x[row, column]
