"""The CUDA kernels in Numba's simulator against the reference, at tiny and odd sizes.

Run by test_cuda.py, in a process of its own. Every declared operation is tried.
"""
import numpy as np
import pytest
from scratchvae.kernels import cases
from scratchvae.kernels.backend import make_scratch, operations
from scratchvae.kernels.cases import ONE, SIZES, cases_of, make_case, run
from scratchvae.kernels.cuda import batchnorm, device, layernorm, optimizers, product
from scratchvae.kernels.errors import ScratchVAEError

from scratchvae import kernels

CUDA = kernels.load("cuda")
REFERENCE = kernels.load("reference")
OPERATIONS = operations(REFERENCE)
# A block has 8 threads here. TINY has longer rows where that costs little: of D, E, V and *.
TINY = SIZES | {"N": 2, "T": 3, "K": 3, "M": 3, "L": 2, "U": 2, "V": 11, "E": 9, "D": 10,
                "H": 5, "W": 6, "P": 9, "*": (2, 11)}
IMAGE = TINY | {"H": 2, "W": 3, "C": 3, "A": 2, "B": 3, "M": 2}        # of a convolution
MANY = TINY | {"N": 9, "T": 1, "K": 17, "M": 5, "V": 3, "E": 3, "D": 3,
               "H": 2, "W": 1, "A": 1, "B": 2}
WIDE = TINY | {"T": 1, "U": 9, "C": 9}
UNDEFINED = {"dz"}              # work space: its contents are undefined
pytestmark = pytest.mark.filterwarnings("ignore:overflow")      # unsigned positions wrap below 0


def compare(case, dtype="float64"):
    """Assert that the device's results are near the reference's."""
    ours = run(CUDA, case, dtype)
    exact = run(REFERENCE, case, dtype)
    relative, absolute = (2e-5, 1e-6) if dtype == "float32" else (1e-11, 1e-13)
    for name in exact.keys() - UNDEFINED:
        np.testing.assert_allclose(ours[name], exact[name], relative, absolute, err_msg=name)


def tiny(operation):
    """Return the sizes that an operation is tried at."""
    return IMAGE if "A" in operation.declaration.letters else TINY


def names(condition):
    """The names of the operations whose declaration meets a condition."""
    return [name for name, operation in OPERATIONS.items() if condition(operation.declaration)]


@pytest.mark.parametrize("case", [case for operation in OPERATIONS.values()
                                  for case in cases_of(operation, tiny(operation))], ids=str)
def test_equals_the_reference(case):
    compare(case)


@pytest.mark.parametrize("name", OPERATIONS)
def test_float32_equals_the_reference(name):
    operation = OPERATIONS[name]
    compare(make_case(operation, tiny(operation)), "float32")


@pytest.mark.parametrize("name", OPERATIONS)
def test_arrays_of_one_element(name):
    compare(cases_of(OPERATIONS[name], ONE)[0])


@pytest.mark.parametrize("name", names(lambda declaration: "N" in declaration.letters))
def test_more_examples_than_a_block_has_threads(name):
    compare(cases_of(OPERATIONS[name], MANY)[0])


@pytest.mark.parametrize("name", names(lambda declaration: "U" in declaration.letters
                                       or set(declaration.letters) == set("NC")))
def test_more_units_or_channels_than_a_block_has_threads(name):
    compare(make_case(OPERATIONS[name], WIDE))


@pytest.mark.parametrize("name", names(lambda declaration: declaration.has_scratch))
def test_sums_that_blocks_share(name, monkeypatch):
    operation = OPERATIONS[name]
    monkeypatch.setattr(product, "TERMS", 3)
    monkeypatch.setattr(optimizers, "ENOUGH", 10)
    monkeypatch.setattr(batchnorm, "ENOUGH", 2)
    monkeypatch.setattr(layernorm, "PARTS", 3)
    compare(make_case(operation, tiny(operation) | {"N": 5, "P": 35}))


@pytest.mark.parametrize("name", names(lambda declaration: declaration.has_scratch
                                       and "N" in declaration.letters))
def test_a_scratch_serves_smaller_batches_and_refuses_larger_ones(name, monkeypatch):
    operation = OPERATIONS[name]
    case = make_case(operation, tiny(operation))

    def scratch_for(count):
        def make(backend, declaration, sizes, options, dtype):
            return make_scratch(backend, declaration, sizes | {"N": count}, options, dtype)
        monkeypatch.setattr(cases, "make_scratch", make)

    scratch_for(TINY["N"] + 3)
    compare(case)
    if case.declaration.family not in ("batchnorm", "dense", "layernorm"):  # scratch without rows
        scratch_for(TINY["N"] - 1)
        with pytest.raises(ScratchVAEError, match="the scratch was made for"):
            run(CUDA, case, "float64")


@pytest.mark.parametrize("tile, shape", [
    (product.LARGE, (70, 101, 18)),
    (product.MEDIUM, (35, 65, 17)),
    (product.Tile(32, 32, 16, 4, 4, 4), (35, 6, 70)),
], ids=("large", "medium", "small"))
def test_tiles_of_a_device(tile, shape, monkeypatch):
    """The simulator has tiles of its own, for its smaller blocks; here it runs the device's."""
    for module in (device, product):
        monkeypatch.setattr(module, "THREADS", 256)
    monkeypatch.setattr(product, "LARGE", tile)
    monkeypatch.setattr(product, "ENOUGH", 1)
    rows, columns, terms = shape
    a, b = np.random.default_rng(0).standard_normal((2, max(shape), max(shape)))
    along_rows = a[:rows, :terms] @ b[:terms, :columns]
    along_columns = a[:terms, :rows].T @ b[:columns, :terms].T
    for first, second, expected in (
            (product.ROWS_OF_A, product.ROWS_OF_B, along_rows),
            (product.COLUMNS_OF_A, product.COLUMNS_OF_B, along_columns)):
        c = CUDA.empty((rows, columns), "float64")
        product.product(first, second, product.store, (CUDA.from_host(a),), (CUDA.from_host(b),),
                        (c,), shape, "float64")
        np.testing.assert_allclose(CUDA.to_host(c), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("place", (0, 2, 36))
@pytest.mark.parametrize("value", (2000.0, np.nan))
def test_logits_far_apart_and_nan(place, value):
    logits = np.zeros((1, 1, 37))
    logits[..., place] = value
    target = np.full((1, 1), 36, np.int32)
    calls = {"activation_forward": (logits, np.empty_like(logits), "softmax"),
             "sparse_categorical_crossentropy_forward":
                 (logits, target, np.empty(1), np.empty((1, 1)), 1.0)}
    for name, arguments in calls.items():
        ours = [CUDA.from_host(argument.copy()) if isinstance(argument, np.ndarray) else argument
                for argument in arguments]
        getattr(CUDA, name)(*ours)
        getattr(REFERENCE, name)(*arguments)
        for one, other in zip(ours, arguments):
            if isinstance(other, np.ndarray):
                np.testing.assert_array_equal(CUDA.to_host(one), other, err_msg=name)


def test_losses_of_more_examples_than_a_block_has_threads():
    reconstruction, cost, kl = np.random.default_rng(0).random((3, 70))
    ours = CUDA.from_host(np.array([1.0, 2.0, 3.0]))
    expected = np.array([1.0, 2.0, 3.0])
    CUDA.add_losses(*map(CUDA.from_host, (reconstruction, cost, kl)), 0.5, ours)
    REFERENCE.add_losses(reconstruction, cost, kl, 0.5, expected)
    np.testing.assert_allclose(CUDA.to_host(ours), expected, rtol=1e-13)
