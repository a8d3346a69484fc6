"""One training step under a microscope:

what every layer makes of the batch, what comes back, what it costs, and whether it is right.
"""

import os
from dataclasses import dataclass, field

import numpy as np

from ...analysis.bench import sgemm_gflops
from .check import check
from .health import examine
from .step import record
from .subject import Subject, open_subject
from .timing import measure

TIMING = 1.5
CHECKING = 1.5  # seconds
PEAKS = 5  # products of which the quickest is the machine's peak


@dataclass
class Trace:
    """What was seen of a step of the subject.

    events: of the step, in their order; updates: path of a layer -> step.Update; losses: means over
    the batch; times: timing.Times;
    gflops: the sgemm peak; findings: what is unhealthy.
    """

    subject: Subject
    backend: str
    losses: dict
    events: list
    updates: dict
    times: object
    gflops: float
    findings: list = field(default_factory=list)


def trace(subject, timing=TIMING, checking=CHECKING):
    """Make a step of the subject, and a few more to measure them;

    returns a Trace.  timing, checking: seconds to spend on these.
    """
    checked = check(subject, checking)
    recorder, (reconstruction, kl) = record(subject)
    times = measure(subject, timing)
    gflops = sgemm_gflops(len(os.sched_getaffinity(0)), PEAKS)
    for event in recorder.events:
        event.ms = times.calls[event.place, event.direction]
        event.peak = event.flops / (event.ms * 1e6) / gflops if event.flops else None
        event.checked = checked.get(event.place) if event.direction == "backward" else None
    means = {
        "loss": reconstruction + subject.kl_weight * kl,
        "reconstruction": reconstruction,
        "kl": kl,
    }
    losses = {name: float(np.mean(values)) for name, values in means.items()}
    result = Trace(
        subject,
        subject.model.kernels.describe(),
        losses,
        recorder.events,
        recorder.updates,
        times,
        gflops,
    )
    result.findings = examine(result)
    return result
