"""What every layer has in common."""
import inspect

import numpy as np

import kernels

from . import initializers
from ..errors import ScratchVAEError
from .noise import Noise
from .workspace import Workspace

DTYPES = ("float32", "float64")
KEPT = 3                        # work spaces kept, one for each size of batch: of training, its last batch, and evaluation


class Layer:
    """A function with parameters and its derivative.

    To write one: take the configuration in __init__ under the names of its arguments and call super().__init__(dtype); make
    parameters in `setup`; compute in `forward` and `backward`.  `params` and `grads` are dicts of arrays, by name, in
    Keras's order, and `state` one of what training changes by other means than gradients.  `backward` fills `grads` anew (it
    does not add) and never writes into what it was given.
    """
    classes = {}                # name -> class, for from_config

    def __init_subclass__(cls):
        Layer.classes[cls.__name__] = cls

    input_dtype = None          # of what comes in: the layer's own, or "int32" for words
    vocabulary_size = None      # how many words may come in
    mask = None                 # which steps of sequences count, (N, T) of 0 and 1, or None: all
    _y = None                   # the output of the last forward pass

    def __init__(self, dtype="float32"):
        self.dtype = dtype_name(type(self).__name__, dtype)
        self.backend = "cpu"
        self.input_shape = None
        self.stream = 0         # which noise is this layer's

    def build(self, input_shape, seed=0):
        """Make the parameters for examples of `input_shape` (without the batch axis); return the shape of the output.

        seed: a whole number, or a list of them, from which the parameters are drawn.
        """
        for part in np.atleast_1d(seed).tolist():
            check_seed(type(self).__name__, part)
        input_shape = tuple(int(n) for n in np.atleast_1d(input_shape))
        if not input_shape or min(input_shape) < 1:
            raise ScratchVAEError(f"{type(self).__name__}: input shape {input_shape}; allowed: positive sizes, without the batch")
        self.input_shape = input_shape
        self.kernels = kernels.load(self.backend)
        self.workspace = Workspace(self.kernels, self.dtype)
        self.noise = Noise(self.kernels)
        self.params, self.grads, self.state = {}, {}, {}
        self._y, self._scratch_by_batch = None, {}
        self.seed = seed
        self._rng = np.random.default_rng(seed)
        self.output_shape = self.setup(input_shape)
        return self.output_shape

    def setup(self, input_shape):
        """Make parameters by `add_parameter`, and return the output's shape."""
        return input_shape

    def add_parameter(self, name, shape, initializer):
        """Make params[name] and grads[name]."""
        self.params[name] = self._initial(shape, initializer)
        self.grads[name] = self.kernels.zeros(shape, self.dtype)

    def add_state(self, name, shape, initializer):
        """Make state[name]: an array that training changes, but no gradient does."""
        self.state[name] = self._initial(shape, initializer)

    def _initial(self, shape, initializer):
        """An array filled by the initializer of that name."""
        return self.kernels.from_host(np.ascontiguousarray(initializers.get(initializer)(shape, self._rng), self.dtype))

    def bind(self, name, value, gradient):
        """Move a parameter and its gradient into these arrays."""
        self.kernels.copy(self.params[name], value)
        self.params[name], self.grads[name] = value, gradient

    def join(self, noise, stream):
        """Become part of a model: take noise from there, and write results into the same memory again and again."""
        self.noise, self.stream, self.workspace = noise, stream, Workspace(self.kernels, self.dtype, reuse=True)

    def scratch(self, batch, make):
        """The kernels' work space for so many examples, made when first asked for."""
        if batch not in self._scratch_by_batch:
            if len(self._scratch_by_batch) == KEPT:
                del self._scratch_by_batch[next(iter(self._scratch_by_batch))]          # the oldest
            self._scratch_by_batch[batch] = make()
        return self._scratch_by_batch[batch]

    def compute_mask(self, x):
        """The mask for the layer behind this one, after the input x."""
        return None

    @property
    def weights(self):
        """Parameters and state by name, in Keras's order."""
        return self.params | self.state

    def forward(self, x, training=False):
        """The output for a batch x (N, *input_shape)."""
        raise NotImplementedError(f"{type(self).__name__} has no forward pass")

    def backward(self, dout, need_dx=True):
        """Fill grads and return dx, from the gradient dout (N, *output_shape) of the last forward pass's output.

        need_dx=False, for a first layer: dx is not computed, and None returned.
        """
        raise NotImplementedError(f"{type(self).__name__} has no backward pass")

    def flops(self):
        """Multiplications and additions for one example: (forward, gradients of parameters, gradient of x)."""
        return 0, 0, 0

    def get_weights(self):
        """Copies of parameters and state, NumPy arrays in Keras's order."""
        self._check_built()
        return [self.kernels.to_host(value).copy() for value in self.weights.values()]

    def set_weights(self, weights):
        """Set parameters and state from a list as a Keras layer's get_weights gives it."""
        self._check_built()
        shapes, given = [value.shape for value in self.weights.values()], [np.shape(w) for w in weights]
        if shapes != given:
            raise ScratchVAEError(f"{type(self).__name__}: weights of shapes {given}; needed: "
                                  f"{dict(zip(self.weights, shapes))}")
        for value, weight in zip(self.weights.values(), weights):
            self.kernels.copy(np.ascontiguousarray(weight, self.dtype), value)

    def get_config(self):
        """The arguments that make this layer again, with its class's name: what is saved."""
        arguments = inspect.signature(type(self)).parameters
        return {"class": type(self).__name__} | {name: getattr(self, name) for name in arguments if name != "dtype"}

    @staticmethod
    def from_config(config, dtype="float32"):
        """A layer, not built, from what get_config gave."""
        config = dict(config)
        name = config.pop("class")
        if name not in Layer.classes:
            raise ScratchVAEError(f"unknown layer {name!r}; there are: {', '.join(sorted(Layer.classes))}")
        layer = Layer.classes[name](**config)
        layer.dtype = dtype_name(name, dtype)
        return layer

    def check_input(self, x):
        """Refuse an input of the wrong shape or type."""
        self._check_built()
        if not self.kernels.is_array(x) or x.dtype != (self.input_dtype or self.dtype) or x.shape[1:] != self.input_shape or len(x) == 0:
            raise ScratchVAEError(f"{type(self).__name__}: input {_describe(x)}; needed: a {self.input_dtype or self.dtype} array of "
                                  f"shape (batch, {', '.join(map(str, self.input_shape))})")

    def check_gradient(self, dout, out):
        """Refuse a gradient that does not match the output of the last forward pass."""
        self._check_built()
        if out is None:
            raise ScratchVAEError(f"{type(self).__name__}: backward without a forward pass; call forward(x) first")
        if not self.kernels.is_array(dout) or dout.dtype != self.dtype or dout.shape != out.shape:
            raise ScratchVAEError(f"{type(self).__name__}: gradient {_describe(dout)}; needed: a {self.dtype} array of "
                                  f"shape {out.shape}, as the output of forward")

    def _check_built(self):
        if self.input_shape is None:
            raise ScratchVAEError(f"{type(self).__name__} is not built; call build(input_shape) first")


def check_seed(owner, seed):
    """The seed as an int, or an error that names whose it is."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2 ** 63:
        raise ScratchVAEError(f"{owner}: seed is {seed!r}; allowed: whole numbers from 0, below 2^63")
    return int(seed)


def dtype_name(owner, dtype):
    """"float32" or "float64", or an error that names whose argument it is."""
    name = getattr(dtype, "__name__", None) or str(dtype)       # np.float32, np.dtype("float32") or "float32"
    if name not in DTYPES:
        raise ScratchVAEError(f"{owner}: dtype is {dtype!r}; allowed: {', '.join(DTYPES)}")
    return name


def _describe(x):
    return f"a {x.dtype} array of shape {x.shape}" if hasattr(x, "dtype") else f"a {type(x).__name__}"


def positive_integer(owner, name, value):
    """The value as an int, or an error that names whose argument it is."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ScratchVAEError(f"{owner}: {name} is {value!r}; allowed: whole numbers from 1")
    return int(value)
