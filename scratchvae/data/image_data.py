"""What a set of images is, wherever it comes from."""
from dataclasses import dataclass

import numpy as np

from ..batches import Images


@dataclass
class ImageData:
    """Images and labels; unpacks as (x_train, y_train), (x_test, y_test).

    Parameters
    ----------
    x_train, x_test : float32 arrays or Images of shape (N, height, width, channels)
        Numbers in [0, 1].
    y_train, y_test : integer arrays of shape (N,), or None
        Labels; None where the images have none.
    classes : tuple of str
        The name of each label.
    description : str
        What the data are and where they come from.
    complete : bool
        Whether this is the whole published set.
    sha256 : str
        A checksum of the content of all files, or of all pixels.
    notes : tuple of str
        What was left out or converted, a line each.
    """

    x_train: np.ndarray | Images
    y_train: np.ndarray | None
    x_test: np.ndarray | Images
    y_test: np.ndarray | None
    classes: tuple
    description: str
    complete: bool
    sha256: str
    notes: tuple = ()

    def __iter__(self):
        yield self.x_train, self.y_train
        yield self.x_test, self.y_test
