"""Every CUDA kernel compiled to PTX for compute capability 9.0: this checks the types, which the
simulator does not look at.

Run by test_cuda.py, in a process of its own, on machines with numba-cuda. It works without a
device: a launch compiles, and computes nothing.
"""
import gc
from types import SimpleNamespace

import numpy as np
import pytest
from numba import cuda, typeof
from numba.cuda import dispatcher
from numba.cuda.cudadrv import devicearray
from scratchvae.kernels import cuda as backend
from scratchvae.kernels.backend import operations
from scratchvae.kernels.cases import SIZES, all_cases, make_case, run

from scratchvae import kernels

gc.disable()                    # it looked through the compiler's objects again and again
CAPABILITY = (9, 0)
REFERENCE = kernels.load("reference")
OPERATIONS = operations(REFERENCE)
MEDIUM = SIZES | {"N": 700, "K": 70, "M": 700}
LARGE = SIZES | {"N": 1300, "K": 130, "M": 1300}
TILES = [make_case(OPERATIONS[name], sizes) for sizes in (MEDIUM, LARGE)
         for name in ("dense_forward", "dense_backward")]


class Paper(np.ndarray):
    """An array that takes the place of one of the device."""

    def is_c_contiguous(self):
        return self.flags.c_contiguous


COMPILED = set()                # (kernel, types of its arguments)


def compile_kernel(kernel, arguments):
    """Compile a kernel for the types of these arguments, unless that is done."""
    signature = tuple(map(typeof, arguments))
    if (kernel, signature) in COMPILED:
        return
    ptx, _ = cuda.compile_ptx(kernel.py_func, signature, cc=CAPABILITY)
    assert ".target sm_90" in ptx
    if kernel.py_func.__name__ == "multiply":
        assert ".local " not in ptx                             # its sums must be in registers
    COMPILED.add((kernel, signature))


@pytest.fixture(autouse=True)
def no_device(monkeypatch):
    """NumPy's arrays instead of the device's, and compilation instead of launches."""
    launched = []

    def launcher(kernel, configuration):
        def launch(*arguments):
            launched.append(kernel)
            compile_kernel(kernel, arguments)
        return launch

    monkeypatch.setattr(dispatcher.CUDADispatcher, "__getitem__", launcher)
    monkeypatch.setattr(dispatcher, "get_current_device",
                        lambda: SimpleNamespace(compute_capability=CAPABILITY))
    monkeypatch.setattr(dispatcher.CUDADispatcher, "specialize", lambda kernel, *_: kernel)
    monkeypatch.setattr(devicearray, "is_cuda_ndarray", lambda x: isinstance(x, Paper))
    monkeypatch.setattr(cuda, "device_array",
                        lambda shape, dtype: np.empty(shape, dtype).view(Paper))
    monkeypatch.setattr(cuda, "to_device", lambda array: array.view(Paper))
    monkeypatch.setattr(backend, "to_host", lambda array: array)
    yield
    assert launched


def is_worth_compiling(case):
    """Return whether a case is not one of many that differ only in the activation at the end."""
    first, *_ = case.declaration.options.get("activation", [None])
    return case.declaration.family == "activation" or case.options.get("activation") == first


@pytest.mark.parametrize("case", [*filter(is_worth_compiling, all_cases(REFERENCE)), *TILES],
                         ids=str)
def test_compiles_in_float32(case):
    run(backend, case, "float32")


@pytest.mark.parametrize("name", OPERATIONS)
def test_compiles_in_float64(name):
    run(backend, make_case(OPERATIONS[name]), "float64")


def test_array_functions_compile():
    x = backend.from_host(np.ones((3, 2), np.float32))
    words = backend.from_host(np.ones((3, 2), np.int32))
    indices = backend.from_host(np.arange(2, dtype=np.int32))
    backend.take(x, indices, x[:2])
    backend.take(words, indices, words[:2])
    backend.add(x, x)
    backend.fill(x, 0)
    flat = x.reshape(6)
    backend.add_losses(flat[:3], flat[3:], flat[3:], 0.5, backend.from_host(np.zeros(3)))
