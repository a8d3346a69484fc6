"""The one exception that means: what you asked for can't be done, and here is why, in one line."""
from kernels.contract import ScratchVAEError
