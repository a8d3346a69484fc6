"""Recurrent layers: the step and the gate at which a wrong array is wrong first.

A mistake in one step spreads to all steps that are computed after it, and from one gate to others.
"""
import numpy as np

from .quantities import PARTS

CARRIED = "look at what is carried from one step to the next"


def recurrent_part(c):
    """Return (words, Comparison) of the step and gate where a recurrent layer is wrong first."""
    gates = PARTS.get(c.declaration.family)
    if not gates or not c.bad.any():
        return "", c
    words = ""
    if "T" in c.letters:
        axis = c.letters.index("T")
        steps = list(range(c.wrong.shape[axis]))
        if c.declaration.name.endswith("backward") != bool(c.options["go_backwards"]):
            steps.reverse()
        first = next(t for t in steps if c.bad.take(t, axis).any())
        if first != steps[0]:
            return (f"right at step {steps[0]}, which is computed first, and wrong at step {first}"
                    f"{carried(c, axis, steps, first)}: {CARRIED}"), c
        taken = c.arrays["mask"][:, first] != 0
        here = slice(first, first + 1)
        if "N" in c.letters and taken.any() and not c.bad.take(first, axis)[~taken].any():
            c = c.within(taken)._replace(cut={"N": taken})
        c = c.within((slice(None),) * axis + (here,))._replace(cut=c.cut | {"T": here})
    if f"{len(gates)}U" in c.letters:
        axis = c.letters.index(f"{len(gates)}U")
        parts = np.split(np.arange(c.wrong.shape[axis]), len(gates))
        wrong = [i for i, part in enumerate(parts) if c.bad.take(part, axis).any()]
        if len(wrong) < len(gates):
            words += f"in the part of {' and '.join(gates[i] for i in wrong)} alone: "
            if len(wrong) > 1:
                words += f"look at {gates[wrong[-1]]} first: "
            first = parts[wrong[-1]]
            index = (slice(None),) * axis + (slice(first[0], first[-1] + 1),)
            letters = tuple(other if i != axis else "gate" if "U" in c.letters else "U"
                            for i, other in enumerate(c.letters))
            c = c.within(index, letters)
    return words, c


def carried(c, axis, steps, first):
    """Return for which sequences a recurrence goes wrong, by the mask of the step before."""
    previous = steps[steps.index(first) - 1]
    mask = c.arrays["mask"][:, previous]
    bad = c.bad.take(first, axis)
    bad = bad.any(axis=tuple(range(1, bad.ndim)))
    words = ""
    for value in (0, 1):
        if bad.any() and not bad.all() and not (bad & (mask != value)).any():
            words = f", for sequences whose mask is {value} at step {previous}"
    if c.declaration.family == "lstm" and "4U" in c.letters:
        gates = np.split(c.bad.take(first, axis), 4, axis=-1)
        if not gates[3].any():
            words += (" (the part of o is right, so dh is carried; dc is not: it is lost on the "
                      "way, or has a wrong factor)")
    return words
