"""What labs about images have beyond others."""
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .lab import Lab
from .objective import CONDITIONAL
from .sizes import image_shape


@dataclass(frozen=True, kw_only=True)
class ImageLab(Lab):
    """A lab about images; see Lab.

    The images of its data set are reshaped to example_shape, and get a border of zeros if it is
    larger. Other images keep their shape (height, width, channels), which is the setting "shape"
    of the model then. In a small model the setting "side" may replace the height and width.

    Attributes
    ----------
    validation_split : float
        The part of the training set, its last examples, that validates; with 0 the test set does.
    takes_labels : bool
        Whether the lab has the setting "conditional": see labs/objective.py.
    """
    kind: ClassVar = "images"
    validation_split: float = 0.0
    takes_labels: bool = True

    @property
    def defaults(self):
        """The defaults of all that `--set` changes, by name."""
        return super().defaults | (CONDITIONAL if self.takes_labels else {})

    @property
    def held_out(self):
        """What the examples that validate are called."""
        return "held-out examples" if self.validation_split else "test set"

    def shape(self, settings):
        """Return the shape of an example."""
        if "shape" in settings or "side" in settings:
            return image_shape(settings, None)
        return self.example_shape

    def prepare(self, images):
        """Return images of shape (N, 28, 28, 1) as examples of this lab."""
        size = images.shape[1]
        if len(self.example_shape) == 3:
            size = self.example_shape[0]
        border = (size - images.shape[1]) // 2
        if border:
            images = np.pad(images, ((0, 0), (border, border), (border, border), (0, 0)))
        return images.reshape(-1, *self.example_shape)

    def restore(self, examples, shape=(28, 28, 1)):
        """Return examples as images of this shape, as the data set has them: `prepare` undone."""
        if len(self.example_shape) < 3:
            return examples.reshape(-1, *shape)
        border = (self.example_shape[0] - shape[0]) // 2
        return examples[:, border:border + shape[0], border:border + shape[1]]

    def split(self, train, test):
        """Return the training and the validation examples of the two parts of a data set."""
        if not self.validation_split:
            return train, test
        kept = len(train) - round(self.validation_split * len(train))
        return train[:kept], train[kept:]
