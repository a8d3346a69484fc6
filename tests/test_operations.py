"""What kernels/operation.py promises of every operation: cases are drawn from the declarations."""
import inspect

import numpy as np
import pytest
from helpers import same_on_any_number_of_threads
from scratchvae.kernels.backend import make_scratch, operations
from scratchvae.kernels.cases import (
    ONE,
    SIZES,
    WRITTEN,
    all_cases,
    call,
    cases_of,
    draw_arrays,
    make_case,
    run,
)
from scratchvae.kernels.errors import ScratchVAEError
from scratchvae.kernels.operation import Declaration, implements, parse_array

from scratchvae import kernels
from scratchvae.teaching.judge.trials import SHORT_ONLY

REFERENCE = kernels.load("reference")
CPU = kernels.load("cpu")
OPERATIONS = operations(REFERENCE)
CASES = all_cases(REFERENCE)
MIDDLE = SIZES | {"N": 7, "K": 40, "M": 33, "U": 17, "C": 16, "H": 8, "W": 9, "B": 3}
MANY = SIZES | {"N": 41, "T": 5, "K": 70, "M": 101, "U": 37, "V": 101, "E": 70, "D": 784,
                "C": 17, "H": 13, "W": 12, "P": 70_001, "*": (3, 9001)}
LONG = 20_001                   # more than two chunks of kernels that work in chunks
UNDEFINED = {"dz"}              # work space: its contents are undefined


def arguments_of(backend, case, dtype="float64"):
    """The arguments of a case by name, after the forward pass if the operation is a backward pass
    with a scratch."""
    declaration = case.declaration
    scratch = make_scratch(backend, declaration, case.sizes, case.options, np.dtype(dtype))
    arrays = draw_arrays(case, dtype)
    forward = getattr(backend, f"{declaration.family}_forward", None)
    if declaration.has_scratch and declaration.name.endswith("_backward") and forward:
        known = draw_arrays(case, dtype, 1, forward.declaration)
        call(forward, known, case.options, scratch)
        arrays |= {name: known[name] for name in known.keys() & arrays.keys()}
    work = {"scratch": scratch} if declaration.has_scratch else {}
    return arrays | case.options | work


class Guarded:
    """Copies of arrays with a border of sentinels, which shows if an operation writes outside."""
    BORDER = 1024

    def __init__(self):
        self.buffers = []

    def __call__(self, array):
        sentinel = -77
        buffer = np.full(array.size + 2 * self.BORDER, sentinel, array.dtype)
        inside = buffer[self.BORDER:self.BORDER + array.size]
        inside[...] = array.ravel()
        self.buffers.append((buffer, sentinel))
        return inside.reshape(array.shape)

    def check(self):
        for buffer, sentinel in self.buffers:
            assert (buffer[:self.BORDER] == sentinel).all()
            assert (buffer[-self.BORDER:] == sentinel).all()


def near(actual, expected, tolerance):
    """The largest difference is small beside the largest number, or beside 1, the inputs' size."""
    assert actual.shape == expected.shape
    scale = max(np.abs(expected).max(), 1)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


def test_backends_have_the_same_operations_signatures_and_docstrings():
    assert list(operations(CPU)) == list(OPERATIONS)
    for name, operation in OPERATIONS.items():
        twin = getattr(CPU, name)
        assert inspect.signature(twin) == inspect.signature(operation), name
        assert twin.__doc__ == operation.__doc__ and operation.__doc__, name
        if operation.declaration.has_scratch:
            makers = [getattr(backend, f"{operation.declaration.family}_scratch")
                      for backend in (REFERENCE, CPU)]
            assert inspect.signature(makers[0]) == inspect.signature(makers[1]), name


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cases_equal_the_reference_in_both_precisions(case):
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        ours = run(CPU, case, dtype)
        exact = run(REFERENCE, case, "float64", rounded_to=dtype)
        for name in exact.keys() - UNDEFINED:
            assert ours[name].dtype in (np.dtype(dtype), np.dtype(np.int32))
            near(ours[name], exact[name], tolerance)


@pytest.mark.parametrize("sizes", [ONE, MIDDLE], ids=["ones", "panels"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_other_sizes_equal_the_reference(name, sizes):
    """One example, one channel; and rows, columns and panels that are not whole."""
    for case in cases_of(OPERATIONS[name], sizes):
        exact = run(REFERENCE, case, "float64")
        ours = run(CPU, case, "float64")
        for array in exact.keys() - UNDEFINED:
            near(ours[array], exact[array], 1e-12)


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items()
                                  if set(operation.declaration.letters) <= set("NDJVPE*")
                                  and operation.declaration.family not in SHORT_ONLY])
def test_long_arrays_equal_the_reference(name):
    """Operations that share out their elements in chunks, on more than two chunks."""
    long = SIZES | {"*": (3, LONG // 3), "P": LONG, "D": LONG // 3, "J": LONG // 3, "V": LONG // 3}
    case = make_case(OPERATIONS[name], long)
    exact = run(REFERENCE, case, "float64", rounded_to="float32")
    for array, ours in run(CPU, case, "float32").items():
        if array not in UNDEFINED:
            near(ours, exact[array], 2e-6)


@pytest.mark.parametrize("name", OPERATIONS)
def test_same_bits_on_any_number_of_threads(name):
    case = make_case(OPERATIONS[name], MANY)

    def compute():
        arrays = run(CPU, case, "float32")
        return {key: array.tobytes() for key, array in arrays.items() if key not in UNDEFINED}
    same_on_any_number_of_threads(compute)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_inputs_stay_unchanged_and_outputs_are_written(backend, case):
    arguments = arguments_of(backend, case)
    declared = case.declaration.arrays
    guarded = Guarded()
    arrays = {name: guarded(arguments[name]) for name in declared
              if arguments[name] is not None}
    arguments |= arrays
    before = {name: array.copy() for name, array in arrays.items()}
    getattr(backend, case.declaration.name)(**arguments)
    guarded.check()
    for name, array in arrays.items():
        if not declared[name].output:
            np.testing.assert_array_equal(array, before[name], err_msg=name)
        elif name not in UNDEFINED:
            assert np.isfinite(array).all(), name
            assert not declared[name].integer or (array != WRITTEN).all(), name


@pytest.mark.parametrize("name", OPERATIONS)
def test_wrong_arrays_are_refused_before_they_can_do_harm(backend, name):
    operation = getattr(backend, name)
    arguments = arguments_of(backend, make_case(operation))
    for key, declared in operation.declaration.arrays.items():
        array = arguments[key]

        def refused(match, wrong, key=key):
            with pytest.raises(ScratchVAEError, match=f"^{name}: .*{match}"):
                operation(**{**arguments, key: wrong})

        strided = np.empty((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)[..., ::2]
        refused(f"{key} must be C-contiguous", strided)
        refused(f"{key} must be a NumPy array, got list", [1.0])
        refused("int64", np.zeros(array.shape, np.int64))
        reals = [a for a in operation.declaration.arrays.values() if not a.integer]
        if declared.integer:
            refused("has dtype float32, expected int32", array.astype(np.float32))
        elif len(reals) > 1:
            refused("must have one dtype", array.astype(np.float32))
        if len(operation.declaration.arrays) > 1:
            refused("has shape .*, expected", array[..., np.newaxis].copy())


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_size_that_does_not_fit_is_refused(backend, name):
    """Each axis of each array, one too long, unless that is a right shape for the others."""
    operation = getattr(backend, name)
    declaration = operation.declaration
    arguments = arguments_of(backend, make_case(operation))
    counts = " ".join(axis for array in declaration.arrays.values() for axis in array.axes)
    for key, declared in declaration.arrays.items():
        for axis, letters in enumerate(declared.axes if not declared.any_shape else ()):
            if counts.count(letters) > 1 and letters.isalpha() and not declaration.derive:
                shape = list(arguments[key].shape)
                shape[axis] += 1
                wrong = np.zeros(shape, arguments[key].dtype)
                with pytest.raises(ScratchVAEError, match=f"^{name}: .* has shape .*, expected"):
                    operation(**{**arguments, key: wrong})


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items()
                                  if any(a.bound and not a.output
                                         for a in operation.declaration.arrays.values())])
@pytest.mark.parametrize("index", [-1, 10 ** 6])
def test_an_index_out_of_range_is_refused(backend, name, index):
    operation = getattr(backend, name)
    arguments = arguments_of(backend, make_case(operation))
    key = next(array.name for array in operation.declaration.arrays.values() if array.bound)
    arguments[key].flat[0] = index
    with pytest.raises(ScratchVAEError, match=f"{name}: {key}: index {index} is out of range; "
                                              r"allowed: 0 to \d+$"):
        operation(**arguments)


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items()
                                  if operation.declaration.has_scratch
                                  and "N" in operation.declaration.letters])
def test_a_scratch_serves_smaller_batches_and_refuses_larger_ones(name):
    """After a larger batch, a smaller one has the same bits as with a scratch of its own."""
    operation = getattr(CPU, name)
    declaration = operation.declaration
    large = make_case(operation, {"N": 9})
    shared = make_scratch(CPU, declaration, large.sizes, large.options, np.dtype("float64"))
    run_with(large, shared)
    small = make_case(operation, {"N": 4})
    own = make_scratch(CPU, declaration, small.sizes, small.options, np.dtype("float64"))
    expected = run_with(small, own)
    for key, array in run_with(small, shared).items():
        if key not in UNDEFINED:
            np.testing.assert_array_equal(array, expected[key], err_msg=key)
    if declaration.family not in ("batchnorm", "layernorm"):        # whose scratch has no rows
        with pytest.raises(ScratchVAEError, match="the scratch was made for"):
            run_with(large, own)


def run_with(case, scratch):
    """The arrays of a case on the cpu after it ran with this scratch."""
    declaration = case.declaration
    guarded = Guarded()
    arrays = {name: guarded(array) for name, array in draw_arrays(case, "float64").items()}
    forward = getattr(CPU, f"{declaration.family}_forward")
    if declaration.name.endswith("_backward"):
        before = draw_arrays(case, "float64", 1, forward.declaration)
        known = {name: guarded(array) for name, array in before.items()}
        call(forward, known, case.options, scratch)
        arrays |= {name: known[name] for name in known.keys() & arrays.keys()}
    call(getattr(CPU, declaration.name), arrays, case.options, scratch)
    guarded.check()
    return arrays


def test_a_declaration_says_what_every_argument_is():
    array = parse_array("indices=N,2U?:index<V", output=False)
    assert array.axes == ("N", "2U") and array.optional and array.bound == "V" and array.integer
    assert parse_array("v+=P", output=False).output and parse_array("v+=P", output=False).updated
    assert parse_array("y=N,K+L", output=True).shape({"N": 2, "K": 3, "L": 4}) == (2, 7)
    with pytest.raises(ValueError, match="not a declaration of an array: 'x NK'"):
        parse_array("x NK", output=False)
    with pytest.raises(TypeError, match=r"declares \('x', 'y'\), but takes \('x', 'z'\)"):
        Declaration(namedtuple_like, "x=N -> y=N", None, {})


def namedtuple_like(x, z):
    """Arguments of other names than declared."""


def test_an_implementation_with_other_arguments_is_refused_when_it_is_defined():
    with pytest.raises(TypeError, match=r"the arguments differ from the reference's \(x, y"):
        @implements(REFERENCE.activation_forward)
        def activation_forward(x, out, activation):
            """Other names."""
