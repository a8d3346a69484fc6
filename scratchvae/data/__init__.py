"""Real data, from wherever this machine can get it."""

from .images import ImageData, load_fashion_mnist, load_mnist
from .text import TextData, load_shakespeare, load_text

LOADERS = {
    "mnist": load_mnist,
    "fashion-mnist": load_fashion_mnist,
    "shakespeare": load_shakespeare,
}  # of all in the catalogue
