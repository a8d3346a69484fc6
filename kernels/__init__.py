"""Arrays in, arrays out: every operation of the library, in interchangeable backends.

`load("reference")` is plain NumPy, the textbook; `load("cpu")` is the same in Numba; `load("cuda")` again, for a GPU, in numba.cuda.  Each
backend is a module with the same functions and the same signatures, one file an operation, the forward pass above the backward pass.  Open
`reference/dense.py`, `cpu/dense.py` and `cuda/dense.py` beside each other: that is the lesson.

The contract (checked by `kernels.contract.operation`):
- an operation writes into arrays it is given and returns nothing; it allocates no arrays (the reference may use temporaries);
- arrays have the shapes of `kernels.contract.SHAPES`, are C-contiguous, and share one dtype, float32 or float64, but for words and masks, which are int32;
- arrays are the backend's own: NumPy's, or of the device; `from_host` and `to_host` move them (kernels/arrays.py);
- inputs are left as they were, unless an output may be the same array, where its docstring says so;
- noise is an input, drawn by `normal` and `uniform` from a counter, so that every backend sees the same numbers;
- an operation that needs work space comes with a function `<operation>_scratch` that makes it; the caller keeps it;
- the result does not depend on the number of threads;
- NaN and infinity go through, with one exception: a number that a dense layer multiplies by an exact zero of x may be left out.
"""
import importlib

from .contract import ScratchVAEError

PROJECT = "scratchvae"          # the name `kernels` is a common one: scratchvae asks for this to know it found its own
BACKENDS = ("cpu", "reference", "cuda")


def load(name):
    """Return the backend `name` ("cpu", "reference" or "cuda") as a module, imported when first asked for."""
    if name not in BACKENDS:
        raise ScratchVAEError(f"unknown backend {name!r}; there are: {', '.join(BACKENDS)}")
    backend = importlib.import_module(f"kernels.{name}")
    backend.check_device()
    return backend
