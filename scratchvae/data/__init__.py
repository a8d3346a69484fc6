"""Data sets: MNIST, Fashion-MNIST, Tiny Shakespeare, drawn shapes; any text, images or table."""
from ..batches import Images
from .image_data import ImageData
from .images import load_fashion_mnist, load_images, load_mnist
from .shapes import load_shapes
from .tables import TableData, load_table
from .text import TextData, load_shakespeare, load_text

LOADERS = {                     # for each data set of the catalogue
    "mnist": load_mnist,
    "fashion-mnist": load_fashion_mnist,
    "shakespeare": load_shakespeare,
    "shapes": load_shapes,
}
