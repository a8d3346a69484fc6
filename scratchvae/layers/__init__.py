"""Layers with Keras's names, arguments and weight shapes, each with its forward and backward pass."""
from .activation import Activation
from .batch_normalization import BatchNormalization
from .conv2d import Conv2D, Conv2DTranspose
from .dense import Dense
from .dropout import Dropout
from .flatten import Flatten
from .layer import Layer
from .reshape import Reshape
