"""Operations: functions on arrays, declared once, by the reference, for all backends.

The reference function carries the declaration; every other backend implements that function:

    @operation("x=NK kernel=KM bias=M -> y=NM", activation=("relu", "tanh"))
    def dense_forward(x, kernel, bias, y, activation, scratch):     # kernels/reference/dense.py

    @implements(reference.dense_forward)
    def dense_forward(x, kernel, bias, y, activation, scratch):     # kernels/cpu/dense.py

The text lists the arrays in the order of the arguments: inputs, an arrow, outputs. For each array
it gives the name and the axes, and further marks where they apply:

    x=NK            shape (N, K). The same letter is the same size in all arrays of the operation
    kernel=K,3U     axes with commas between them may be multiples and sums: (K, 3 U), (N, K + L)
    x=*             any shape, the same for all arrays marked so
    dx=NK?          may be None if the caller does not need it
    v+=P            updated in place: the operation reads the old contents
    mask=NT:bit     the kind of its numbers, see KINDS
    words=N:index<V     indices below the size V

All other arguments are options. The decorator's keywords give values of each option that tests and
checks should try. The last argument may be `scratch`: work space made by the family's function
`<family>_scratch`, whose parameters are letters of the declaration, options, and dtype. A scratch
that was made for N examples serves any batch of at most N.
"""
import functools
import inspect
import re
from typing import NamedTuple

import numpy as np

from . import arrays
from .errors import ScratchVAEError

FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}
KINDS = {
    "real": "any number",
    "small": "a number near 0 (recurrent weights: larger ones make long sequences chaotic)",
    "unit": "a number in [0, 1)",
    "positive": "a number above 0",
    "index": "an int32 from 0",
    "place": "an int32 from 0 that occurs once in the array",
    "bit": "an int32, 0 or 1",
}
INTEGERS = {"index", "place", "bit"}

ARRAY = re.compile(r"(?P<name>\w+)(?P<updated>\+?)=(?P<axes>[^?:]+)(?P<optional>\??)"
                   r"(?::(?P<kind>\w+)(?:<(?P<bound>[A-Z]))?)?")
TERM = re.compile(r"(\d*)([A-Z]?)")


class Array(NamedTuple):
    """What an operation's declaration says of one array."""
    name: str
    axes: tuple                 # of text: "N", "3U", "K+L"; or ("*",)
    output: bool                # the operation writes it
    updated: bool               # the operation reads it before it writes it
    optional: bool              # it may be None
    kind: str                   # a key of KINDS
    bound: str                  # for an index, the letter of the size that it lies below, or None

    @property
    def any_shape(self):
        """Whether the array may have any shape."""
        return self.axes == ("*",)

    @property
    def integer(self):
        """Whether the array holds int32 numbers."""
        return self.kind in INTEGERS

    def shape(self, sizes):
        """Return the shape for the sizes, a dict of letter -> int ("*" -> a whole shape)."""
        return sizes["*"] if self.any_shape else tuple(size_of(axis, sizes) for axis in self.axes)

    def describe_shape(self):
        """Return the shape as text: (N, 3U)."""
        if self.any_shape:
            return "one shape for all arrays"
        return f"({', '.join(self.axes)}{',' if len(self.axes) == 1 else ''})"


def size_of(axis, sizes):
    """Return the size of an axis such as "3U" or "K+L"."""
    total = 0
    for term in axis.split("+"):
        factor, letter = TERM.fullmatch(term).groups()
        total += int(factor or 1) * (sizes[letter] if letter else 1)
    return total


def parse_array(text, output):
    """Return the Array that a part of a declaration such as "dx=NK?" describes."""
    parts = ARRAY.fullmatch(text)
    if not parts:
        raise ValueError(f"not a declaration of an array: {text!r}")
    axes = parts["axes"]
    axes = tuple(axes.split(",")) if "," in axes or axes[0].isdigit() else tuple(axes)
    updated = bool(parts["updated"])
    return Array(parts["name"], axes, output or updated, updated, bool(parts["optional"]),
                 parts["kind"] or "real", parts["bound"])


class Declaration:
    """What an operation demands of its arguments.

    Attributes
    ----------
    name : str
    arrays : dict of name -> Array
        In the order of the arguments.
    options : dict of name -> tuple
        Values of each option that tests and checks try; the first is the usual one.
    parameters : tuple of str
        The names of all arguments: arrays, options, and "scratch" if there is one.
    derive : function or None
        derive(sizes, **options) returns sizes that follow from others, such as those of the
        output of a convolution, or raises ScratchVAEError. It names the options it needs.
    """

    def __init__(self, function, text, derive, options):
        inputs, _, outputs = text.partition("->")
        declared = [parse_array(part, False) for part in inputs.split()]
        declared += [parse_array(part, True) for part in outputs.split()]
        self.name = function.__name__
        self.arrays = {array.name: array for array in declared}
        self.options = options
        self.derive = derive
        self.parameters = tuple(inspect.signature(function).parameters)
        expected = (*self.arrays, *options)
        if self.parameters not in (expected, (*expected, "scratch")):
            raise TypeError(f"{self.name}: declares {expected}, but takes {self.parameters}")
        needed = inspect.signature(derive).parameters if derive else {}
        self.deriving = tuple(name for name in needed if name != "sizes")

    @property
    def family(self):
        """The name without _forward or _backward: dense_forward belongs to dense."""
        return re.sub(r"_(forward|backward|inference|inference_backward)$", "", self.name)

    @property
    def has_scratch(self):
        """Whether the last argument is work space."""
        return self.parameters[-1] == "scratch"

    @property
    def letters(self):
        """The letters of all sizes, in the order in which they first appear."""
        axes = [axis for array in self.arrays.values() for axis in array.axes]
        return list(dict.fromkeys(re.findall(r"[A-Z]", " ".join(axes))))

    def sizes(self, given):
        """Return letter -> size, read from the arrays that are given by name.

        Raises
        ------
        ScratchVAEError
            If the shapes do not fit together.
        """
        sizes = {}
        for name, array in self.arrays.items():
            if given[name] is not None:
                self._read_sizes(array, tuple(given[name].shape), sizes)
        for name, array in self.arrays.items():
            if given[name] is not None:
                self._check_shape(array, tuple(given[name].shape), sizes)
        return sizes

    def _read_sizes(self, array, shape, sizes):
        """Add to sizes what the plain letters of an array say."""
        if array.any_shape:
            sizes.setdefault("*", shape)
        elif len(shape) == len(array.axes):
            for axis, size in zip(array.axes, shape):
                if axis.isalpha():
                    sizes.setdefault(axis, size)

    def _check_shape(self, array, shape, sizes):
        """Refuse a shape that does not follow from the sizes."""
        known = array.any_shape or all(letter in sizes
                                       for letter in re.findall("[A-Z]", "".join(array.axes)))
        if known and array.shape(sizes) == shape:
            return
        expected = array.describe_shape()
        if known:
            expected += f" = {array.shape(sizes)}" if not array.any_shape else f": {sizes['*']}"
        raise ScratchVAEError(f"{self.name}: {array.name} has shape {shape}, expected {expected}; "
                              f"the arrays of {self.name} are {self.describe()}")

    def describe(self):
        """Return all arrays with their shapes, as text."""
        return ", ".join(f"{name} {array.describe_shape()}" for name, array in self.arrays.items())

    def check(self, given, is_array, kind):
        """Refuse arguments that the operation cannot take.

        Parameters
        ----------
        given : dict of name -> argument
        is_array : function
            Tells whether an object is an array of the backend.
        kind : str
            What such an array is called in messages.

        Returns
        -------
        dict of letter -> int
            The sizes of the arrays.
        """
        first = None                                    # the first array of real numbers
        for name, array in self.arrays.items():
            value = given[name]
            if value is None and array.optional:
                continue
            if not is_array(value):
                raise ScratchVAEError(f"{self.name}: {name} must be {kind}, "
                                      f"got {type(value).__name__}")
            if not contiguous(value):
                raise ScratchVAEError(f"{self.name}: {name} must be C-contiguous; "
                                      f"pass np.ascontiguousarray({name})")
            first = first or (None if array.integer else (name, value.dtype))
            self._check_dtype(array, value.dtype, first)
        sizes = self.sizes(given)
        if self.derive:
            options = {name: given[name] for name in self.deriving}
            try:
                derived = self.derive(sizes, **options)
            except ScratchVAEError as error:
                raise ScratchVAEError(f"{self.name}: {error}") from None
            self._check_derived(sizes, derived, given)
        return sizes

    def _check_dtype(self, array, dtype, first):
        """Refuse a dtype that the declaration does not allow."""
        problem = f"{self.name}: {array.name} has dtype {dtype}"
        if array.integer:
            if dtype != np.int32:
                raise ScratchVAEError(f"{problem}, expected int32")
        elif dtype not in FLOATS:
            raise ScratchVAEError(f"{problem}, expected float32 or float64")
        elif dtype != first[1]:
            raise ScratchVAEError(f"{problem}, but {first[0]} has {first[1]}; "
                                  "all arrays of real numbers must have one dtype")

    def _check_derived(self, sizes, derived, given):
        """Refuse sizes that differ from those that follow from the others."""
        for name, array in self.arrays.items():
            if given[name] is not None and set(array.axes) & set(derived):
                expected = array.shape(sizes | derived)
                if tuple(given[name].shape) != expected:
                    raise ScratchVAEError(f"{self.name}: {name} has shape "
                                          f"{tuple(given[name].shape)}, expected {expected}")


def operation(declaration, derive=None, **options):
    """Declare the decorated function of the reference as an operation; see the head of this file.

    Parameters
    ----------
    declaration : str
        The arrays: "x=NK kernel=KM bias=M -> y=NM".
    derive : function, optional
        See Declaration.
    **options : tuple
        For each argument that is not an array, values that tests and checks should try.
    """
    def declare(function):
        declared = Declaration(function, declaration, derive, options)
        return checked(function, declared, arrays.is_array, "a NumPy array", True)
    return declare


def implements(reference, is_array=arrays.is_array, kind="a NumPy array", on_host=True):
    """Make the decorated function another backend's form of a reference operation.

    It inherits declaration, signature and docstring, and must take the same arguments.

    Parameters
    ----------
    reference : function
        An operation of scratchvae.kernels.reference.
    is_array, kind
        See Declaration.check.
    on_host : bool
        Whether indices can be looked at without waiting for a device.
    """
    def implement(function):
        if inspect.signature(function) != inspect.signature(reference):
            raise TypeError(f"{function.__module__}.{function.__name__}: the arguments differ from "
                            f"the reference's {inspect.signature(reference)}")
        function.__doc__ = reference.__doc__
        return checked(function, reference.declaration, is_array, kind, on_host)
    return implement


def checked(function, declaration, is_array, kind, on_host):
    """Return the function with a check of its arguments before each call.

    Shapes and types that passed once are remembered, so a repeated call costs little.
    """
    signature = inspect.signature(function)
    names = declaration.parameters
    count = len(declaration.arrays)
    deriving = [names.index(name) for name in declaration.deriving]
    bounded = [(i, f"{declaration.name}: {array.name}", array.bound)
               for i, array in enumerate(declaration.arrays.values())
               if array.bound and not array.output and on_host]
    passed = {}             # what arguments looked like -> the sizes of their arrays

    @functools.wraps(function)
    def call(*arguments, **keywords):
        if keywords or len(arguments) != len(names):
            arguments = signature.bind(*arguments, **keywords).args
        key = tuple([(argument.shape, argument.dtype, contiguous(argument))
                     if is_array(argument) else type(argument)
                     for argument in arguments[:count]])
        if deriving:
            key += tuple([arguments[i] for i in deriving])
        sizes = passed.get(key)
        if sizes is None:
            sizes = passed[key] = declaration.check(dict(zip(names, arguments)), is_array, kind)
        for i, what, letter in bounded:
            check_indices(what, arguments[i], sizes[letter])
        return function(*arguments)
    call.declaration = declaration
    return call


def is_operation(member):
    """Return whether an object is an operation of some backend."""
    return hasattr(member, "declaration")


def contiguous(array):
    """Return whether an array, NumPy's or a device's, is C-contiguous."""
    if type(array) is np.ndarray:
        return array.flags.c_contiguous
    return array.is_c_contiguous()


def check_indices(what, indices, size):
    """Refuse indices that lie outside a table of `size` rows; the kernels do not check them.

    Parameters
    ----------
    what : str
        What the message calls them.
    indices : int array
    size : int

    Raises
    ------
    ScratchVAEError
        If an index is below 0 or not below `size`.
    """
    if indices.size:
        low = int(indices.min())
        high = int(indices.max())
        if low < 0 or high >= size:
            raise ScratchVAEError(f"{what}: index {low if low < 0 else high} is out of range; "
                                  f"allowed: 0 to {size - 1}")
