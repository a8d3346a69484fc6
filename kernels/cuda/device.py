"""How a kernel is compiled and launched, and what an array on the device is.

A kernel is a function that one thread runs; a launch runs it in many, in blocks of THREADS that can
share memory and wait for each other. A launch costs the processor several microseconds, whatever it
computes, and returns before the device has computed it.
"""
import functools

from numba import config, cuda
from numba.cuda.cudadrv import devicearray

from .. import operation
from ..errors import ScratchVAEError

config.CUDA_LOW_OCCUPANCY_WARNINGS = 0                  # small models have small grids
THREADS = 8 if config.ENABLE_CUDASIM else 256           # of a block; the simulator's start slowly
launches = 0                    # so far: the time of a small model is mostly that of its launches


def is_array(x):
    """Return whether x is an array in the device's memory."""
    return devicearray.is_cuda_ndarray(x)


implements = functools.partial(operation.implements, is_array=is_array, on_host=False,
                               kind="an array of the device: kernels.load('cuda').from_host(...)")


def launch(kernel, grid, *arguments):
    """Run a kernel in `grid` blocks (a number, or one for each axis) of THREADS threads."""
    global launches
    launches += 1
    kernel[grid, THREADS](*arguments)


def launch_each(kernel, count, *arguments):
    """Run a kernel in a thread for each of `count` elements.

    The last block has more threads than elements; the kernel must check its index.
    """
    launch(kernel, blocks(count, THREADS), *arguments)


def launched():
    """Return the number of launches so far."""
    return launches


def blocks(count, size):
    """Return how many blocks of that size hold `count` elements."""
    return (count + size - 1) // size


def flat(array):
    """Return the array with one axis."""
    return array if array.ndim == 1 else _kept_view(array, "flat_view", array.size)


def rows(array):
    """Return an array (N, ..., K) as the rows of a matrix."""
    if array.ndim == 2:
        return array
    return _kept_view(array, "rows_view", -1, array.shape[array.ndim - 1])


def _kept_view(array, name, *shape):
    """Return the array in another shape.

    The array keeps the view as an attribute: to make one takes as long as a launch.
    """
    view = vars(array).get(name)
    if view is None:
        view = array.reshape(*shape)
        setattr(array, name, view)
    return view


def check_device():
    """Refuse to work without a device."""
    if not cuda.is_available():
        raise ScratchVAEError("backend cuda: no CUDA device was found. It needs an NVIDIA GPU with "
                              "its driver, and pip install 'scratchvae[cuda]'; without one, use "
                              "the backend cpu or reference")


def set_threads(count):
    """Refuse: the number of threads on a device cannot be chosen."""
    raise ScratchVAEError(f"threads: got {count}, but the backend cuda always uses the whole "
                          "device; leave it out")


def describe():
    """Return one line: what computes."""
    if config.ENABLE_CUDASIM:
        return "cuda backend: Numba's simulator, on the processor, for tests"
    device = cuda.get_current_device()
    capability = ".".join(map(str, device.compute_capability))
    return f"cuda backend: {device.name}, compute capability {capability}"


def synchronize():
    """Wait until everything that was launched is computed."""
    cuda.synchronize()
