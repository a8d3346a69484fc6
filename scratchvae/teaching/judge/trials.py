"""The calls that an operation is tried with, and what the failing ones have in common."""
import numpy as np

from ...kernels import cases
from ...kernels.windows import Window
from .calls import in_words, keeps_scratch
from .quantities import PARTS

# Sizes on which an operation is tried. Usual ones first: their findings are the most readable.
USUAL = cases.SIZES | {"C": 4, "J": 4}
PANELS = cases.SIZES | {"N": 7, "K": 40, "M": 33, "U": 17, "C": 16, "H": 8, "W": 9, "B": 3}
# Whole vectors of channels, and tiles of 4 and of 3 pixels that end before, at and behind an edge.
VECTORS = PANELS | {"M": 32, "N": 3, "H": 7, "W": 10}
MANY = VECTORS | {"N": 110, "A": 3, "B": 3}     # more tiles than a chunk of Winograd's holds
LONG = cases.SIZES | {"*": (3, 6667), "P": 20_001, "D": 6667, "J": 6667, "V": 6667}
# Channels beyond one panel, and the single channel that has a way of its own.
WIDE = PANELS | {"C": 37, "M": 37, "N": 2}
NARROW = ({"C": 1}, {"M": 1})
DEEP = PANELS | {"K": 600}                      # terms beyond one chunk of those that are not zero
# Each example's loss is that of a few elements: an error of one does not drown in a sum.
SHORT = cases.SIZES | {"N": 2003, "D": 1, "V": 2, "T": 1}
PRECISION = {"float64": 1e-9, "float32": 1e-5}
LARGE = 20.0                    # a mean beside which a variance of 1 loses digits
FAR = 300.0                     # inputs of this size let careless exponentials overflow
# Families whose forward passes take exponentials.
OVERFLOWING = {"activation", "binary_crossentropy", "squared_error", "onehot_binary_crossentropy",
               "sparse_categorical_crossentropy"}
# Arrays that layers pass as one and the same, as the docstrings allow.
SAME = {
    "activation_forward": {"y": "x"},
    "activation_backward": {"dx": "dout", "y": "dout"},
    "dense_backward": {"dz": "dout", "y": "dout"},
    "mask_steps": {"y": "x"},
    "onehot_binary_crossentropy_backward": {"dlogits": "logits"},
    "sparse_categorical_crossentropy_backward": {"dlogits": "logits"},
}
# A density of thousands of dimensions: its logarithm leaves float32 no digits for exp.
SHORT_ONLY = {"total_correlation"}
ONE_ARRAY = "arrays that are one"
ZEROS = "zeros and equal numbers"
ROOM = "a scratch with room for more examples than this batch has"


def usual_sizes(operation):
    """Return the usual sizes: more sequences for recurrent layers, as a mask leaves some out."""
    return USUAL | ({"N": 6} if operation.declaration.family in PARTS else {})


def trials(backend, operation):
    """Yield (case, dtype, variant, values) of all calls that an operation is tried with.

    variant says in words what is special, values(array) changes the numbers that are drawn.
    """
    usual = cases.cases_of(operation, usual_sizes(operation))
    for case in usual:
        for dtype in PRECISION:
            yield case, dtype, "", None
    for case in usual:
        yield case, "float64", ZEROS, np.round
    if "K" in operation.declaration.letters:
        yield cases.make_case(operation, DEEP), "float64", ZEROS, np.round
    if operation.declaration.family in OVERFLOWING and not operation.declaration.name.endswith(
            "_backward"):
        for case in usual:
            yield case, "float32", "large numbers", lambda array: FAR * array
    if operation.declaration.name in ("batchnorm_forward", "layernorm_forward"):
        yield usual[0], "float32", "a large mean", lambda array: array + LARGE
    for sizes, variant in ((cases.ONE, "one of each"), (PANELS, "other sizes")):
        for case in cases.cases_of(operation, sizes):
            yield case, "float64", variant, None
    if {"A", "B", "M"} <= set(operation.declaration.letters):
        yield from convolution_trials(operation)
    if operation.declaration.has_scratch and keeps_scratch(backend, operation.declaration.name):
        yield usual[0], "float64", ROOM, None
    if operation.declaration.name in SAME:
        yield usual[0], "float64", ONE_ARRAY, None
    if (set(operation.declaration.letters) <= set("NDJVPE*")
            and operation.declaration.family not in SHORT_ONLY):
        for dtype in PRECISION:
            yield cases.make_case(operation, LONG), dtype, "long arrays", None
    if operation.declaration.family in OVERFLOWING:
        yield cases.make_case(operation, SHORT), "float32", "short examples", None


def convolution_trials(operation):
    """Yield the calls of a convolution that fast ways of computing it are for."""
    for size in (3, 4):
        for padding in ("same", "valid"):
            case = cases.make_case(operation, VECTORS | {"A": size, "B": size},
                                   window=Window((1, 1), padding))
            for dtype in PRECISION:
                yield case, dtype, "channels in whole vectors", None
    yield (cases.make_case(operation, MANY, window=Window((1, 1), "same")), "float64",
           "many images", None)
    for strides in ((1, 1), (2, 3)):
        window = Window(strides, "same")
        yield cases.make_case(operation, WIDE, window=window), "float64", "many channels", None
        for sizes in NARROW:
            yield (cases.make_case(operation, PANELS | sizes, window=window), "float64",
                   "a single channel", None)


def which_fail(tried):
    """Return what the failing calls have in common that others lack, or an empty text."""
    failed = [trial for trial in tried if trial[3]]
    if len(failed) in (0, len(tried)):
        return ""
    variants = {trial[2] for trial in failed}
    if len(variants) == 1 and "" not in variants:
        return f"only with {variants.pop()}"
    for dtype in PRECISION:
        if all(trial[1] == dtype for trial in failed):
            return f"only in {dtype}"
    usual = [trial for trial in tried if trial[2] == ""]
    for name in usual[0][0].options:
        bad = {str(in_words(case.options[name])) for case, _, _, wrong in usual if wrong}
        good = {str(in_words(case.options[name])) for case, _, _, wrong in usual if not wrong}
        if bad and good and not bad & good:
            return f"only with {name} {' or '.join(sorted(bad))}"
    missing = {case.missing for case, *_ in failed}
    if len(missing) == 1 and missing != {()}:
        return f"only if {missing.pop()[0]} is None"
    return ""
