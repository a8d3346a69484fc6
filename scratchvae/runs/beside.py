"""Starts the process that compiles the kernels of a run beside its training; see ahead.py."""
import atexit
import contextlib
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np

from .. import kernels
from ..kernels import folders

PROGRAM = "scratchvae.runs.ahead"
EXAMPLES = 2                    # in the step that is compiled: kernels are the same for any number


def compile_beside(run, x, y):
    """Start the process, if kernels may be missing in the cache and there is a core to spare.

    It ends with this process at the latest.

    Parameters
    ----------
    run : Run
        Its config.json is written, its model is built.
    x, y : array_like or Batches
        The examples and targets of its training; y may be None.
    """
    import numba
    mark = mark_of(run.config)
    on_cpu = run.config["backend"] == "cpu"
    if not on_cpu or numba.get_num_threads() == 1 or not mark or mark.exists():
        return
    process = subprocess.Popen([sys.executable, "-m", PROGRAM, run.folder], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.kill)
    x, y = run.model.as_pair(x, y)
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        np.savez(pipe, x=x[:EXAMPLES], y=y[:EXAMPLES])


def mark_of(config):
    """Return the empty file that says that a lab's kernels are compiled; None without a cache."""
    import numba
    home = folders.kernels_home()
    if not home:
        return None
    digest = hashlib.sha256(f"{numba.__version__} {config['lab']}".encode())
    for source in sorted(Path(kernels.load("cpu").__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return home / f"ready-{digest.hexdigest()[:16]}"
