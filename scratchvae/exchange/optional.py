"""Libraries that only some need."""
import importlib
import importlib.util

from ..errors import ScratchVAEError


def needed(module, extra):
    """Return a module of a library that belongs to an extra of this package.

    Raises
    ------
    ScratchVAEError
        If it is not installed: the line says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ScratchVAEError(f"the package {module.partition('.')[0]} is not installed. Install "
                              f"it with: pip install 'scratchvae[{extra}]'") from None


def missing(*modules):
    """Return those of some packages that are not installed."""
    return [module for module in modules if importlib.util.find_spec(module) is None]
