"""The labs: each module of this package that has a LAB defines one."""
import importlib
import pkgutil

from ..errors import ScratchVAEError


def discover():
    """Return the labs of this package by name, in the order of their numbers."""
    modules = [importlib.import_module(f"{__name__}.{module.name}")
               for module in pkgutil.iter_modules(__path__)]
    found = [module.LAB for module in modules if hasattr(module, "LAB")]
    return {lab.name: lab for lab in sorted(found, key=lambda lab: (lab.number, lab.name))}


LABS = discover()


def get(name):
    """Return the lab of a name."""
    if name not in LABS:
        raise ScratchVAEError(f"unknown lab {name!r}; allowed: {', '.join(LABS)}")
    return LABS[name]
