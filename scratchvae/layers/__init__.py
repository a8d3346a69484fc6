"""Layers with Keras's names, arguments and weight shapes, each with forward and backward pass."""
from .activation import Activation
from .batch_normalization import BatchNormalization
from .bidirectional import Bidirectional
from .border import Cropping2D, ZeroPadding2D
from .conv2d import Conv2D
from .conv2d_transpose import Conv2DTranspose
from .dense import Dense
from .dropout import Dropout
from .embedding import Embedding, OneHotDense
from .fill_missing import FillMissing
from .flatten import Flatten
from .gru import GRU
from .layer import Layer
from .layer_normalization import LayerNormalization
from .learnt_variance import LearntVariance
from .lstm import LSTM
from .pooling import AveragePooling2D, MaxPooling2D
from .repeat_vector import RepeatVector
from .reshape import Reshape
from .upsampling import UpSampling2D
