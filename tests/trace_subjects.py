"""Small models before a training step, and traces of it without measuring times for long."""
import pytest

from scratchvae.optimizers import SGD
from scratchvae.teaching import trace as tracing
from scratchvae.teaching.trace import Subject, trace


@pytest.fixture(autouse=True)
def no_benchmark(monkeypatch):
    """Replace the measurement of the machine's peak by a number."""
    monkeypatch.setattr(tracing, "sgemm_gflops", lambda threads, repeats: 100.0)


def subject(model, x, optimizer=None, steps=1, **more):
    """Return the Subject of a model, built, before a step on x."""
    optimizer = optimizer or SGD(0.1)
    if model.input_shape is None:
        model.build(x.shape[1:])
    optimizer.build(model.parameters, model.kernels)
    return Subject("a small model", model, optimizer, *model.as_pair(x), steps=steps, **more)


def quick(of):
    """Return a Trace with the fewest possible repeats of the step."""
    return trace(of, timing=0, checking=5)
