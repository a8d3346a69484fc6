"""How long a training step takes, whole, and each call of it:

by turns, so that both meet the same machine.
"""

import time
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from .tap import tapped

FEWEST = 5
MOST = 30  # pairs of a whole step and one with timers


@dataclass
class Times:
    """Milliseconds, each a mean over the middle half of the repeats: like a median, but such times
    add up.

    calls: (place, direction) -> time.
    """

    step: float
    calls: dict
    repeats: int

    @property
    def covered(self):
        """The part of the step's time that the calls add up to."""
        return sum(self.calls.values()) / self.step


def measure(subject, seconds):
    """Times of the subject's step; about so many seconds are spent on it."""
    whole = []
    calls = []

    def timed(call, function, arguments, keywords):
        started = time.perf_counter()
        result = function(*arguments, **keywords)
        spent = time.perf_counter() - started
        key = (
            call.place,
            "forward" if call.direction == "noise" else call.direction,
        )  # the noise is drawn for the sampling
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
    quick = middle([sum(spent.values()) for spent in calls])
    return Times(
        1e3 * float(np.mean([whole[i] for i in middle(whole)])),
        {key: 1e3 * float(np.mean([calls[i][key] for i in quick])) for key in calls[0]},
        len(whole),
    )


def middle(seconds):
    """Which of the repeats are neither among the quickest quarter nor the slowest."""
    order = np.argsort(seconds)
    quarter = len(seconds) // 4
    return order[quarter : len(order) - quarter]
