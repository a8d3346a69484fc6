"""The labs: each a model, its settings, data, figures and reference figures, in a file of its own."""
from ..errors import ScratchVAEError
from .lab import Lab
from .mnist_dense import LAB as MNIST_DENSE

LABS = {lab.name: lab for lab in (MNIST_DENSE,)}


def get(name):
    """The lab of that name."""
    if name not in LABS:
        raise ScratchVAEError(f"unknown lab {name!r}; there are: {', '.join(LABS)}")
    return LABS[name]
