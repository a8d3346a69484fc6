"""Recurrent layers."""
import numpy as np

from . import initializers
from ..errors import ScratchVAEError
from .layer import Layer, positive_integer


class GRU(Layer):
    """A gated recurrent unit, Keras's (reset_after=True): the equations stand in kernels/reference/gru.py.

    x (N, T, K), kernel (K, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units); y is the last state (N, units), or with
    return_sequences the state after each step (N, T, units).  A step where `mask` (N, T) is 0 is skipped; in a Sequential, an Embedding
    with mask_zero sets it.
    """
    go_backwards = False        # from the last step to the first: the other half of a Bidirectional

    def __init__(self, units, return_sequences=False, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                 bias_initializer="zeros", dtype="float32"):
        super().__init__(dtype)
        self.units = positive_integer("GRU", "units", units)
        self.return_sequences = return_sequences
        for name in (kernel_initializer, recurrent_initializer, bias_initializer):
            initializers.get(name)
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer

    def setup(self, input_shape):
        if len(input_shape) != 2:
            raise ScratchVAEError(f"GRU: input shape {input_shape}; needed: two axes (steps, numbers of a step)")
        T, K = input_shape
        self.add_parameter("kernel", (K, 3 * self.units), self.kernel_initializer)
        self.add_parameter("recurrent_kernel", (self.units, 3 * self.units), self.recurrent_initializer)
        self.add_parameter("bias", (2, 3 * self.units), self.bias_initializer)
        return (T, self.units) if self.return_sequences else (self.units,)

    def compute_mask(self, x):
        return self.mask if self.return_sequences else None

    def forward(self, x, training=False, initial_state=None):
        """The states, from initial_state (N, units) on, or from zeros."""
        self.check_input(x)
        N, T, K = x.shape
        self._scratch, no_state, all_steps = self.scratch(N, lambda: self._make_scratch(N, T, K))
        self._x, states = x, self.workspace.array("states", (N, T, self.units))
        self._mask = all_steps if self.mask is None else self.mask
        self.kernels.gru_forward(x, *self.params.values(), no_state if initial_state is None else initial_state, self._mask, states,
                                 self.go_backwards, self._scratch)
        if self.return_sequences:
            self._y = states
        else:
            self._y = self.workspace.array("y", (N, self.units))
            self.kernels.last_forward(states, self._y, self._last)
        return self._y

    def backward(self, dout, need_dx=True):
        """Fill grads; return dx.  `dinitial_state` is then the gradient of the initial state."""
        self.check_gradient(dout, self._y)
        N, T, _ = self._x.shape
        if not self.return_sequences:
            dstates = self.workspace.array("dstates", (N, T, self.units))
            self.kernels.last_backward(dout, dstates, self._last)
            dout = dstates
        dx = self.workspace.array("dx", self._x.shape) if need_dx else None
        self.dinitial_state = self.workspace.array("dinitial_state", (N, self.units))
        self.kernels.gru_backward(dout, self._x, self.params["kernel"], self.params["recurrent_kernel"], self._mask, dx,
                                  *self.grads.values(), self.dinitial_state, self.go_backwards, self._scratch)
        return dx

    @property
    def _last(self):
        """The step that is taken last."""
        return 0 if self.go_backwards else self.input_shape[0] - 1

    def _make_scratch(self, N, T, K):
        """The kernels' work space, a state of zeros to begin with, and a mask that skips nothing."""
        return (self.kernels.gru_scratch(N, T, K, self.units, self.dtype), self.kernels.zeros((N, self.units), self.dtype),
                self.kernels.from_host(np.ones((N, T), np.int32)))

    def step(self, x, state):
        """One step: the states (N, units) after the inputs x (N, K), from the states before."""
        N, K = x.shape
        scratch, _, all_steps = self._make_scratch(N, 1, K)
        after = self.kernels.empty((N, 1, self.units), self.dtype)
        self.kernels.gru_forward(x.reshape(N, 1, K), *self.params.values(), state, all_steps, after, False, scratch)
        return after.reshape(N, self.units)

    def flops(self):
        T, K = self.input_shape
        product = 2 * T * 3 * self.units
        return product * (K + self.units), product * (K + self.units), product * (K + self.units)


class Bidirectional(Layer):
    """Two layers like the one given, one forwards and one backwards in time, their outputs side by side: (..., 2 units).

    Its parameters are those of both, "forward/kernel" ... "backward/bias".  With return_sequences, steps that the mask skips are zeros, as in
    Keras: what the two have to say of them are states of different sides.
    """

    def __init__(self, layer, dtype="float32"):
        super().__init__(dtype)
        if isinstance(layer, dict):                         # from get_config
            layer = Layer.from_config(layer)
        if not isinstance(layer, GRU):
            raise ScratchVAEError(f"Bidirectional: {layer!r}; needed: a GRU(...)")
        self._given = layer

    @property
    def layer(self):
        """The configuration of the layer given."""
        return self._given.get_config()

    def setup(self, input_shape):
        self.directions = {"forward": Layer.from_config(self.layer, self.dtype), "backward": Layer.from_config(self.layer, self.dtype)}
        self.directions["backward"].go_backwards = True
        for number, (direction, layer) in enumerate(self.directions.items()):
            layer.backend = self.backend
            layer.build(input_shape, [*np.atleast_1d(self.seed), number])
            self.params |= {f"{direction}/{name}": value for name, value in layer.params.items()}
            self.grads |= {f"{direction}/{name}": value for name, value in layer.grads.items()}
        *steps, units = layer.output_shape
        return (*steps, 2 * units)

    def bind(self, name, value, gradient):
        super().bind(name, value, gradient)
        direction, _, inner = name.partition("/")
        self.directions[direction].bind(inner, value, gradient)

    def join(self, noise, stream):
        super().join(noise, stream)
        for layer in self.directions.values():
            layer.join(noise, stream)

    def compute_mask(self, x):
        return self.mask if self._given.return_sequences else None

    def forward(self, x, training=False):
        self.check_input(x)
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        for layer in self.directions.values():
            layer.mask = self.mask
        rows, layers = self.kernels.rows, self.directions.values()
        self.kernels.concatenate_forward(*(rows(layer.forward(x, training)) for layer in layers), rows(self._y))
        if self._skips:
            self.kernels.mask_steps(self._y, self.mask, self._y)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        if self._skips:
            masked = self.workspace.array("masked", dout.shape)
            self.kernels.mask_steps(dout, self.mask, masked)
            dout = masked
        halves = [self.workspace.array(direction, (len(dout), *self.output_shape[:-1], self._given.units)) for direction in self.directions]
        self.kernels.concatenate_backward(self.kernels.rows(dout), *map(self.kernels.rows, halves))
        one, other = (layer.backward(half, need_dx) for layer, half in zip(self.directions.values(), halves))
        if need_dx:
            self.kernels.add(other, one)
        return one

    @property
    def _skips(self):
        """Whether there are steps to set to zero."""
        return self.mask is not None and self._given.return_sequences

    def flops(self):
        return tuple(2 * count for count in self.directions["forward"].flops())
