"""Compiles the kernels of a run in a process beside its training.

A training that finds no compiled kernels compiles each where it first calls it, from the encoder's
first layer to the optimizer. This process compiles the same kernels from the other end, and then
those that only a decoder needs that draws. Both keep what they compile in the cache on disk, so
they meet in the middle.

    python -m scratchvae.runs.ahead RUN < examples.npz
"""
import io
import sys
from pathlib import Path

import numpy as np

from .. import kernels
from ..kernels import backend
from . import open_run
from .beside import mark_of


def main(folder):
    """Compile the kernels of the run in a directory, those that a step calls last first."""
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
