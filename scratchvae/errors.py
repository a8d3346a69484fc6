"""The one exception of this library, a request that cannot be fulfilled, and its one warning."""
import warnings

from .kernels.errors import ScratchVAEError  # noqa: F401


class ScratchVAEWarning(UserWarning):
    """Something that works but is probably not what is wanted."""


def note(text):
    """Warn, in one line."""
    warnings.warn(text, ScratchVAEWarning, stacklevel=2)
