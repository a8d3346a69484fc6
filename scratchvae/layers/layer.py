"""What every layer has in common."""
import inspect

import numpy as np

from .. import checks, kernels
from ..errors import ScratchVAEError
from . import initializers
from .formulas import Formula
from .noise import Noise
from .workspace import Workspace

SHAPES = "shapes follow from the first example, or from build(input_shape)"
NOT_NEEDED = {                  # arguments of Keras's layers
    "input_shape": SHAPES,
    "input_dim": SHAPES,
    "input_length": SHAPES,
    "batch_input_shape": SHAPES,
    "name": "layers are named by their class and order",
    "trainable": "all parameters are trained",
}


class Layer:
    """A function with parameters and its derivative.

    To write one: take the configuration in __init__ under the names of its arguments and call
    super().__init__(dtype); make parameters in `setup`; compute in `forward` and `backward`.
    `params` and `grads` are dicts of arrays by name, in Keras's order; `state` holds arrays that
    training changes by other means than gradients. `backward` fills `grads` anew (it does not add)
    and never writes into its arguments.

    A layer also describes itself, for gradient checks, trace, explore and the tests: `formula`,
    `flops`, and `examples`.

    Attributes
    ----------
    input_dtype : str or None
        dtype of the input: "int32" for words; None stands for the layer's own dtype.
    vocabulary_size : int or None
        How many words the input may contain; None for numbers.
    mask : int32 array (N, T) or None
        Which steps of the sequences count, 1 or 0. None: all. Set by Sequential.
    reads_dout_only : bool
        Whether the backward pass reads no other large array than dout.
    affine : bool
        Whether the output, outside training, is a matrix times the input plus a constant.
    rearranges : bool
        Whether each element of the output is an element of the input.
    """
    classes = {}                # registered name -> class, for from_config
    input_dtype = None
    vocabulary_size = None
    mask = None
    reads_dout_only = False
    affine = False
    rearranges = False
    _y = None                   # the output of the last forward pass

    def __init_subclass__(cls):
        Layer.classes[registered_name(cls)] = cls

    def __new__(cls, *arguments, **options):
        """Answer arguments that Keras's layers have and these do not need."""
        known = inspect.signature(cls).parameters
        for name in options:
            if name in NOT_NEEDED and name not in known:
                raise ScratchVAEError(f"{cls.__name__}: {name} is not an argument here: "
                                      f"{NOT_NEEDED[name]}")
        return super().__new__(cls)

    def __init__(self, dtype="float32"):
        self.dtype = checks.dtype_name(self.name, dtype)
        self.backend = "cpu"
        self.input_shape = None
        self.stream = 0         # which noise is this layer's

    @property
    def name(self):
        """The class's name, for messages."""
        return type(self).__name__

    # Building.

    def build(self, input_shape, seed=0):
        """Make the parameters.

        Parameters
        ----------
        input_shape : tuple of int
            The shape of an example, without the batch axis.
        seed : int or list of int
            What the parameters are drawn from.

        Returns
        -------
        tuple of int
            The shape of the output for an example.
        """
        for part in np.atleast_1d(seed).tolist():
            checks.seed(self.name, part)
        input_shape = tuple(int(n) for n in np.atleast_1d(input_shape))
        if not input_shape or min(input_shape) < 1:
            raise ScratchVAEError(f"{self.name}: input_shape must hold positive sizes, without the "
                                  f"batch axis, got {input_shape}")
        self.input_shape = input_shape
        self.kernels = kernels.load(self.backend)
        self.workspace = Workspace(self.kernels, self.dtype)
        self.noise = Noise(self.kernels)
        self.params = {}
        self.grads = {}
        self.state = {}
        self._y = None
        self._scratch = {}      # family of operations -> (number of examples, work space)
        self.seed = seed
        self._rng = np.random.default_rng(seed)
        self.output_shape = self.setup(input_shape)
        return self.output_shape

    def setup(self, input_shape):
        """Make parameters by add_parameter; return the shape of the output."""
        return input_shape

    def check_axes(self, input_shape, axes):
        """Refuse an input shape of another number of axes.

        Parameters
        ----------
        input_shape : tuple of int
        axes : str
            Their names, as in "height, width, channels".
        """
        if len(input_shape) != len(axes.split(", ")):
            raise ScratchVAEError(f"{self.name}: input_shape must be ({axes}), got {input_shape}")

    def add_parameter(self, name, shape, initializer):
        """Make params[name] and grads[name]."""
        self.params[name] = self._initial(shape, initializer)
        self.grads[name] = self.kernels.zeros(shape, self.dtype)

    def add_state(self, name, shape, initializer):
        """Make state[name]: an array that training changes, but no gradient does."""
        self.state[name] = self._initial(shape, initializer)

    def _initial(self, shape, initializer):
        """Return an array filled by the initializer of that name."""
        values = initializers.get(initializer)(shape, self._rng)
        return self.kernels.from_host(np.ascontiguousarray(values, self.dtype))

    def bind(self, name, value, gradient):
        """Move a parameter and its gradient into these arrays."""
        self.kernels.copy(self.params[name], value)
        self.params[name] = value
        self.grads[name] = gradient

    def join(self, noise, stream):
        """Become part of a model: take noise from there, and reuse memory for results."""
        self.noise = noise
        self.stream = stream
        self.workspace = Workspace(self.kernels, self.dtype, reuse=True)

    # Computing.

    def forward(self, x, training=False):
        """Return the output for a batch x (N, *input_shape)."""
        raise NotImplementedError(f"{self.name} has no forward pass")

    def backward(self, dout, need_dx=True):
        """Fill grads and return dx.

        Parameters
        ----------
        dout : array (N, *output_shape)
            The upstream gradient: that of the last forward pass's output.
        need_dx : bool
            False for a first layer: dx is not computed, and None is returned.
        """
        raise NotImplementedError(f"{self.name} has no backward pass")

    def compute_mask(self, x):
        """Return the mask for the next layer, after the input x."""
        return None

    def scratch(self, family, N, **sizes):
        """Return the work space of a family of operations for at least N examples.

        It is made at the first call, and anew when a larger batch comes.

        Parameters
        ----------
        family : str
            "dense" for dense_forward and dense_backward.
        N : int
            The number of examples.
        **sizes
            The other arguments of `<family>_scratch`.
        """
        capacity, work = self._scratch.get(family, (0, None))
        if N > capacity:
            make = getattr(self.kernels, f"{family}_scratch")
            work = make(N=N, **sizes, dtype=self.dtype)
            self._scratch[family] = (N, work)
        return work

    # Describing itself.

    def formula(self):
        """Return the Formula: the layer's mathematics, forward and backward, a line each."""
        first_line = inspect.cleandoc(type(self).__doc__ or self.name).splitlines()[0]
        return Formula(first_line, "")

    def flops(self):
        """Return the multiplications and additions in the products for one example.

        Returns
        -------
        (int, int, int)
            Of the forward pass, the gradients of the parameters, and the gradient of x.
        """
        return 0, 0, 0

    @classmethod
    def examples(cls):
        """Yield pairs of a layer and an input_shape: small and odd, for checks of the class."""
        return iter(())

    # Weights and configuration.

    @property
    def weights(self):
        """Parameters and state by name, in Keras's order."""
        return self.params | self.state

    def get_weights(self):
        """Return copies of parameters and state, NumPy arrays in Keras's order."""
        self._check_built()
        return [self.kernels.to_host(value).copy() for value in self.weights.values()]

    def set_weights(self, weights):
        """Set parameters and state from a list as a Keras layer's get_weights returns it."""
        self._check_built()
        expected = [value.shape for value in self.weights.values()]
        given = [np.shape(weight) for weight in weights]
        if expected != given:
            raise ScratchVAEError(f"{self.name}: weights have shapes {given}, "
                                  f"expected {dict(zip(self.weights, expected))}")
        for value, weight in zip(self.weights.values(), weights):
            self.kernels.copy(np.ascontiguousarray(weight, self.dtype), value)

    def arguments(self):
        """Return the arguments that make this layer again, without its dtype, by name."""
        names = _argument_names(type(self))
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise ScratchVAEError(f"{self.name}: __init__ takes {missing[0]}, but there is no "
                                  f"self.{missing[0]}; keep each argument under its name, so that "
                                  "the layer can be saved")
        return {name: checks.plain(getattr(self, name)) for name in names}

    def get_config(self):
        """Return the arguments that make this layer again, with its class: what is saved."""
        return {"class": registered_name(type(self))} | self.arguments()

    def clone(self, dtype=None):
        """Return a layer of the same class and arguments, not built."""
        layer = type(self)(**self.arguments())
        layer.dtype = checks.dtype_name(self.name, dtype or self.dtype)
        layer.backend = self.backend
        return layer

    def __reduce__(self):
        """Copy and pickle the layer as its arguments and its weights, on its own."""
        weights = None if self.input_shape is None else self.get_weights()
        return _restore, (type(self), self.arguments(), self.dtype, self.backend,
                          self.input_shape, weights)

    @staticmethod
    def from_config(config, dtype="float32"):
        """Return a layer, not built, from what get_config returned.

        Raises
        ------
        ScratchVAEError
            If its class is neither the library's nor defined in this program.
        """
        arguments = dict(config)
        name = arguments.pop("class")
        if name not in Layer.classes:
            raise ScratchVAEError(f"unknown layer {name!r}; known layers: "
                                  f"{', '.join(sorted(Layer.classes))}; a class of your own must "
                                  "be defined (imported) before its model is loaded")
        layer = Layer.classes[name](**arguments)
        layer.dtype = checks.dtype_name(name, dtype)
        return layer

    # Checks.

    def check_input(self, x):
        """Refuse an input of the wrong shape or dtype."""
        self._check_built()
        dtype = self.input_dtype or self.dtype
        shape = ", ".join(map(str, self.input_shape))
        if not self.kernels.is_array(x) or x.dtype != dtype:
            raise ScratchVAEError(f"{self.name}: x must be a {dtype} array of shape (N, {shape}), "
                                  f"got {_describe(x)}")
        if x.shape[1:] != self.input_shape or len(x) == 0:
            hint = "; for a single example pass x[None]" if x.shape == self.input_shape else ""
            raise ScratchVAEError(f"{self.name}: x must have shape (N, {shape}), "
                                  f"got {tuple(x.shape)}{hint}")

    def check_gradient(self, dout, out):
        """Refuse a gradient that does not match the output of the last forward pass."""
        self._check_built()
        if out is None:
            raise ScratchVAEError(f"{self.name}: backward needs a forward pass first; "
                                  "call forward(x)")
        right = self.kernels.is_array(dout) and dout.dtype == self.dtype
        if not right or dout.shape != out.shape:
            raise ScratchVAEError(f"{self.name}: dout must be a {self.dtype} array of shape "
                                  f"{tuple(out.shape)}, as the output of forward, "
                                  f"got {_describe(dout)}")

    def _check_built(self):
        if self.input_shape is None:
            raise ScratchVAEError(f"{self.name} is not built; call build(input_shape) first")


def _argument_names(layer_class):
    """Return the names of a class's arguments without dtype; **options are those of its base."""
    names = []
    for base in layer_class.__mro__:
        if "__init__" in vars(base):
            parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
            names += [parameter.name for parameter in parameters
                      if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
                      and parameter.name not in (*names, "dtype")]
            if not any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters):
                break
    return names


def _restore(layer_class, arguments, dtype, backend, input_shape, weights):
    """Return the layer that __reduce__ took apart."""
    layer = layer_class(**arguments)
    layer.dtype = dtype
    layer.backend = backend
    if weights is not None:
        layer.build(input_shape)
        layer.set_weights(weights)
    return layer


def registered_name(cls):
    """Return the name by which a class is saved and found again.

    The library's classes have their bare name. Others carry their module, so that a class of
    yours that is called Dense does not replace the library's.
    """
    if cls.__module__.startswith("scratchvae."):
        return cls.__name__
    return f"{cls.__module__}.{cls.__qualname__}"


def _describe(x):
    """Return what x is, for a message."""
    if hasattr(x, "dtype"):
        return f"a {x.dtype} array of shape {tuple(x.shape)}"
    return f"a {type(x).__name__}"
