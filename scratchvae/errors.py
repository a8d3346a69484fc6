"""The one exception of this library: a request that cannot be fulfilled, explained in one line."""
from .kernels.errors import ScratchVAEError  # noqa: F401
