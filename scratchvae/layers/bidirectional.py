"""A recurrent layer in both directions of time."""
import numpy as np

from ..errors import ScratchVAEError
from .formulas import Formula
from .gru import GRU
from .layer import Layer
from .lstm import LSTM
from .recurrent import Recurrent


class Bidirectional(Layer):
    """Two layers like the given one, forwards and backwards in time, joined: (..., 2 units).

    Its parameters are those of both, "forward/kernel" ... "backward/bias". With return_sequences,
    steps that the mask skips are zeros, as in Keras: the two directions have kept states of
    different sides of the sequence there.

    Parameters
    ----------
    layer : GRU or LSTM
        It is copied.
    dtype : str
    """

    def __init__(self, layer, dtype="float32"):
        super().__init__(dtype)
        if isinstance(layer, dict):                         # from get_config
            layer = Layer.from_config(layer)
        if not isinstance(layer, Recurrent):
            raise ScratchVAEError(f"{self.name}: layer must be a recurrent layer such as GRU(8), "
                                  f"got {layer!r}")
        self._given = layer

    @classmethod
    def examples(cls):
        for return_sequences in (False, True):
            yield cls(GRU(3, return_sequences)), (4, 5)
        yield cls(LSTM(2, True)), (4, 3)

    @property
    def layer(self):
        """The configuration of the given layer."""
        return self._given.get_config()

    def setup(self, input_shape):
        self.directions = {name: self._given.clone(self.dtype) for name in ("forward", "backward")}
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
        rows = self.kernels.rows
        self._y = self.workspace.array("y", (len(x), *self.output_shape))
        outputs = []
        for layer in self.directions.values():
            layer.mask = self.mask
            outputs.append(rows(layer.forward(x, training)))
        self.kernels.concatenate_forward(*outputs, rows(self._y))
        if self._skips:
            self.kernels.mask_steps(self._y, self.mask, self._y)
        return self._y

    def backward(self, dout, need_dx=True):
        self.check_gradient(dout, self._y)
        rows = self.kernels.rows
        if self._skips:
            masked = self.workspace.array("masked", dout.shape)
            self.kernels.mask_steps(dout, self.mask, masked)
            dout = masked
        shape = (len(dout), *self.output_shape[:-1], self._given.units)
        parts = [self.workspace.array(direction, shape) for direction in self.directions]
        self.kernels.concatenate_backward(rows(dout), *map(rows, parts))
        dx, dx_backwards = (layer.backward(part, need_dx)
                            for layer, part in zip(self.directions.values(), parts))
        if need_dx:
            self.kernels.add(dx_backwards, dx)
        return dx

    @property
    def _skips(self):
        """Whether there may be steps to set to zero."""
        return self.mask is not None and self._given.return_sequences

    def formula(self):
        forward, backward = self._given.formula()
        return Formula(f"two {self._given.name}s, one from each end, joined: {forward}", backward)

    def flops(self):
        return tuple(2 * count for count in self.directions["forward"].flops())
