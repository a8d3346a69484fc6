"""The simulator, with threads that take turns.

Numba's simulator runs the threads of a block as Python threads, and polls until all of them wait in
syncthreads: most of its time goes into contending for the interpreter. Here one thread runs at a
time, up to its next syncthreads. That is several times faster and always the same order, and every
round reverses it, so a kernel that lacks a syncthreads reads what is not written yet.
"""
import contextlib
import sys
import threading

import numpy as np
from numba import config


def closed_gate():
    """Return a lock that the next acquire waits for, until another thread releases it."""
    gate = threading.Lock()
    gate.acquire()
    return gate


def run_block(manager, grid_point, *arguments):
    """Run all threads of a block; takes the place of BlockManager.run."""
    threads = [Thread(lambda: manager._f(*arguments), manager, grid_point, place, manager._debug)
               for place in np.ndindex(*manager._block_dim)]
    while threads:
        for thread in threads:
            thread.run_to_barrier()
        threads = [thread for thread in reversed(threads) if not thread.finished]


@contextlib.contextmanager
def swap_in_all_modules(function, simulated):
    """Give all modules of the backend the simulated `cuda`; takes the place of swapped_cuda_module.

    That one swaps in one module for the duration of one call, even of a device function. Two
    threads in the same function then take `cuda` away from each other.
    """
    if isinstance(threading.current_thread(), Thread):
        yield                                           # within a launch, which has swapped already
        return
    modules = [module for name, module in sys.modules.items()
               if name.startswith("scratchvae.kernels.cuda.") and hasattr(module, "cuda")]
    real = modules[0].cuda
    try:
        for module in modules:
            module.cuda = simulated
        yield
    finally:
        for module in modules:
            module.cuda = real


if config.ENABLE_CUDASIM:
    from numba.cuda.simulator import kernel

    class Thread(kernel.BlockThread):
        """A thread of a block that runs only when it is its turn."""

        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.may_run = closed_gate()
            self.has_run = closed_gate()
            self.finished = False

        def run(self):
            super().run()
            self.finished = True
            self.has_run.release()

        def syncthreads(self):
            self.has_run.release()
            self.may_run.acquire()

        def run_to_barrier(self):
            """Let the thread run to its next syncthreads, or to its end."""
            if self.is_alive():
                self.may_run.release()
            else:
                self.start()
            self.has_run.acquire()
            if self.exception:
                error, traceback = self.exception
                raise error.with_traceback(traceback)

    kernel.BlockManager.run = run_block
    kernel.swapped_cuda_module = swap_in_all_modules
