"""The CUDA kernels on a device, at real sizes, against the reference; what it measures is printed.

Run by test_cuda.py where there is a device.
"""
import time

import numpy as np
import pytest
from scratchvae.kernels.backend import operations
from scratchvae.kernels.cases import SIZES, all_cases, make_case, run

from scratchvae import kernels
from scratchvae.layers import Dense
from scratchvae.models import VAE

CUDA = kernels.load("cuda")
REFERENCE = kernels.load("reference")
OPERATIONS = operations(REFERENCE)
REAL = SIZES | {"N": 100, "T": 20, "K": 300, "M": 64, "L": 70, "U": 96, "V": 513, "E": 128,
                "J": 32, "D": 784, "H": 28, "W": 28, "C": 32, "A": 3, "B": 3, "P": 400_001,
                "*": (100, 3001)}
DENSE = [{"N": 2048, "K": 2048, "M": 2048}, {"N": 1, "K": 3136, "M": 513},
         *(dict(zip("NKM", sizes))
           for sizes in np.random.default_rng().integers(1, 300, (6, 3)).tolist())]
CHANNELS = [{"N": 78_400, "C": 32}, {"N": 999, "C": 257}]
UNITS = [{"N": 33, "T": 12, "U": 300}]


def cases_at(sizes, condition):
    """Return a Case at each of the sizes, of each operation whose letters meet a condition."""
    return [make_case(operation, some) for some in sizes for operation in OPERATIONS.values()
            if condition(set(operation.declaration.letters))]


CASES = [*all_cases(REFERENCE, REAL),
         *cases_at(DENSE, lambda letters: letters == set("NKM")),
         *cases_at(CHANNELS, lambda letters: letters == set("NC")),
         *cases_at(UNITS, lambda letters: "U" in letters)]
UNDEFINED = {"dz"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_the_reference(case):
    """Sums of n terms within 1e-6 sqrt(n) of the largest, all else within 1e-5 of float64's."""
    ours = run(CUDA, case, "float32")
    exact = run(REFERENCE, case, "float64", rounded_to="float32")
    terms = np.prod([case.sizes[letter] for letter in case.declaration.letters], dtype=float)
    tolerance = max(1e-5, 1e-6 * terms ** (1 / 4))
    for name in exact.keys() - UNDEFINED:
        scale = max(np.abs(exact[name]).max(), 1e-30)
        assert np.abs(ours[name] - exact[name]).max() / scale <= tolerance, name


def test_the_same_bits_again():
    """No sum depends on which block is first."""
    for case in all_cases(REFERENCE, REAL):
        first = run(CUDA, case, "float32")
        second = run(CUDA, case, "float32")
        for name in first.keys() - UNDEFINED:
            np.testing.assert_array_equal(first[name], second[name], err_msg=f"{case}: {name}")


def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path):
    x = np.random.default_rng(0).random((50, 20))
    checkpoint = tmp_path / "checkpoint.npz"

    def train(epochs, **options):
        model = VAE([Dense(16, "relu")], 2, [Dense(20, "sigmoid")], backend="cuda")
        model.fit(x, epochs=epochs, batch_size=8, progress=False, **options)
        return model.kernels.to_host(model.parameters.values)

    train(1, checkpoint=checkpoint)
    resumed = train(3, checkpoint=checkpoint, resume=True)
    np.testing.assert_array_equal(resumed, train(3))


def test_the_rate_of_a_large_product_is_printed(capsys):
    N = 2048
    repeats = 20
    x, kernel = (CUDA.from_host(np.random.default_rng(0).random((N, N), np.float32))
                 for _ in range(2))
    bias = CUDA.zeros(N, "float32")
    y = CUDA.empty((N, N), "float32")
    CUDA.dense_forward(x, kernel, bias, y, "linear", None)
    CUDA.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        CUDA.dense_forward(x, kernel, bias, y, "linear", None)
    CUDA.synchronize()
    rate = 2 * N ** 3 * repeats / (time.perf_counter() - started) / 1e12
    with capsys.disabled():
        print(f"\n{CUDA.describe()}: {rate:.1f} TFLOP/s in a float32 product at {N}")
