"""One training step in detail: the outputs and gradients of every layer, their cost, their checks.
"""
import os
from dataclasses import dataclass, field

import numpy as np

from ...analysis.bench import sgemm_gflops
from ...analysis.pages import Page
from .check import check
from .health import examine
from .operations import judge_operations
from .page import page_of
from .step import record
from .subject import Subject, open_subject
from .table import describe
from .timing import measure

TIMING = 1.5                    # seconds
CHECKING = 1.5                  # seconds
PEAKS = 5                       # matrix products; the fastest gives the machine's peak


@dataclass(repr=False)
class Trace:
    """What was measured of a training step. A notebook shows it as a page.

    Attributes
    ----------
    subject : Subject
    backend : str
        The backend and its threads, in words.
    losses : dict of name -> float
        "loss", "reconstruction" and "kl": means over the batch.
    events : list of step.Event
        In the order of the step.
    updates : dict of path of a layer -> step.Update
    times : timing.Times
    gflops : float
        The machine's sgemm peak in GFLOP/s.
    findings : list of health.Finding
    judgements : list of Judgement
        Of the operations that training and inference call.
    """
    subject: Subject
    backend: str
    losses: dict
    events: list
    updates: dict
    times: object
    gflops: float
    findings: list = field(default_factory=list)
    judgements: list = field(default_factory=list)

    def __repr__(self):
        return f"{self.subject.title}: {describe(self)}"

    def _repr_html_(self):
        return Page(page_of(self))._repr_html_()


def backend_on_host(subject):
    """Return whether the step's arrays are NumPy's, as the judge needs them."""
    return subject.model.kernels.NAME != "cuda"


def trace(subject, timing=TIMING, checking=CHECKING):
    """Return the Trace of a step of the subject.

    More steps are made to measure times. They change the subject's parameters.

    Parameters
    ----------
    subject : Subject
    timing : float, default 1.5
        Seconds to spend on measuring times, about.
    checking : float, default 1.5
        Seconds to spend on finite differences, about.

    Returns
    -------
    Trace
    """
    checked = check(subject, checking)
    recorder, (reconstruction, kl) = record(subject)
    times = measure(subject, timing)
    gflops = sgemm_gflops(len(os.sched_getaffinity(0)), PEAKS)
    for event in recorder.events:
        event.ms = times.calls[event.place, event.direction]
        event.peak = event.flops / (event.ms * 1e6) / gflops if event.flops else None
        event.checked = checked.get(event.place) if event.direction == "backward" else None
    losses = {
        "loss": float(np.mean(reconstruction + subject.kl_weight * kl)),
        "reconstruction": float(np.mean(reconstruction)),
        "kl": float(np.mean(kl)),
    }
    backend = subject.model.kernels.describe()
    result = Trace(subject, backend, losses, recorder.events, recorder.updates, times, gflops)
    result.findings = examine(result)
    if backend_on_host(subject):
        result.judgements = judge_operations(subject)
    return result
