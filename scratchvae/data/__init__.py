"""Real data, from wherever this machine can get it."""
from .images import ImageData, load_fashion_mnist, load_mnist
