"""The CUDA kernels in Numba's simulator against the reference, at tiny and odd sizes.  Run by test_cuda.py, in a process of its own."""
import numpy as np
import pytest

import kernels

from cases import ACTIVATIONS, batchnorm, convolution, dense, gru, run, small

CUDA, REFERENCE = kernels.load("cuda"), kernels.load("reference")
EACH = small(3, 5, 2)
pytestmark = pytest.mark.filterwarnings("ignore:overflow")     # unsigned places below 0 become large, as they should
CASES = [
    *EACH, *small(1, 1, 1), *batchnorm(9, 3), *batchnorm(65, 2), *batchnorm(1, 17),
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


@pytest.mark.parametrize("case, dtype", [(case, "float64") for case in CASES] + [(case, "float32") for case in EACH], ids=str)
def test_equals_the_reference(case, dtype):
    ours, theirs = run(CUDA, case, dtype), run(REFERENCE, case, dtype)
    for name, expected in theirs.items():
        if name != "dz":                                # work space: its contents are nobody's business
            np.testing.assert_allclose(ours[name], expected, rtol=2e-5 if dtype == "float32" else 1e-11,
                                       atol=1e-6 if dtype == "float32" else 1e-13, err_msg=name)
