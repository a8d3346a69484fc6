"""The labs: each a model, its settings, data, figures and reference figures, in a file of its own."""
from ..errors import ScratchVAEError
from . import (
    fashion_autoencoder, fashion_conv, mnist_batchnorm, mnist_conv, mnist_dense, mnist_latent8,
    shakespeare_onehot, shakespeare_vae, text_gru)
from .lab import Lab

LABS = {lab.name: lab for lab in (mnist_dense.LAB, fashion_autoencoder.LAB, fashion_conv.LAB, mnist_conv.LAB, mnist_latent8.LAB,
                                  mnist_batchnorm.LAB, mnist_batchnorm.DEEP_LAB, shakespeare_onehot.LAB, text_gru.LAB,
                                  shakespeare_vae.LAB)}


def get(name):
    """The lab of that name."""
    if name not in LABS:
        raise ScratchVAEError(f"unknown lab {name!r}; there are: {', '.join(LABS)}")
    return LABS[name]
