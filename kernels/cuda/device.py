"""The only door to CUDA: how a kernel is compiled and launched, and what an array on the device is.

A kernel is a function that one thread runs; a launch runs it in many, in blocks of THREADS that can
share memory and wait for each
other.  A launch costs the processor several microseconds, whatever it computes, and returns before
the device has computed it.
"""

import functools

from numba import config, cuda
from numba.cuda.cudadrv import devicearray

from .. import operation
from ..errors import ScratchVAEError

config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # small models have small grids
THREADS = (
    32 if config.ENABLE_CUDASIM else 256
)  # of a block; the simulator's are Python's, and start slowly
launches = 0  # so far: what small models are bound by


def is_array(x):
    """Whether x is an array in the device's memory."""
    return devicearray.is_cuda_ndarray(x)


implements = functools.partial(
    operation.implements,
    is_array=is_array,
    on_host=False,
    kind="an array of the device: kernels.load('cuda').from_host(...)",
)


def launch(kernel, grid, *arguments):
    """Run the kernel in `grid` blocks (a number, or one for each axis) of THREADS threads."""
    global launches
    launches += 1
    kernel[grid, THREADS](*arguments)


def launch_each(kernel, count, *arguments):
    """Run the kernel in a thread for each of `count` elements, and some more in the last block,
    which must find nothing to do.
    """
    launch(kernel, blocks(count, THREADS), *arguments)


def launched():
    """How many launches there have been."""
    return launches


def blocks(count, size):
    """How many blocks of that size have room for so many elements."""
    return (count + size - 1) // size


def flat(array):
    """The array with one axis."""
    return array if array.ndim == 1 else _kept_view(array, "flat_view", array.size)


def rows(array):
    """An array (N, ..., K) as the rows of a matrix."""
    return (
        array
        if array.ndim == 2
        else _kept_view(array, "rows_view", -1, array.shape[array.ndim - 1])
    )


def _kept_view(array, name, *shape):
    """The array in another shape.

    The view is kept with it: to make one takes the processor as long as a launch.
    """
    view = vars(array).get(name)
    if view is None:
        view = array.reshape(*shape)
        setattr(array, name, view)
    return view


def check_device():
    """Refuse to work without a device."""
    if not cuda.is_available():
        raise ScratchVAEError(
            "backend cuda: no CUDA device can be used here; needed: an NVIDIA GPU with its "
            "driver, and "
            "pip install 'scratchvae[cuda]'; without one there are the backends cpu and reference"
        )


def set_threads(count):
    """Refused: a device has no threads to choose."""
    raise ScratchVAEError(
        f"threads: {count} can't be set, the backend cuda uses the whole device; leave it out"
    )


def describe():
    """One line: what computes."""
    if config.ENABLE_CUDASIM:
        return "cuda backend: Numba's simulator, on the processor, for tests"
    device = cuda.get_current_device()
    return f"cuda backend: {device.name}, compute capability {'.'.join(map(str, device.compute_capability))}"


def synchronize():
    """Wait until all is computed that was launched."""
    cuda.synchronize()
