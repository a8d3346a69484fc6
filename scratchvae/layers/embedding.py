"""Layers that read words: arrays of their indices in a vocabulary."""
from .. import checks
from ..errors import ScratchVAEError
from ..kernels.activation_names import parse_activation
from . import initializers
from .formulas import Formula, activated
from .layer import Layer


class Embedding(Layer):
    """y = embeddings[x]: a row of numbers for each word.

    x (N, ...) int32, embeddings (input_dim, output_dim), y (N, ..., output_dim).

    Parameters
    ----------
    input_dim : int
        How many words there are.
    output_dim : int
        The length of a row.
    embeddings_initializer : str
    mask_zero : bool
        Whether word 0 is padding, which recurrent layers behind this one skip.
    dtype : str
    """
    input_dtype = "int32"

    def __init__(self, input_dim, output_dim, embeddings_initializer="random_uniform",
                 mask_zero=False, dtype="float32"):
        super().__init__(dtype)
        self.input_dim = checks.integer(self.name, "input_dim", input_dim)
        self.output_dim = checks.integer(self.name, "output_dim", output_dim)
        self.embeddings_initializer = initializers.checked(embeddings_initializer)
        self.mask_zero = mask_zero

    @classmethod
    def examples(cls):
        yield cls(5, 3), (4,)

    @property
    def vocabulary_size(self):
        return self.input_dim

    def setup(self, input_shape):
        shape = (self.input_dim, self.output_dim)
        self.add_parameter("embeddings", shape, self.embeddings_initializer)
        return (*input_shape, self.output_dim)

    def compute_mask(self, x):
        if not self.mask_zero:
            return None
        mask = self.workspace.array("mask", x.shape, "int32")
        self.kernels.padding_mask(x, mask)
        return mask

    def forward(self, x, training=False):
        self.check_input(x)
        self._words = x.reshape(-1)
        self._y = self.workspace.array("y", (*x.shape, self.output_dim))
        self.kernels.embedding_forward(self._words, self.params["embeddings"],
                                       self.kernels.rows(self._y))
        return self._y

    def backward(self, dout, need_dx=False):
        """Fill grads. There is no dx: indices have no gradient."""
        self.check_gradient(dout, self._y)
        self.kernels.embedding_backward(self.kernels.rows(dout), self._words,
                                        self.grads["embeddings"])

    def formula(self):
        return Formula("y = table[i]", "dtable[v] = sum of dout where i = v")


class OneHotDense(Layer):
    """y = f(x W + b) for one-hot x, given by the index of its 1: a Dense layer that never builds x.

    x (N, 1) int32, kernel W (depth, units), bias b (units,), y (N, units).

    Parameters
    ----------
    depth : int
        The length of a one-hot vector.
    units, activation, kernel_initializer, bias_initializer, dtype
        See Dense.
    """
    input_dtype = "int32"

    def __init__(self, depth, units, activation=None, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", dtype="float32"):
        super().__init__(dtype)
        self.depth = checks.integer(self.name, "depth", depth)
        self.units = checks.integer(self.name, "units", units)
        self.activation = activation or "linear"
        parse_activation(self.activation)
        self.kernel_initializer = initializers.checked(kernel_initializer)
        self.bias_initializer = initializers.checked(bias_initializer)

    @classmethod
    def examples(cls):
        yield cls(5, 3, "tanh"), (1,)

    @property
    def vocabulary_size(self):
        return self.depth

    def setup(self, input_shape):
        if input_shape != (1,):
            raise ScratchVAEError(f"{self.name}: input_shape must be (1,), the index of a word, "
                                  f"got {input_shape}")
        self.add_parameter("kernel", (self.depth, self.units), self.kernel_initializer)
        self.add_parameter("bias", (self.units,), self.bias_initializer)
        return (self.units,)

    def forward(self, x, training=False):
        self.check_input(x)
        self._words = x.reshape(-1)
        self._y = self.workspace.array("y", (len(x), self.units))
        self.kernels.onehot_dense_forward(self._words, self.params["kernel"], self.params["bias"],
                                          self._y, self.activation)
        return self._y

    def backward(self, dout, need_dx=False):
        """Fill grads. There is no dx: indices have no gradient."""
        self.check_gradient(dout, self._y)
        dz = self.workspace.array("dz", dout.shape)
        self.kernels.onehot_dense_backward(dout, self._words, self._y, dz, self.grads["kernel"],
                                           self.grads["bias"], self.activation)

    def formula(self):
        return activated("W[i] + b", self.activation, "dW[v] = sum of dz where i = v,  "
                                                      "db = sum of dz")
