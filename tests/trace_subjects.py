"""Small models before a training step, and traces of it that take no time."""

import pytest

from scratchvae.optimizers import SGD
from scratchvae.teaching import trace as tracing
from scratchvae.teaching.trace import Subject, trace


@pytest.fixture(autouse=True)
def no_benchmark(monkeypatch):
    """The machine's peak does not matter here."""
    monkeypatch.setattr(tracing, "sgemm_gflops", lambda threads, repeats: 100.0)


def subject(model, x, optimizer=None, steps=1, **more):
    """A built model before a step on x."""
    optimizer = optimizer or SGD(0.1)
    if model.input_shape is None:
        model.build(x.shape[1:])
    optimizer.build(model.parameters, model.kernels)
    return Subject("a small model", model, optimizer, *model.as_pair(x), steps=steps, **more)


def quick(of):
    """A trace that takes no time."""
    return trace(of, timing=0, checking=5)
