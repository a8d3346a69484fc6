"""Times of a whole training step and of each of its calls.

Whole steps and steps with timers alternate, so that both are measured under the same conditions.
"""
import time
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from .tap import tapped

FEWEST = 5                      # pairs of a whole step and a step with timers
MOST = 30


@dataclass
class Times:
    """Times in milliseconds.

    Each is a mean over the middle half of the repeats. Outliers do not affect it, as with a median,
    but unlike medians these times add up.

    Attributes
    ----------
    step : float
        Of a whole step.
    calls : dict of (place, direction) -> float
    repeats : int
    """
    step: float
    calls: dict
    repeats: int

    @property
    def covered(self):
        """The sum of the calls' times as a fraction of the step's time."""
        return sum(self.calls.values()) / self.step


def measure(subject, seconds):
    """Return the Times of the subject's step.

    Parameters
    ----------
    subject : Subject
    seconds : float
        How long to measure, about. There are at least FEWEST and at most MOST repeats.
    """
    whole = []
    calls = []

    def timed(call, function, arguments, keywords):
        started = time.perf_counter()
        result = function(*arguments, **keywords)
        spent = time.perf_counter() - started
        # The time to draw the noise counts as sampling's.
        direction = "forward" if call.direction == "noise" else call.direction
        key = (call.place, direction)
        calls[-1][key] = calls[-1].get(key, 0.0) + spent
        return result

    begun = time.perf_counter()
    with tqdm(total=MOST, desc="timing", leave=False, disable=None) as bar:
        while len(whole) < FEWEST or (len(whole) < MOST and time.perf_counter() - begun < seconds):
            started = time.perf_counter()
            subject.step()
            whole.append(time.perf_counter() - started)
            calls.append({})
            with tapped(subject.model, subject.optimizer, timed):
                subject.step()
            bar.update()
    chosen = middle([sum(spent.values()) for spent in calls])
    of_calls = {key: 1e3 * float(np.mean([calls[i][key] for i in chosen])) for key in calls[0]}
    of_step = 1e3 * float(np.mean([whole[i] for i in middle(whole)]))
    return Times(of_step, of_calls, len(whole))


def middle(seconds):
    """Return the indices of the repeats that are neither in the fastest nor the slowest quarter."""
    order = np.argsort(seconds)
    quarter = len(seconds) // 4
    return order[quarter : len(order) - quarter]
