"""Compiles the kernels of a run in a process beside its training.

A training that finds no compiled kernels compiles each where it first calls it, from the encoder's
first layer to the optimizer. This process compiles the same kernels from the other end, and then
those that only a decoder needs that draws. Both keep what they compile in the cache on disk, so
they meet in the middle.

    python -m scratchvae.runs.ahead RUN < examples.npz
"""
import atexit
import contextlib
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np

from .. import kernels
from ..kernels import backend, folders

EXAMPLES = 2                    # in the step that is noted: kernels are the same for any number


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
    mark = mark_of(run.config)
    on_cpu = run.config["backend"] == "cpu"
    if not on_cpu or numba.get_num_threads() == 1 or not mark or mark.exists():
        return
    process = subprocess.Popen([sys.executable, "-m", __name__, run.folder], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.kill)
    x, y = run.model.as_pair(x, y)
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        np.savez(pipe, x=x[:EXAMPLES], y=y[:EXAMPLES])


def mark_of(config):
    """Return the empty file that says that a lab's kernels are compiled; None without a cache."""
    home = folders.kernels_home()
    if not home:
        return None
    digest = hashlib.sha256(f"{numba.__version__} {config['lab']}".encode())
    for source in sorted(Path(kernels.load("cpu").__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return home / f"ready-{digest.hexdigest()[:16]}"


def main(folder):
    """Compile the kernels of the run in a directory, those that a step calls last first."""
    from . import open_run
    run = open_run(folder)
    mark = mark_of(run.config)
    examples = np.load(io.BytesIO(sys.stdin.buffer.read()))
    step, drawing = first_calls(run, examples["x"], examples["y"])
    for operation, arguments in (*reversed(step), *drawing):
        operation(*arguments)
    mark.touch()


def first_calls(run, x, y):
    """Return how a training step first calls each operation, and a reconstruction the others.

    The model is built as for the training, but its operations do nothing: they are replaced, in
    this process, by functions that note the call. So all arrays are left as they are made, and are
    made with zeros, which are allowed as indices, too.

    Returns
    -------
    (list, list) of (function, tuple of arguments)
        In the order of the calls.
    """
    cpu = kernels.load("cpu")
    cpu.empty = np.zeros
    calls = {}
    for name, operation in backend.operations(cpu).items():
        setattr(cpu, name, noting(operation, calls))
    model = run.make_model()
    optimizer = run.make_optimizer()
    optimizer.build(model.parameters, cpu)
    model.train_step(x, optimizer, 1.0, target=y)
    step = list(calls.values())
    model.decode(np.zeros((len(x), model.latent_dim), model.dtype))
    return step, list(calls.values())[len(step):]


def noting(operation, calls):
    """Return a function that notes in `calls` how the operation is called first."""
    def note(*arguments):
        calls.setdefault(operation.__name__, (operation, arguments))
    return note


if __name__ == "__main__":
    main(Path(sys.argv[1]))
