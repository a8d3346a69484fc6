"""A classifier: the same layers and kernels, trained to say which class an example has.

The network maps x to features, a dense layer maps these to a logit l_c for each class c, and

    p(c|x) = exp(l_c) / sum_k exp(l_k),         loss = -log p(y|x),

with the gradient dl_c = p(c|x) - [c = y]: that of a softmax and its cross-entropy together (see
kernels/reference/word_losses.py, where a class is a word and an example one word long).
"""
import numpy as np

from .. import checks
from ..concurrency import side_by_side
from ..errors import ScratchVAEError
from ..kernels.operation import check_indices
from ..layers import Dense
from ..losses import SparseCategoricalCrossentropy
from ..schedules import Constant
from .model import Model
from .sequential import Sequential


class Classifier(Model):
    """x -> features -> probabilities of the classes.

    Parameters
    ----------
    features : list of Layer
        From an example to its features, of one axis. A Dense layer `logits` of a unit for each
        class is added.
    classes : int
        How many classes there are, at least 2; labels are 0 to classes - 1.
    dtype, backend : str
        See Model.
    """
    networks = ("features",)
    terms = ("crossentropy", "accuracy")    # the second is measured alone: its weight is 0

    def __init__(self, features, classes, dtype="float32", backend="cpu"):
        super().__init__(dtype, backend)
        self.class_count = checks.integer(self.name, "classes", classes, 2)
        self.features = Sequential(features)
        self.logits = Dense(classes)
        self.loss = SparseCategoricalCrossentropy(1.0, "softmax")
        self.kl_weight = Constant(0.0)

    @property
    def parts(self):
        """The networks by name, in the order of the data."""
        return {"features": self.features, "logits": self.logits}

    def build_parts(self, input_shape, seed):
        """Build both networks, each from its own part of the seed."""
        shape = self.features.build(input_shape, [seed, 0])
        if len(shape) != 1:
            raise ScratchVAEError(f"{self.name}: the features must have one axis, got shape "
                                  f"{shape}; put a Flatten at their end")
        self.logits.build(shape, [seed, 1])

    # The training step. N examples, V classes.

    def forward(self, x, training=False, stream=None, target=None):
        """Return (cross-entropy (N,), 1 where the most probable class is the label (N,)).

        Parameters
        ----------
        x : array (N, *input_shape)
        training : bool
        stream : int
            Not used: there is no noise but that of layers.
        target : int32 array (N, 1)
            The labels.
        """
        features = self.features.forward(x, training)                       # (N, F)
        logits = self.logits.forward(features)                              # (N, V)
        crossentropy = self.loss.forward(logits.reshape(len(x), 1, -1), target)
        chosen = self.kernels.to_host(logits).argmax(axis=1)
        right = chosen == self.kernels.to_host(target)[:, 0]
        return crossentropy, self.kernels.from_host(right.astype(self.dtype))

    def backward(self, kl_weight=0.0, need_dx=False):
        """Fill all gradients of the batch's mean loss: the chain of `forward`, last line first."""
        dlogits = self.loss.backward()                                      # dl_c = p_c - [c = y]
        dfeatures = self.logits.backward(dlogits.reshape(len(dlogits), -1))
        return self.features.backward(dfeatures, need_dx)

    def fit(self, x, y, epochs=1, batch_size=32, optimizer=None, validation_data=None, seed=0,
            **options):
        """Train on examples x and their labels y, and return the History.

        Parameters
        ----------
        x : array_like or Images (N, *input_shape)
        y : integer array_like (N,)
        validation_data : pair (x, y), optional
        epochs, batch_size, optimizer, seed, **options
            See Model.fit.
        """
        return super().fit(x, epochs, batch_size, optimizer, validation_data, seed, y=y, **options)

    def evaluate(self, x, y, seed=0, **options):
        """Return {"loss", "crossentropy", "accuracy"}: means over examples x with labels y.

        There is no noise here, so the seed changes nothing; see Model.evaluate.
        """
        return super().evaluate(x, seed, y, **options)

    # What a trained model is for.

    @side_by_side
    def predict(self, x):
        """Return the probabilities of the classes, (N, classes)."""
        def probabilities(x):
            return (self.loss.activate(self.logits.forward(self.features.forward(x))),)
        return self.in_batches(probabilities, self.as_examples(x))[0]

    @side_by_side
    def extract_features(self, x):
        """Return the features of examples, (N, features), and their probabilities."""
        def both(x):
            features = self.features.forward(x)
            return features, self.loss.activate(self.logits.forward(features))
        return tuple(self.in_batches(both, self.as_examples(x)))

    def get_config(self):
        """Return the arguments that make this model again, without its parameters."""
        return super().get_config() | {"features": self.features.get_config(),
                                       "classes": self.class_count}

    def as_pair(self, x, y=None):
        """Return examples, and their labels (N,) or (N, 1) as (N, 1)."""
        x = self.as_examples(x)
        if y is None:
            raise ScratchVAEError(f"{self.name}: labels y are missing; pass (x, y)")
        if np.ndim(y) == 2 and np.shape(y)[1] == 1:
            y = np.asarray(y)[:, 0]
        y = checks.examples("y", y, (), "int32")
        if len(x) != len(y):
            raise ScratchVAEError(f"x and y must have the same length, got {len(x)} and {len(y)}")
        check_indices("y", y, self.class_count)
        return x, np.ascontiguousarray(y[:, np.newaxis])
