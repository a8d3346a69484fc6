"""What every operation of every backend promises and demands, in one place."""
import functools
import inspect
import re

import numpy as np

from . import arrays

ACTIVATIONS = ("linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax")
LEAKY_RELU_SLOPE = 0.2          # Keras's for the bare name "leaky_relu"; "leaky_relu(0.3)" names another

# The arrays of each operation and their axes, a letter an axis: equal letters are equal sizes, * is any one shape.  Arrays of
# INTEGERS hold word indices, int32; all others are numbers of one type.
SHAPES = {
    "activation_forward": "x=* y=*",
    "activation_backward": "dout=* y=* dx=*",
    "dense_forward": "x=NK kernel=KM bias=M y=NM",
    "dense_backward": "dout=NM x=NK y=NM kernel=KM dz=NM dx=NK dkernel=KM dbias=M",
    "conv2d_forward": "x=NHWC kernel=ABCM bias=M y=NPQM",
    "conv2d_backward": "dout=NPQM x=NHWC y=NPQM kernel=ABCM dx=NHWC dkernel=ABCM dbias=M",
    "conv2d_transpose_forward": "x=NHWC kernel=ABMC bias=M y=NPQM",
    "conv2d_transpose_backward": "dout=NPQM x=NHWC y=NPQM kernel=ABMC dx=NHWC dkernel=ABMC dbias=M",
    "batchnorm_forward": "x=NC gamma=C beta=C moving_mean=C moving_variance=C y=NC mean=C variance=C",
    "batchnorm_inference": "x=NC gamma=C beta=C moving_mean=C moving_variance=C y=NC",
    "batchnorm_backward": "dout=NC x=NC gamma=C mean=C variance=C dx=NC dgamma=C dbeta=C",
    "dropout_forward": "x=* noise=* y=*",
    "dropout_backward": "dout=* noise=* dx=*",
    "binary_crossentropy_forward": "logits=ND target=ND probability=ND loss=N",
    "binary_crossentropy_backward": "probability=ND target=ND dlogits=ND",
    "squared_error_forward": "logits=ND target=ND output=ND loss=N",
    "squared_error_backward": "output=ND target=ND dlogits=ND",
    "sparse_categorical_crossentropy_forward": "logits=NTV targets=NT loss=N log_total=NT",
    "sparse_categorical_crossentropy_backward": "logits=NTV targets=NT log_total=NT dlogits=NTV",
    "onehot_binary_crossentropy_forward": "logits=NV targets=N loss=N",
    "onehot_binary_crossentropy_backward": "logits=NV targets=N dlogits=NV",
    "embedding_forward": "indices=N table=VE y=NE",
    "embedding_backward": "dout=NE indices=N dtable=VE",
    "onehot_dense_forward": "indices=N kernel=VM bias=M y=NM",
    "onehot_dense_backward": "dout=NM indices=N y=NM dz=NM dkernel=VM dbias=M",
    "gru_forward": "x=NTK kernel=KG recurrent_kernel=UG bias=BG initial_state=NU mask=NT y=NTU",
    "gru_backward": "dout=NTU x=NTK kernel=KG recurrent_kernel=UG mask=NT dx=NTK dkernel=KG drecurrent_kernel=UG dbias=BG "
                    "dinitial_state=NU",
    "repeat_forward": "x=NK y=NTK",
    "repeat_backward": "dout=NTK dx=NK",
    "concatenate_forward": "a=NK b=NL y=NM",
    "concatenate_backward": "dout=NM da=NK db=NL",
    "last_forward": "x=NTK y=NK",
    "last_backward": "dout=NK dx=NTK",
    "mask_steps": "x=NTK mask=NT y=NTK",
    "padding_mask": "indices=NT mask=NT",
    "words_before": "indices=NT noise=NT before=NT",
    "reparameterize_forward": "z_mean=NJ z_log_var=NJ eps=NJ z=NJ",
    "reparameterize_backward": "dz=NJ z_log_var=NJ eps=NJ dz_mean=NJ dz_log_var=NJ",
    "gaussian_kl_forward": "z_mean=NJ z_log_var=NJ kl=N",
    "gaussian_kl_backward": "z_mean=NJ z_log_var=NJ dz_mean=NJ dz_log_var=NJ",
    "uniform": "out=*",
    "normal": "out=*",
    "sgd_update": "parameters=P gradients=P velocity=P",
    "rmsprop_update": "parameters=P gradients=P v=P",
    "adam_update": "parameters=P gradients=P m=P v=P",
    "clip_by_global_norm": "gradients=P",
}
OPTIONAL = {(name, "dx") for name in ("dense_backward", "conv2d_backward", "conv2d_transpose_backward", "gru_backward")}    # may be None
INTEGERS = {"indices", "targets", "mask", "before"}

FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}


class ScratchVAEError(ValueError):
    """A wrong value, shape or file, named, with what is allowed, in one line."""


def check_gru(recurrent_kernel, bias_rows):
    """Refuse a GRU's parameters of wrong shapes: its axes are multiples of each other, which SHAPES can't say."""
    U, G = recurrent_kernel.shape
    if G != 3 * U or bias_rows != 2:
        raise ScratchVAEError(f"gru: recurrent_kernel has shape {(U, G)}, the bias {bias_rows} rows; needed: (units, 3 units), 2 rows")


def check_concatenation(a, b, y):
    """Refuse a y that is not as wide as a and b side by side."""
    if y.shape[1] != a.shape[1] + b.shape[1]:
        raise ScratchVAEError(f"concatenate: {a.shape[1]} and {b.shape[1]} numbers side by side are not {y.shape[1]}; needed: their sum")


def check_indices(operation, indices, size):
    """Refuse indices of rows that a table of that many rows doesn't have: no kernel checks them."""
    low, high = (int(indices.min()), int(indices.max())) if indices.size else (0, 0)
    if low < 0 or high >= size:
        raise ScratchVAEError(f"{operation}: index {low if low < 0 else high} is out of range; allowed: 0 to {size - 1}")


def operation(function, is_array=arrays.is_array, kind="a NumPy array"):
    """Refuse arrays an operation can't take: not the backend's own, of wrong shapes, not C-contiguous, or of mixed or foreign types.

    Checked once for every call, so that no kernel has to; shapes and types that were right once are remembered.
    is_array tells whether something is an array of the backend, kind says what those are.
    """
    signature = inspect.signature(function)
    right = set()

    @functools.wraps(function)
    def checked(*arguments, **keywords):
        if keywords:
            arguments = signature.bind(*arguments, **keywords).args
        kinds = tuple([(argument.shape, argument.dtype, contiguous(argument)) for argument in arguments if is_array(argument)])
        if kinds not in right:
            _refuse(function.__name__, dict(zip(signature.parameters, arguments)), is_array, kind)
            right.add(kinds)
        return function(*arguments)
    return checked


def contiguous(array):
    """Whether an array, NumPy's or a device's, is C-contiguous."""
    return array.flags.c_contiguous if type(array) is np.ndarray else array.is_c_contiguous()


def _refuse(operation, given, is_array, kind):
    """Raise an error that names the array that is wrong, if one is."""
    expected = dict(item.split("=") for item in SHAPES[operation].split())
    sizes, first = {}, None                     # first: the name and type of the first array of numbers
    for name, axes in expected.items():
        array = given.get(name)
        if array is None and (operation, name) in OPTIONAL:
            continue
        problem = f"{operation}: {name}"
        if not is_array(array):
            raise ScratchVAEError(f"{problem} is a {type(array).__name__}; needed: {kind}")
        if not contiguous(array):
            raise ScratchVAEError(f"{problem} is not C-contiguous; pass np.ascontiguousarray({name})")
        if name in INTEGERS:
            if array.dtype != np.int32:
                raise ScratchVAEError(f"{problem} is {array.dtype}; needed: int32")
        elif array.dtype not in FLOATS:
            raise ScratchVAEError(f"{problem} is {array.dtype}; allowed: float32, float64")
        elif array.dtype != (first := first or (name, array.dtype))[1]:
            raise ScratchVAEError(f"{problem} is {array.dtype} but {first[0]} is {first[1]}; all arrays share one dtype")
        needed = [("*", array.shape)] if axes == "*" else list(zip(axes, array.shape))
        if (axes != "*" and len(axes) != array.ndim) or any(sizes.setdefault(axis, size) != size for axis, size in needed):
            raise ScratchVAEError(f"{problem} has shape {array.shape}, which does not fit the others; needed: {SHAPES[operation]}")


@functools.lru_cache(maxsize=None)
def parse_activation(activation):
    """Return (name, slope) of an activation as text: "relu" -> ("relu", 0.0), "leaky_relu(0.3)" -> ("leaky_relu", 0.3)."""
    match = re.fullmatch(r"leaky_relu(?:\((\d*\.?\d+)\))?", activation) if isinstance(activation, str) else None
    if match:
        return "leaky_relu", float(match.group(1) or LEAKY_RELU_SLOPE)
    if activation not in ACTIVATIONS:
        raise ScratchVAEError(f"unknown activation {activation!r}; there are: {', '.join(ACTIVATIONS)}, leaky_relu(SLOPE)")
    return activation, 0.0
