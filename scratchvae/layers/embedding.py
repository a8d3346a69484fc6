"""Layers that read words: arrays of their indices in a vocabulary."""
from kernels.contract import parse_activation

from . import initializers
from ..errors import ScratchVAEError
from .layer import Layer, positive_integer


class Embedding(Layer):
    """y = embeddings[x]: a row of numbers for each word.  x (N, ...) int32, embeddings (input_dim, output_dim), y (N, ..., output_dim).

    mask_zero: word 0 is padding, which a GRU behind this layer skips.
    """
    input_dtype = "int32"

    def __init__(self, input_dim, output_dim, embeddings_initializer="random_uniform", mask_zero=False, dtype="float32"):
        super().__init__(dtype)
        self.input_dim = positive_integer("Embedding", "input_dim", input_dim)
        self.output_dim = positive_integer("Embedding", "output_dim", output_dim)
        initializers.get(embeddings_initializer)
        self.embeddings_initializer = embeddings_initializer
        self.mask_zero = mask_zero

    @property
    def vocabulary_size(self):
        return self.input_dim

    def setup(self, input_shape):
        self.add_parameter("embeddings", (self.input_dim, self.output_dim), self.embeddings_initializer)
        return (*input_shape, self.output_dim)

    def compute_mask(self, x):
        if not self.mask_zero:
            return None
        mask = self.workspace.array("mask", x.shape, "int32")
        self.kernels.padding_mask(x, mask)
        return mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._words, self._y = x.reshape(-1), self.workspace.array("y", (*x.shape, self.output_dim))
        self.kernels.embedding_forward(self._words, self.params["embeddings"], self.kernels.rows(self._y))
        return self._y

    def backward(self, dout, need_dx=False):
        """Fill grads.  There is no dx: words are no numbers."""
        self.check_gradient(dout, self._y)
        self.kernels.embedding_backward(self.kernels.rows(dout), self._words, self.grads["embeddings"])


class OneHotDense(Layer):
    """y = f(x W + b) for one-hot x, given by the index of its 1, of `depth`: a Dense layer that never builds x.

    x (N, 1) int32, kernel W (depth, units), bias b (units,), y (N, units).
    """
    input_dtype = "int32"

    def __init__(self, depth, units, activation=None, kernel_initializer="glorot_uniform", bias_initializer="zeros", dtype="float32"):
        super().__init__(dtype)
        self.depth = positive_integer("OneHotDense", "depth", depth)
        self.units = positive_integer("OneHotDense", "units", units)
        self.activation = activation or "linear"
        parse_activation(self.activation)
        initializers.get(kernel_initializer), initializers.get(bias_initializer)
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer

    @property
    def vocabulary_size(self):
        return self.depth

    def setup(self, input_shape):
        if input_shape != (1,):
            raise ScratchVAEError(f"OneHotDense: input shape {input_shape}; needed: (1,), the index of a word")
        self.add_parameter("kernel", (self.depth, self.units), self.kernel_initializer)
        self.add_parameter("bias", (self.units,), self.bias_initializer)
        return (self.units,)

    def forward(self, x, training=False):
        self.check_input(x)
        self._words, self._y = x.reshape(-1), self.workspace.array("y", (len(x), self.units))
        self.kernels.onehot_dense_forward(self._words, self.params["kernel"], self.params["bias"], self._y, self.activation)
        return self._y

    def backward(self, dout, need_dx=False):
        """Fill grads.  There is no dx: words are no numbers."""
        self.check_gradient(dout, self._y)
        dz = self.workspace.array("dz", dout.shape)
        self.kernels.onehot_dense_backward(dout, self._words, self._y, dz, self.grads["kernel"], self.grads["bias"], self.activation)
