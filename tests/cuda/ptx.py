"""Every CUDA kernel compiled to PTX for compute capability 9.0, which checks the types that the simulator does not look at.

Run by test_cuda.py, in a process of its own, on machines with numba-cuda; no device is needed: a launch compiles, and computes nothing.
"""
from types import SimpleNamespace

import numpy as np
import pytest
from numba import cuda, typeof
from numba.cuda import dispatcher
from numba.cuda.cudadrv import devicearray

from kernels import cuda as backend

from cases import ACTIVATIONS, batchnorm, convolution, dense, gru, run, small

CAPABILITY = (9, 0)
EACH = [*small(3, 5, 2), *batchnorm(9, 3), *dense(2, 3, 4)]
CASES = [
    *EACH, *(case for activation in ACTIVATIONS for case in dense(2, 3, 4, activation)),
    *dense(700, 70, 700), *dense(1300, 130, 1300),                              # a tile of each size
    *(case for transpose in (False, True) for case in convolution(transpose, 2, (5, 5, 2), (3, 3), 3, (2, 2), "same")),
    *gru(2, 3, 2, 3, False),
]


class Paper(np.ndarray):
    """An array that stands for one of the device."""

    def is_c_contiguous(self):
        return self.flags.c_contiguous


@pytest.fixture(autouse=True)
def no_device(monkeypatch):
    """NumPy's arrays for the device's, and compilation for launches."""
    compiled = set()

    def compile_launch(kernel, configuration):
        def launch(*arguments):
            signature = tuple(map(typeof, arguments))
            ptx, _ = cuda.compile_ptx(kernel.py_func, signature, cc=CAPABILITY)
            assert ".target sm_90" in ptx
            assert kernel.py_func.__name__ != "multiply" or ".local " not in ptx         # sums are in registers, not in slow memory
            compiled.add(kernel)
        return launch

    monkeypatch.setattr(dispatcher.CUDADispatcher, "__getitem__", compile_launch)
    monkeypatch.setattr(dispatcher, "get_current_device", lambda: SimpleNamespace(compute_capability=CAPABILITY))
    monkeypatch.setattr(dispatcher.CUDADispatcher, "specialize", lambda kernel, *arguments: kernel)
    monkeypatch.setattr(devicearray, "is_cuda_ndarray", lambda x: isinstance(x, Paper))
    monkeypatch.setattr(cuda, "device_array", lambda shape, dtype: np.empty(shape, dtype).view(Paper))
    monkeypatch.setattr(cuda, "to_device", lambda array: array.view(Paper))
    monkeypatch.setattr(backend, "to_host", lambda array: array)
    yield
    assert compiled


@pytest.mark.parametrize("case, dtype", [(case, "float32") for case in CASES] + [(case, "float64") for case in EACH], ids=str)
def test_compiles(case, dtype):
    run(backend, case, dtype)


def test_array_functions_compile():
    x, words, indices, sums = map(backend.from_host, (np.ones((3, 2), np.float32), np.ones((3, 2), np.int32), np.arange(2, dtype=np.int32), np.zeros(3)))
    backend.take(x, indices, x[:2])
    backend.take(words, indices, words[:2])
    backend.add(x, x)
    backend.fill(x, 0)
    backend.add_losses(x.reshape(6)[:3], x.reshape(6)[3:], 0.5, sums)
