"""The labs: each a model with its settings, references and figures, in a file of its own.

A lab is found by being here: a module with a LAB.
"""
import importlib
import pkgutil

from .. import checks
from .lab import Lab


def find_labs():
    """Return name -> Lab of all modules of this package that have one, in the labs' order."""
    modules = [importlib.import_module(f"{__name__}.{module.name}")
               for module in pkgutil.iter_modules(__path__)]
    found = [module.LAB for module in modules if hasattr(module, "LAB")]
    return {lab.name: lab for lab in sorted(found, key=lambda lab: lab.order)}


LABS = find_labs()


def get(name):
    """Return the lab of that name."""
    return LABS[checks.choice("labs", "lab", name, LABS)]
