"""The CUDA backend: in Numba's simulator, compiled to PTX, and on a device if there is one, each in
a process of its own.

The simulator replaces numba.cuda as a whole, so it cannot share a process with anything else. It
runs the kernels' threads as Python's, and does not look at types. The compiler looks at types and
runs nothing. Together they leave to a device only what a device alone can show.
"""
import importlib
import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba import cuda
from scratchvae.kernels import arrays
from scratchvae.kernels.backend import operations

from scratchvae import kernels

FOLDER = Path(__file__).parent / "cuda"


def run_alone(*names, options=(), **environment):
    """Run pytest on these files, each in a process of its own, side by side."""
    environment = os.environ | {"PYTHONPATH": os.getcwd()} | environment
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider",
               *options]
    processes = [subprocess.Popen([*command, str(FOLDER / name)], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, env=environment)
                 for name in names]
    outputs = [process.communicate()[0] for process in processes]
    for process, output in zip(processes, outputs):
        assert process.returncode == 0, output[-7000:]
        print(output)


@pytest.mark.slow
def test_kernels_and_models_in_the_simulator():
    run_alone("simulator.py", "training.py", NUMBA_ENABLE_CUDASIM="1")


@pytest.mark.skipif(not importlib.util.find_spec("numba_cuda"),
                    reason="needs numba-cuda's compiler: pip install 'scratchvae[cuda]'")
def test_every_kernel_compiles():
    run_alone("ptx.py", options=["-n", "2"])


@pytest.mark.skipif(not cuda.is_available(), reason="needs a CUDA device")
def test_kernels_and_models_on_the_device():
    run_alone("training.py")
    run_alone("device.py")              # alone, as it measures


def test_it_implements_every_operation_itself_with_the_reference_s_signature():
    device = importlib.import_module("scratchvae.kernels.cuda")
    reference = kernels.load("reference")
    for name, operation in operations(reference).items():
        ours = getattr(device, name)
        assert ours.__module__.startswith("scratchvae.kernels.cuda."), name
        assert inspect.signature(ours) == inspect.signature(operation), name
        if operation.declaration.has_scratch:
            maker = f"{operation.declaration.family}_scratch"
            made = inspect.signature(getattr(device, maker))
            assert made == inspect.signature(getattr(reference, maker)), name
    for name in arrays.__all__:
        assert inspect.signature(getattr(device, name)) == inspect.signature(getattr(arrays, name))


@pytest.mark.skipif(cuda.is_available(), reason="there is a device")
def test_without_a_device_there_is_one_clear_line():
    with pytest.raises(kernels.ScratchVAEError, match="^backend cuda: no CUDA device was found. It "
                                                      "needs an NVIDIA GPU with its driver"):
        kernels.load("cuda")


@pytest.mark.skipif(cuda.is_available(), reason="there is a device")
@pytest.mark.parametrize("command", [["train", "mnist-dense"], ["gradcheck"],
                                     ["bench", "mnist-dense"]])
def test_the_command_line_says_so_too(run, command):
    code, _, errors = run(*command, "--backend", "cuda")
    assert code == 1
    assert errors.startswith("Error: backend cuda: no CUDA device was found.")
    assert errors.count("\n") == 1


@pytest.mark.slow
def test_nothing_imports_cuda_unasked():
    program = ("import sys, scratchvae.cli, scratchvae.models, kernels; kernels.load('cpu'); "
               "sys.exit('numba.cuda' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
