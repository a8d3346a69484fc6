"""What recurrent layers share."""
import numpy as np

from .. import checks
from . import initializers
from .layer import Layer


class Recurrent(Layer):
    """A layer that takes sequences x (N, T, K) step by step and keeps a state (N, units).

    The output is the last state (N, units), or with return_sequences the state after each step
    (N, T, units). A step where `mask` (N, T) is 0 is skipped; in a Sequential, an Embedding with
    mask_zero sets it.

    Parameters
    ----------
    units : int
    return_sequences : bool
    kernel_initializer, recurrent_initializer, bias_initializer : str
    dtype : str
    """
    go_backwards = False        # from the last step to the first: one half of a Bidirectional

    def __init__(self, units, return_sequences=False, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros", dtype="float32"):
        super().__init__(dtype)
        self.units = checks.integer(self.name, "units", units)
        self.return_sequences = return_sequences
        self.kernel_initializer = initializers.checked(kernel_initializer)
        self.recurrent_initializer = initializers.checked(recurrent_initializer)
        self.bias_initializer = initializers.checked(bias_initializer)

    @classmethod
    def examples(cls):
        for return_sequences in (False, True):
            yield cls(3, return_sequences), (4, 5)

    def setup(self, input_shape):
        self.check_axes(input_shape, "steps, features")
        T, K = input_shape
        width = self.gates * self.units
        self.add_parameter("kernel", (K, width), self.kernel_initializer)
        self.add_parameter("recurrent_kernel", (self.units, width), self.recurrent_initializer)
        self.add_parameter("bias", self.bias_shape(width), self.bias_initializer)
        self._constants = {}    # name -> the largest array so far
        return (T, self.units) if self.return_sequences else (self.units,)

    def compute_mask(self, x):
        return self.mask if self.return_sequences else None

    def constant(self, name, shape, value, dtype):
        """Return an array of one value, made when a larger batch than before comes."""
        array = self._constants.get(name)
        if array is None or len(array) < shape[0]:
            array = self.kernels.from_host(np.full(shape, value, dtype))
            self._constants[name] = array
        return array[:shape[0]]

    def current_mask(self, N):
        """Return the mask for N sequences: ones if no other is set."""
        if self.mask is not None:
            return self.mask
        return self.constant("all steps", (N, self.input_shape[0]), 1, "int32")

    def contributions(self, x, bias):
        """Return a = x W + b for all steps at once, (N, T, gates * units): a dense layer."""
        N, T, K = x.shape
        width = self.gates * self.units
        a = self.workspace.array("a", (N, T, width))
        rows = self.kernels.rows
        self.kernels.dense_forward(rows(x), self.params["kernel"], bias, rows(a), "linear",
                                   self.scratch("dense", N * T, K=K, M=width))
        return a

    def contributions_backward(self, da, dbias, need_dx):
        """Fill the kernel's gradient and dbias from da; return dx."""
        N, T, K = self._x.shape
        rows = self.kernels.rows
        dx = self.workspace.array("dx", self._x.shape) if need_dx else None
        da = rows(da)
        scratch = self.scratch("dense", N * T, K=K, M=da.shape[1])
        self.kernels.dense_backward(da, rows(self._x), da, self.params["kernel"], da,
                                    rows(dx) if need_dx else None, self.grads["kernel"], dbias,
                                    "linear", scratch)
        return dx

    def output_of(self, states):
        """Return the output, from the states (N, T, units) after all steps."""
        if self.return_sequences:
            self._y = states
        else:
            self._y = self.workspace.array("y", (len(states), self.units))
            self.kernels.last_forward(states, self._y, self._last)
        return self._y

    def states_gradient(self, dout):
        """Return the gradient of the states (N, T, units), from that of the output."""
        if self.return_sequences:
            return dout
        dstates = self.workspace.array("dstates", (len(dout), self.input_shape[0], self.units))
        self.kernels.last_backward(dout, dstates, self._last)
        return dstates

    @property
    def _last(self):
        """The step that is taken last."""
        return 0 if self.go_backwards else self.input_shape[0] - 1

    def flops(self):
        T, K = self.input_shape
        product = 2 * T * self.gates * self.units * (K + self.units)
        return product, product, product
