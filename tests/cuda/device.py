"""The CUDA kernels on a device, at real sizes, against the reference; what it measures is printed.  Run by test_cuda.py where there is one."""
import time

import numpy as np
import pytest

import kernels
from scratchvae.layers import Dense
from scratchvae.models import VAE

from cases import ACTIVATIONS, batchnorm, convolution, dense, gru, run, small

CUDA, REFERENCE = kernels.load("cuda"), kernels.load("reference")
RANDOM = np.random.default_rng().integers(1, 300, (6, 3)).tolist()
CASES = [
    *small(100, 300, 7), *batchnorm(78400, 32), *batchnorm(999, 257), *dense(100, 784, 256), *dense(2048, 2048, 2048), *dense(1, 3136, 513, "tanh"),
    *(case for sizes in RANDOM for case in dense(*sizes)), *(case for activation in ACTIVATIONS for case in dense(70, 33, 129, activation)),
    *(case for transpose in (False, True) for case in (
        *convolution(transpose, 100, (28, 28, 1), (3, 3), 32, (1, 1), "same"), *convolution(transpose, 100, (14, 14, 32), (3, 3), 64, (2, 2), "same"),
        *convolution(transpose, 7, (9, 11, 5), (4, 3), 6, (2, 3), "valid", "sigmoid"))),
    *gru(64, 20, 50, 96, False), *gru(33, 12, 17, 300, True),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_the_reference(case):
    """Sums of n terms within 1e-6 sqrt(n) of the largest, all else within 1e-5, relative to float64's."""
    ours, exact = run(CUDA, case, "float32"), run(REFERENCE, case, "float64")
    terms = np.prod([size for size in case.sizes.values() if isinstance(size, int)], dtype=float)
    for name, expected in exact.items():
        if name != "dz":
            scale = max(np.abs(expected).max(), 1e-30)
            assert np.abs(ours[name] - expected).max() / scale <= max(1e-5, 1e-6 * np.sqrt(terms ** (1 / 2))), name


def test_the_same_bits_again():
    """No sum depends on which block is first."""
    for case in (*dense(100, 784, 256), *convolution(False, 50, (14, 14, 8), (3, 3), 16, (1, 1), "same"), *small(100, 300, 7)):
        first, second = run(CUDA, case, "float32"), run(CUDA, case, "float32")
        for name in first:
            assert name == "dz" or np.array_equal(first[name], second[name]), name


def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path):
    x = np.random.default_rng(0).random((50, 20))

    def train(epochs, **keywords):
        model = VAE([Dense(16, "relu")], 2, [Dense(20, "sigmoid")], backend="cuda")
        model.fit(x, epochs=epochs, batch_size=8, progress=False, **keywords)
        return model.kernels.to_host(model.parameters.values)

    train(1, checkpoint=tmp_path / "checkpoint.npz")
    np.testing.assert_array_equal(train(3, checkpoint=tmp_path / "checkpoint.npz", resume=True), train(3))


def test_the_rate_of_a_large_product_is_printed(capsys):
    N = 2048
    x, y = (CUDA.from_host(np.random.default_rng(0).random((N, N), np.float32)) for _ in range(2))
    bias, out = CUDA.zeros(N, "float32"), CUDA.empty((N, N), "float32")
    CUDA.dense_forward(x, y, bias, out, "linear", None)
    CUDA.synchronize()
    started = time.perf_counter()
    for _ in range(20):
        CUDA.dense_forward(x, y, bias, out, "linear", None)
    CUDA.synchronize()
    with capsys.disabled():
        print(f"\n{CUDA.describe()}: {2 * N ** 3 * 20 / (time.perf_counter() - started) / 1e12:.1f} TFLOP/s in a float32 product at {N}")
