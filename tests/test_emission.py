"""Functions that kernels take in never become machine code, and the kernels are as before."""
import os
import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np
from numba import prange
from scratchvae.kernels.cpu import jit
from scratchvae.kernels.cpu.emission import Library

emitted = []
emit = Library._emit
Library._emit = lambda library: emitted.append(library.name) or emit(library)

@jit.inner
def square(x):
    if x < 0:
        raise ValueError("negative", x)
    return x * x

@jit.inner
def half(x):
    return x / 2

@jit.jit
def add_half_squares(x):
    total = 0.0
    for i in range(x.size):
        total += half(square(x[i]))
    return total

@jit.parallel
def squares(x, y):
    for i in prange(x.size):
        y[i] = square(x[i])

x = np.arange(5.0)
y = np.empty(5)
squares(x, y)
assert y.tolist() == [0, 1, 4, 9, 16]
assert add_half_squares(x) == 15
try:
    add_half_squares(-x)
except ValueError as error:
    assert error.args == ("negative", -1)

for overload in add_half_squares.overloads.values():        # it has taken the function in
    lines = str(overload.library._final_module).splitlines()
    assert not [line for line in lines if " call " in line and "4half" in line]
for kernel in add_half_squares, squares, square:
    print(*(vars(overload.library).get("_emitted") for overload in kernel.overloads.values()))
print(*emitted)                 # no body of a prange loop
"""


@pytest.mark.slow
def test_only_what_is_called_by_address_becomes_machine_code(tmp_path):
    """A second process finds the kernels in the cache, and compiles nothing."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)

    def printed():
        result = subprocess.run([sys.executable, str(file)], capture_output=True, text=True,
                                env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")})
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()

    assert printed() == ["True", "True", "None", "squares add_half_squares"]
    assert printed() == ["None", "None", "", ""]
