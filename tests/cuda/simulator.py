"""The CUDA kernels in Numba's simulator against the reference, at tiny and odd sizes.

Run by test_cuda.py, in a process of its own.
"""
import numpy as np
import pytest

import kernels
from kernels.backend import operations
from kernels.cases import ONE, SIZES, cases_of, make_case, run
from kernels.cuda import device, optimizers, product

CUDA = kernels.load("cuda")
REFERENCE = kernels.load("reference")
OPERATIONS = operations(REFERENCE)
TINY = SIZES | {"N": 2, "T": 3, "K": 3, "M": 4, "L": 2, "U": 2, "V": 5, "E": 3, "D": 5, "H": 4,
                "W": 3, "C": 2, "A": 3, "B": 2, "P": 9, "*": (2, 5)}
LONG = TINY | {"N": 33, "M": 3, "V": 37, "D": 37, "J": 1, "E": 33, "T": 1, "*": (1, 37)}      # more than a block has threads
UNDEFINED = {"dz"}              # work space: its contents are undefined
pytestmark = pytest.mark.filterwarnings("ignore:overflow")  # unsigned positions below 0 wrap


def compare(case, dtype="float64"):
    """The device's results are near the reference's."""
    ours = run(CUDA, case, dtype)
    exact = run(REFERENCE, case, dtype)
    relative, absolute = (2e-5, 1e-5) if dtype == "float32" else (1e-11, 1e-12)
    for name in exact.keys() - UNDEFINED:
        np.testing.assert_allclose(ours[name], exact[name], rtol=relative, atol=absolute,
                                   err_msg=name)


def tried():
    """All cases, but all activations only where they are computed."""
    for name, operation in OPERATIONS.items():
        every = "activation" not in operation.declaration.options or name.startswith("activation")
        for case in cases_of(operation, TINY):
            if every or case.options["activation"] in ("linear", "tanh", "softmax"):
                yield case


@pytest.mark.parametrize("case", tried(), ids=str)
def test_equals_the_reference(case):
    compare(case)


@pytest.mark.parametrize("name", OPERATIONS)
def test_float32_equals_the_reference(name):
    compare(make_case(OPERATIONS[name], ONE), "float32")


@pytest.mark.parametrize("name", [
    "activation_forward", "activation_backward", "binary_crossentropy_forward",
    "embedding_backward", "gaussian_kl_backward", "onehot_binary_crossentropy_forward",
    "onehot_dense_backward", "sparse_categorical_crossentropy_forward", "squared_error_forward"])
def test_rows_and_columns_longer_than_a_block(name):
    options = OPERATIONS[name].declaration.options
    choice = {"activation": "softmax"} if name.startswith("activation") else {}
    assert set(choice) <= set(options)
    compare(make_case(OPERATIONS[name], LONG, **choice))


@pytest.mark.parametrize("name", ["gru_forward", "gru_backward", "lstm_forward", "lstm_backward"])
def test_more_units_than_a_block_has_threads(name):
    compare(make_case(OPERATIONS[name], ONE | {"U": 33, "T": 1}))


@pytest.mark.parametrize("name", ["conv2d_backward", "conv2d_transpose_backward",
                                  "clip_by_global_norm"])
def test_sums_that_blocks_share(name, monkeypatch):
    monkeypatch.setattr(product, "TERMS", 5)
    monkeypatch.setattr(optimizers, "ENOUGH", 10)
    compare(make_case(OPERATIONS[name], TINY))


@pytest.mark.parametrize("tile, shape", [
    (product.LARGE, (70, 131, 18)),
    (product.MEDIUM, (66, 65, 17)),
    (product.Tile(32, 32, 16, 4, 4, 4), (35, 6, 70)),
], ids=("large", "medium", "small"))
def test_tiles_of_a_device(tile, shape, monkeypatch):
    """The simulator has tiles of its own, for its smaller blocks; here it runs the device's."""
    for module in (device, product):
        monkeypatch.setattr(module, "THREADS", 256)
    monkeypatch.setattr(product, "LARGE", tile)
    monkeypatch.setattr(product, "ENOUGH", 1)
    I, J, K = shape  # noqa: E741 (rows, columns and terms of a product)
    a, b = np.random.default_rng(0).standard_normal((2, max(shape), max(shape)))
    rows = a[:I, :K] @ b[:K, :J]
    columns = a[:K, :I].T @ b[:J, :K].T
    for first, second, expected in (
            (product.ROWS_OF_A, product.ROWS_OF_B, rows),
            (product.COLUMNS_OF_A, product.COLUMNS_OF_B, columns)):
        c = CUDA.empty((I, J), "float64")
        product.product(first, second, product.store, (CUDA.from_host(a),), (CUDA.from_host(b),),
                        (c,), shape, "float64")
        np.testing.assert_allclose(CUDA.to_host(c), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("place", (0, 2, 36))
@pytest.mark.parametrize("value", (2000.0, np.nan))
def test_logits_far_apart_and_nan(place, value):
    logits = np.zeros((1, 1, 37))
    logits[..., place] = value
    calls = (("activation_forward", (logits, np.empty_like(logits), "softmax")),
             ("sparse_categorical_crossentropy_forward",
              (logits, np.full((1, 1), 36, np.int32), np.empty(1), np.empty((1, 1)), 1.0)))
    for operation, arguments in calls:
        ours = [CUDA.from_host(argument.copy()) if isinstance(argument, np.ndarray) else argument
                for argument in arguments]
        getattr(CUDA, operation)(*ours)
        getattr(REFERENCE, operation)(*arguments)
        for one, other in zip(ours, arguments):
            if isinstance(other, np.ndarray):
                np.testing.assert_array_equal(CUDA.to_host(one), other, err_msg=operation)


def test_losses_of_more_examples_than_a_block_has_threads():
    reconstruction, kl = np.random.default_rng(0).random((2, 70))
    ours = CUDA.from_host(np.array([1.0, 2.0, 3.0]))
    expected = np.array([1.0, 2.0, 3.0])
    CUDA.add_losses(CUDA.from_host(reconstruction), CUDA.from_host(kl), 0.5, ours)
    REFERENCE.add_losses(reconstruction, kl, 0.5, expected)
    np.testing.assert_allclose(CUDA.to_host(ours), expected, rtol=1e-13)
