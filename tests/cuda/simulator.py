"""The CUDA kernels in Numba's simulator against the reference, at tiny and odd sizes.  Run by test_cuda.py, in a process of its own."""
import numpy as np
import pytest

import kernels
from kernels.cuda import device, optimizers, product

from cases import ACTIVATIONS, batchnorm, convolution, dense, gru, run, small

CUDA, REFERENCE = kernels.load("cuda"), kernels.load("reference")
EACH = small(3, 5, 2)
pytestmark = pytest.mark.filterwarnings("ignore:overflow")     # unsigned places below 0 become large, as they should
LONG = [                        # rows and columns of more than a block has threads
    *(case for case in small(1, 33, 1) if case.operation in ("activation_forward", "activation_backward", "squared_error_forward", "embedding_backward")
      or "crossentropy_forward" in case.operation),
    *(case for case in small(33, 1, 1) if case.operation in ("onehot_dense_backward", "embedding_backward", "gaussian_kl_backward")),
    gru(1, 1, 1, 33, False, missing=("dx",))[1],
]
CASES = [
    *EACH, *small(1, 1, 1), *LONG, *batchnorm(9, 3), *batchnorm(65, 2), *batchnorm(1, 17),
    *dense(1, 1, 1), *dense(5, 3, 7), *dense(3, 35, 9, "sigmoid"), *dense(17, 2, 2, "tanh"),
    *(case for activation in ACTIVATIONS for case in dense(2, 3, 4, activation)), *dense(2, 3, 4, missing=("dx",)),
    *(case for transpose in (False, True) for case in (
        *convolution(transpose, 2, (5, 4, 2), (3, 3), 3, (1, 1), "same"),
        *convolution(transpose, 1, (4, 5, 1), (2, 3), 2, (2, 1), "same", "leaky_relu"),
        *convolution(transpose, 1, (5, 5, 1), (3, 2), 2, (2, 2), "valid", "tanh"),
        *convolution(transpose, 1, (2, 1, 1), (2, 1), 2, (2, 1), "valid", "softmax"),
        *convolution(transpose, 1, (3, 3, 1), (1, 1), 1, (1, 1), "same", missing=("dx",)))),
    *gru(2, 3, 2, 3, False), *gru(2, 3, 2, 3, True), *gru(1, 1, 1, 1, False, missing=("dx",)),
]


PARTS = [*convolution(False, 3, (2, 3, 1), (2, 2), 2, (1, 1), "same"), *convolution(True, 2, (3, 2, 1), (2, 2), 2, (1, 2), "valid", "tanh"),
         *small(5, 9, 1)[-2:]]


@pytest.mark.parametrize("case, dtype", [(case, "float64") for case in CASES] + [(case, "float32") for case in EACH], ids=str)
def test_equals_the_reference(case, dtype):
    compare(case, dtype)


@pytest.mark.parametrize("case", PARTS, ids=str)
def test_sums_that_blocks_share(case, monkeypatch):
    monkeypatch.setattr(product, "TERMS", 5)
    monkeypatch.setattr(optimizers, "ENOUGH", 10)
    compare(case)


@pytest.mark.parametrize("tile, shape", [(product.LARGE, (70, 131, 18)), (product.MEDIUM, (66, 65, 17)), (product.Tile(32, 32, 16, 4, 4, 4), (35, 6, 70))],
                         ids=("large", "medium", "small"))
def test_tiles_of_a_device(tile, shape, monkeypatch):
    """The simulator has tiles of its own, for its smaller blocks; here it runs the device's."""
    for module in (device, product):
        monkeypatch.setattr(module, "THREADS", 256)
    monkeypatch.setattr(product, "LARGE", tile)
    monkeypatch.setattr(product, "ENOUGH", 1)
    I, J, K = shape
    a, b = np.random.default_rng(0).standard_normal((2, max(shape), max(shape)))
    for first, second, product_of_both in ((product.ROWS_OF_A, product.ROWS_OF_B, a[:I, :K] @ b[:K, :J]),
                                           (product.COLUMNS_OF_A, product.COLUMNS_OF_B, a[:K, :I].T @ b[:J, :K].T)):
        c = CUDA.empty((I, J), "float64")
        product.product(first, second, product.store, (CUDA.from_host(a),), (CUDA.from_host(b),), (c,), shape, "float64")
        np.testing.assert_allclose(CUDA.to_host(c), product_of_both, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("place", (0, 2, 36))
@pytest.mark.parametrize("value", (2000.0, np.nan))
def test_logits_far_apart_and_no_numbers(place, value):
    logits = np.zeros((1, 1, 37))
    logits[..., place] = value
    for operation, arrays in (("activation_forward", (logits, np.empty_like(logits), "softmax")),
                              ("sparse_categorical_crossentropy_forward", (logits, np.full((1, 1), 36, np.int32), np.empty(1), np.empty((1, 1)), 1.0))):
        ours = [CUDA.from_host(array.copy()) if isinstance(array, np.ndarray) else array for array in arrays]
        getattr(CUDA, operation)(*ours)
        getattr(REFERENCE, operation)(*arrays)
        for one, other in zip(ours, arrays):
            if isinstance(other, np.ndarray):
                np.testing.assert_array_equal(CUDA.to_host(one), other, err_msg=operation)


def test_losses_of_more_examples_than_a_block_has_threads():
    reconstruction, kl = np.random.default_rng(0).random((2, 70))
    sums = [np.array([1.0, 2.0, 3.0]) for _ in range(2)]
    ours = CUDA.from_host(sums[0])
    CUDA.add_losses(CUDA.from_host(reconstruction), CUDA.from_host(kl), 0.5, ours)
    REFERENCE.add_losses(reconstruction, kl, 0.5, sums[1])
    np.testing.assert_allclose(CUDA.to_host(ours), sums[1], rtol=1e-13)


def compare(case, dtype="float64"):
    ours, theirs = run(CUDA, case, dtype), run(REFERENCE, case, dtype)
    for name, expected in theirs.items():
        if name != "dz":                                # work space: its contents are nobody's business
            np.testing.assert_allclose(ours[name], expected, rtol=2e-5 if dtype == "float32" else 1e-11,
                                       atol=1e-6 if dtype == "float32" else 1e-13, err_msg=name)
