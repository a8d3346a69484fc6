"""Kernels: functions on arrays, in interchangeable backends with the same names and signatures.

The folder is installed as scratchvae.kernels: another package has the name kernels.

`load("cpu")` and `load("reference")` return backends: modules whose files mirror each other. An
operation is a function or a pair X_forward and X_backward. The reference declares each of them
(see operation.py), which every call is checked against:

- operations write into the arrays that they are given, and allocate nothing that they return;
- arrays are C-contiguous and share one dtype, float32 or float64; indices and masks are int32;
- arrays are the backend's own: NumPy's, or a device's. `from_host` and `to_host` move them;
- inputs stay unchanged, unless a docstring says that an output may be the same array;
- noise is an input, drawn by `normal` and `uniform` from a counter: the same in every backend;
- work space is made by `<family>_scratch` and kept by the caller. A scratch for N examples serves
  batches of at most N; the forward pass leaves in it what its backward pass reads;
- results do not depend on the number of threads;
- NaN and infinity pass through, with one exception: a dense layer may leave out a number that it
  multiplies by an exact zero of x.
"""
import importlib
from pathlib import Path

from .errors import ScratchVAEError
from .own import load_folder

BACKENDS = ("cpu", "reference", "cuda")


def canonical(name):
    """Return the name of a backend as every directory understands it: a folder's is absolute.

    Raises
    ------
    ScratchVAEError
        If there is no such backend.
    """
    if name in BACKENDS:
        return name
    if not Path(name).is_dir():
        raise ScratchVAEError(f"unknown backend {name!r}; allowed: {', '.join(BACKENDS)}, or a "
                              "folder with kernels of your own")
    return str(Path(name).resolve())


def load(name):
    """Return a backend as a module, imported when it is first asked for.

    Parameters
    ----------
    name : str
        "cpu", "reference" or "cuda", or a folder with kernels of one's own (see own.py).

    Raises
    ------
    ScratchVAEError
        If there is no such backend, or it cannot work on this machine.
    """
    name = canonical(name)
    if name not in BACKENDS:
        return load_folder(name)
    backend = importlib.import_module(f"{__name__}.{name}")
    backend.check_device()
    return backend
