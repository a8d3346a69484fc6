"""The classifier that judges images: trained on first use on the run's data set, and kept.

It stands in the place of the Inception network: its features and probabilities are what the
measures of images are computed from. So these measures compare models of one data set, and cannot
be compared with published values, which other networks judge.
"""
import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np

from ..errors import ScratchVAEError
from ..kernels import folders
from ..layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from ..models import Classifier
from ..optimizers import Adam
from ..schedules import CosineDecay
from ..storage import Unwritable

EPOCHS = 7                      # a minute for 60,000 images on two cores
BATCH_SIZE = 64
LEARNING_RATE = 0.002           # falls to 0 along a cosine
PIXELS = 50_000_000             # of all training images: of large images, the first ones train
LEAST = 1000                    # training images below which no classifier is worth training


@dataclass
class Judge:
    """A trained classifier, and how good it is.

    Parameters
    ----------
    classifier : Classifier
        Of images (N, height, width, channels).
    accuracy : float
        On the test images.
    """
    classifier: Classifier
    accuracy: float


def make_classifier(shape, classes, backend="cpu"):
    """Return a convolutional Classifier, not built, for images of shape (height, width, channels).

    Each convolution is followed by a pooling that halves the image, until it is at most 8 wide: two
    of them for 28 x 28, and 128 features.
    """
    side = min(shape[:2])
    layers = [Conv2D(16, 3, activation="relu", padding="same"), MaxPooling2D()]
    while side // 2 > 8:
        side //= 2
        layers += [Conv2D(32, 3, activation="relu", padding="same"), MaxPooling2D()]
    layers += [Flatten(), Dropout(0.25), Dense(128, activation="relu")]
    return Classifier(layers, classes, backend=backend)


def train_classifier(data, epochs=EPOCHS, seed=0, progress=True):
    """Return a Classifier trained on ImageData, and its History.

    Parameters
    ----------
    data : ImageData
        Images (N, height, width, channels) with labels.
    epochs, seed : int
    progress : bool
    """
    classifier = make_classifier(data.x_train.shape[1:], len(data.classes))
    x_train = data.x_train[:most_of(data)]
    steps = epochs * math.ceil(len(x_train) / BATCH_SIZE)
    history = classifier.fit(x_train, data.y_train[:len(x_train)], epochs, BATCH_SIZE,
                             Adam(CosineDecay(LEARNING_RATE, steps)),
                             (data.x_test, data.y_test), seed, progress=progress)
    return classifier, history


def most_of(data):
    """Return how many of the images at most train a classifier."""
    return PIXELS // math.prod(data.x_train.shape[1:])


def judge_of(data):
    """Return the Judge of ImageData: from the cache, or trained now.

    Two processes that ask for the same one at once train it once: the second waits. A damaged file
    is recognised, and the classifier trained anew.

    Raises
    ------
    ScratchVAEError
        If the images have no labels, or too few; the message says what is needed.
    """
    why = why_not(data)
    if why:
        raise ScratchVAEError(f"no classifier can judge these images: {why}")
    path = path_of(data)
    from filelock import FileLock  # takes long to import
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        classifier = _read(path)
        if classifier is None:
            classifier = _train(data, path)
    accuracy = classifier.evaluate(data.x_test, data.y_test)["accuracy"]
    return Judge(classifier, accuracy)


def why_not(data):
    """Return why no classifier can be trained on ImageData, or an empty text."""
    if data.y_train is None or data.y_test is None:
        return "they have no labels"
    if len(data.classes) < 2:
        return "they are all of one class"
    if len(data.x_train) < LEAST:
        return f"{len(data.x_train):,} images with labels are too few to learn from, {LEAST:,} do"
    if min(data.x_train.shape[1:3]) < 4:
        return "they are smaller than 4 x 4"
    return ""


def path_of(data):
    """Return the file of the classifier: named by a checksum of the data and the whole recipe."""
    labels = hashlib.sha256(np.ascontiguousarray(data.y_train, np.int64)).hexdigest()
    classifier = make_classifier(data.x_train.shape[1:], len(data.classes))
    recipe = {"data": data.sha256, "labels": labels, "shape": data.x_train.shape,
              "test": len(data.x_test), "classifier": classifier.get_config(),
              "epochs": EPOCHS, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE,
              "pixels": PIXELS}
    digest = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()
    return folders.classifiers_home() / f"{digest[:32]}.npz"


def _read(path):
    """Return the classifier in a file; None if there is none, or if it is damaged."""
    if not path.exists():
        return None
    try:
        return Classifier.load(path)
    except ScratchVAEError as error:
        print(f"note: {error}; the classifier is trained anew", flush=True)
        return None


def _train(data, path):
    """Train a classifier and keep it."""
    count = min(len(data.x_train), most_of(data))
    print(f"training a classifier to judge the images, {EPOCHS} epochs of {count:,} images; kept "
          f"in {path}", flush=True)
    classifier, _ = train_classifier(data)
    try:
        classifier.save(path)
    except Unwritable as error:
        print(f"note: {error}; it is trained anew the next time", flush=True)
    return classifier


def looked_at(classifier, images):
    """Return (features (N, F), probabilities (N, classes)) of images, float64."""
    return tuple(np.asarray(array, np.float64) for array in classifier.extract_features(images))
